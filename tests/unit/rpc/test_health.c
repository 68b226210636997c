/* grpc.health.v1 as a load balancer sees it. */

#include <pthread.h>
#include <string.h>

#include "api/health/health.h"
#include "client.h"
#include "lib/test.h"
#include "rpc/server.h"

static struct rpc_server *server;
static struct client client;

#define SERVING "\x08\x01"
#define NOT_SERVING "\x08\x02"
#define SERVICE_UNKNOWN "\x08\x03"
#define HEALTH "\x0a\x15grpc.health.v1.Health"
#define OTHER "\x0a\x05other"

static int set_up(void **state)
{
	static const struct rpc_method *const tables[] = {health_methods, NULL};
	struct rpc_options options = {
		.listen = "127.0.0.1:0", .workers = 1, .max_message_bytes = 1000, .tables = tables};
	struct err err;

	(void)state;
	server = rpc_server_start(&options, &err);
	assert_non_null(server);
	client_init(&client, rpc_server_port(server));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	client_release(&client);
	rpc_server_stop(server, &(struct rpc_stop){.drain_us = 1000000});
	return 0;
}

#define SERVED(name) TEST_WITH(name, set_up, tear_down)

SERVED(the_server_and_its_services_are_serving)
{
	struct client_call call;

	assert_int_equal(client_unary(&client, &call, "/grpc.health.v1.Health/Check", ""), GRPC_STATUS_OK);
	assert_string_equal(call.message, SERVING);
	assert_int_equal(client_unary(&client, &call, "/grpc.health.v1.Health/Check", HEALTH), GRPC_STATUS_OK);
	assert_string_equal(call.message, SERVING);
}

SERVED(an_unknown_service_is_not_found)
{
	struct client_call call;

	assert_int_equal(client_unary(&client, &call, "/grpc.health.v1.Health/Check", OTHER), GRPC_STATUS_NOT_FOUND);
	assert_int_equal(
		client_unary(&client, &call, "/grpc.health.v1.Health/Check", "\x0a\x7f"), GRPC_STATUS_INVALID_ARGUMENT);
	client_start_stream(&client, &call, "/grpc.health.v1.Health/Watch", OTHER);
	assert_true(client_next(&call));
	assert_string_equal(call.message, SERVICE_UNKNOWN);
	grpc_call_cancel(call.call, NULL);
	client_finish_stream(&call);
}

static void *stop_server(void *arg)
{
	(void)arg;
	rpc_server_stop(server, &(struct rpc_stop){.drain_us = 20000000});
	return NULL;
}

SERVED(a_watcher_hears_of_the_drain_and_is_sent_away)
{
	struct client_call call;
	pthread_t thread;

	client_start_stream(&client, &call, "/grpc.health.v1.Health/Watch", "");
	assert_true(client_next(&call));
	assert_string_equal(call.message, SERVING);
	assert_int_equal(pthread_create(&thread, NULL, stop_server, NULL), 0);
	assert_true(client_next(&call));
	assert_string_equal(call.message, NOT_SERVING);
	assert_false(client_next(&call));
	client_finish_stream(&call);
	assert_int_equal(call.status, GRPC_STATUS_UNAVAILABLE);
	pthread_join(thread, NULL);
	server = NULL;
}
