/* The server from the outside, by a bare gRPC client: what callers see when all is well, and when it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "client.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "rpc/server.h"

/* What the handlers tell the test; each worker has the call it holds for /t.T/Hold. */
static struct {
	sem_t held;
	sem_t cancelled;
	sem_t draining;
	atomic_int opened;
	atomic_int closed;
	atomic_bool expels; /* still_admitted: nobody any more */
} seen;

static struct rpc_server *server;
static struct client client;

static void echo(struct call *call, void *ctx)
{
	size_t len;
	const uint8_t *bytes = call_request(call, &len);

	assert_non_null(ctx);
	call_reply(call, bytes, len);
}

static void tell(struct call *call, void *ctx)
{
	const char *value = "";
	size_t len = 0;
	char *text;

	(void)ctx;
	call_metadata(call, "authorization", &value, &len);
	text = arena_printf(call_arena(call), "%s %.*s %.14s %s %d%d", call_path(call), (int)len, value,
		call_peer(call),
		call_deadline_us(call) - clock_mono_us() > 1000000 &&
				call_deadline_us(call) - clock_mono_us() <= 20000000
			? "deadline"
			: "?",
		call_serves(call, "t.T"), call_serves(call, "t"));
	call_reply(call, text, strlen(text));
}

static void refuse(struct call *call, void *ctx)
{
	struct err err;

	(void)ctx;
	err_invalid(&err, "user", "is empty");
	err_prefix(&err, "items[3].");
	err.retry_after_us = 1500000;
	call_fail(call, &err);
}

static void hold_cancelled(struct call *call, void *ctx)
{
	struct err err;

	(void)ctx;
	err_set(&err, ERR_CANCELLED, "nobody waits any more");
	call_fail(call, &err);
	sem_post(&seen.cancelled);
}

static void hold(struct call *call, void *ctx)
{
	(void)ctx;
	call_on_cancel(call, hold_cancelled, NULL);
	sem_post(&seen.held);
}

static void finish_draining(struct call *call, void *ctx)
{
	(void)ctx;
	assert_true(call_draining(call));
	call_reply(call, "drained", 7);
	sem_post(&seen.draining);
}

static void until_drain(struct call *call, void *ctx)
{
	(void)ctx;
	call_on_drain(call, finish_draining, NULL);
	sem_post(&seen.held);
}

/* Ends with OK whatever happens; writes one message, or "on" and on. */
static void linger_cancelled(struct call *call, void *ctx)
{
	(void)ctx;
	call_end(call);
	sem_post(&seen.cancelled);
}

static void linger_written(struct call *call, bool ok, void *on)
{
	if (ok && on)
		call_write(call, "x", 1, linger_written, on);
}

static void linger(struct call *call, void *ctx)
{
	size_t len;

	call_request(call, &len);
	call_on_cancel(call, linger_cancelled, NULL);
	call_write(call, "x", 1, linger_written, len ? ctx : NULL);
	sem_post(&seen.held);
}

static bool still_admitted(struct call *call, void *ctx, struct err *err)
{
	(void)ctx;
	if (!atomic_load(&seen.expels))
		return true;
	err_set(err, ERR_UNAUTHENTICATED, "%s: no more", call_path(call));
	return err_reason(err, "NO_KEY");
}

struct counting {
	int next;
	int most;
};

static void count_next(struct call *call, bool ok, void *ctx)
{
	struct counting *counting = ctx;
	char text[16];

	if (!ok || counting->next == counting->most) {
		call_end(call);
		return;
	}
	snprintf(text, sizeof(text), "%d", counting->next++);
	call_write(call, text, strlen(text), count_next, counting);
	/* The end may be given while a write is under way: it comes after it. */
	if (counting->most < 0 && counting->next == -counting->most)
		call_end(call);
}

static void count_up(struct call *call, void *ctx)
{
	struct counting *counting = arena_zalloc(call_arena(call), 1, sizeof(*counting));
	size_t len;
	const char *text = (const char *)call_request(call, &len);

	(void)ctx;
	counting->most = atoi(arena_strndup(call_arena(call), text, len));
	count_next(call, true, counting);
}

static const struct rpc_method methods[] = {
	{.path = "/t.T/Echo", .handle = echo, .kind = RPC_UNARY},
	{.path = "/t.T/Tell", .handle = tell, .kind = RPC_UNARY},
	{.path = "/t.T/Fail", .handle = refuse, .kind = RPC_UNARY},
	{.path = "/t.T/Hold", .handle = hold, .kind = RPC_UNARY},
	{.path = "/t.T/UntilDrain", .handle = until_drain, .kind = RPC_UNARY},
	{.path = "/t.T/Count", .handle = count_up, .kind = RPC_SERVER_STREAM},
	{.path = "/t.T/Linger", .handle = linger, .kind = RPC_SERVER_STREAM},
	{0},
};

static void *worker_open(uv_loop_t *loop, unsigned index, void *ctx)
{
	(void)loop;
	(void)index;
	atomic_fetch_add(&seen.opened, 1);
	return ctx;
}

static void worker_close(void *ctx)
{
	(void)ctx;
	atomic_fetch_add(&seen.closed, 1);
}

static struct rpc_server *start_server(unsigned workers, const char *listen, struct err *err)
{
	static const struct rpc_method *const tables[] = {methods, NULL};
	struct rpc_options options = {
		.listen = listen,
		.workers = workers,
		.max_message_bytes = 2000,
		.max_calls = 20,
		.tables = tables,
		.worker_open = worker_open,
		.worker_close = worker_close,
		.still_admitted = still_admitted,
		.ctx = &seen,
	};

	return rpc_server_start(&options, err);
}

static int set_up(void **state)
{
	struct err err;

	(void)state;
	sem_init(&seen.held, 0, 0);
	sem_init(&seen.cancelled, 0, 0);
	sem_init(&seen.draining, 0, 0);
	seen.opened = seen.closed = 0;
	seen.expels = false;
	server = start_server(2, "127.0.0.1:0", &err);
	assert_non_null(server);
	client_init(&client, rpc_server_port(server));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	client_release(&client);
	rpc_server_stop(server, 5000000);
	assert_int_equal(seen.opened, 2);
	assert_int_equal(seen.closed, 2);
	return 0;
}

static void a_call_is_answered(void **state)
{
	struct client_call call;
	char large[2000];

	(void)state;
	assert_int_equal(client_unary(&client, &call, "/t.T/Echo", "hello"), GRPC_STATUS_OK);
	assert_string_equal(call.message, "hello");
	assert_int_equal(client_unary(&client, &call, "/t.T/Echo", ""), GRPC_STATUS_OK);
	assert_int_equal(call.message_len, 0);
	memset(large, 'x', sizeof(large));
	client_start(&client, &call, "/t.T/Echo", large, sizeof(large), 20000);
	client_finish(&call);
	assert_int_equal(call.status, GRPC_STATUS_OK);
	assert_int_equal(call.message_len, sizeof(large));
	assert_memory_equal(call.message, large, sizeof(large));
}

static void a_handler_sees_path_metadata_peer_and_deadline(void **state)
{
	struct client_call call;

	(void)state;
	assert_int_equal(client_unary(&client, &call, "/t.T/Tell", ""), GRPC_STATUS_OK);
	assert_string_equal(call.message, "/t.T/Tell Bearer key ipv4:127.0.0.1 deadline 10");
}

static void an_unknown_method_is_unimplemented(void **state)
{
	struct client_call call;

	(void)state;
	assert_int_equal(client_unary(&client, &call, "/t.T/Nope", "x"), GRPC_STATUS_UNIMPLEMENTED);
	assert_string_equal(call.text, "unknown method /t.T/Nope");
	/* More of them than slots: each is posted anew. */
	for (int i = 0; i < 50; i++)
		assert_int_equal(client_unary(&client, &call, "/u.U/Nope", "x"), GRPC_STATUS_UNIMPLEMENTED);
}

static void a_call_without_its_message_is_invalid(void **state)
{
	struct client_call call;

	(void)state;
	client_start(&client, &call, "/t.T/Echo", NULL, 0, 20000);
	client_finish(&call);
	assert_int_equal(call.status, GRPC_STATUS_INVALID_ARGUMENT);
	assert_string_equal(call.text, "the request message is missing or cut short");
}

static void a_message_above_the_limit_is_refused(void **state)
{
	struct client_call call;
	char large[2001] = {0};

	(void)state;
	client_start(&client, &call, "/t.T/Echo", large, sizeof(large), 20000);
	client_finish(&call);
	assert_int_equal(call.status, GRPC_STATUS_RESOURCE_EXHAUSTED);
}

static void an_error_carries_field_and_retry(void **state)
{
	struct client_call call;
	Google__Rpc__Status *status;
	Google__Rpc__BadRequest *bad;
	Google__Rpc__RetryInfo *retry;

	(void)state;
	assert_int_equal(client_unary(&client, &call, "/t.T/Fail", ""), GRPC_STATUS_INVALID_ARGUMENT);
	assert_string_equal(call.text, "items[3].user: is empty");
	status = google__rpc__status__unpack(NULL, call.trailer_len, (uint8_t *)call.trailer);
	assert_non_null(status);
	assert_int_equal(status->code, 3);
	assert_string_equal(status->message, call.text);
	assert_int_equal(status->n_details, 2);
	assert_string_equal(status->details[0]->type_url, "type.googleapis.com/google.rpc.BadRequest");
	bad = google__rpc__bad_request__unpack(NULL, status->details[0]->value.len, status->details[0]->value.data);
	assert_string_equal(bad->field_violations[0]->field, "items[3].user");
	assert_string_equal(bad->field_violations[0]->description, "is empty");
	assert_string_equal(status->details[1]->type_url, "type.googleapis.com/google.rpc.RetryInfo");
	retry = google__rpc__retry_info__unpack(NULL, status->details[1]->value.len, status->details[1]->value.data);
	assert_int_equal(retry->retry_delay->seconds, 1);
	assert_int_equal(retry->retry_delay->nanos, 500000000);
	google__rpc__bad_request__free_unpacked(bad, NULL);
	google__rpc__retry_info__free_unpacked(retry, NULL);
	google__rpc__status__free_unpacked(status, NULL);
}

static void a_deadline_ends_the_call_and_tells_the_handler(void **state)
{
	struct client_call call;

	(void)state;
	client_start(&client, &call, "/t.T/Hold", "x", 1, 100);
	sem_wait(&seen.held);
	client_finish(&call);
	assert_int_equal(call.status, GRPC_STATUS_DEADLINE_EXCEEDED);
	sem_wait(&seen.cancelled);
}

static void a_caller_who_leaves_is_noticed(void **state)
{
	struct client_call call;

	(void)state;
	client_start(&client, &call, "/t.T/Hold", "x", 1, -1);
	sem_wait(&seen.held);
	grpc_call_cancel(call.call, NULL);
	client_finish(&call);
	assert_int_equal(call.status, GRPC_STATUS_CANCELLED);
	sem_wait(&seen.cancelled);
}

static void held_calls_do_not_use_up_the_slots(void **state)
{
	struct client_call calls[19];
	struct client_call call;

	(void)state;
	for (size_t i = 0; i < 19; i++)
		client_start(&client, &calls[i], "/t.T/Hold", "x", 1, -1);
	for (size_t i = 0; i < 19; i++)
		sem_wait(&seen.held);
	assert_int_equal(client_unary(&client, &call, "/t.T/Echo", "x"), GRPC_STATUS_OK);
	for (size_t i = 0; i < 19; i++) {
		grpc_call_cancel(calls[i].call, NULL);
		client_finish(&calls[i]);
		sem_wait(&seen.cancelled);
	}
}

static void calls_above_the_bound_are_refused_not_kept(void **state)
{
	struct client_call calls[60];
	int refused = 0;
	int held = 0;

	(void)state;
	for (size_t i = 0; i < 60; i++)
		client_start(&client, &calls[i], "/t.T/Hold", "x", 1, -1);
	/* Two workers of 20: what is above is answered at once, so 40 are left at most. */
	for (int i = 0; i < 20; i++)
		sem_wait(&seen.held);
	for (size_t i = 0; i < 60; i++)
		grpc_call_cancel(calls[i].call, NULL);
	for (size_t i = 0; i < 60; i++) {
		client_finish(&calls[i]);
		if (calls[i].status == GRPC_STATUS_RESOURCE_EXHAUSTED)
			refused++;
		else
			held++;
	}
	assert_true(held >= 20);
	assert_int_equal(refused + held, 60);
}

static void a_stream_brings_its_messages_in_order(void **state)
{
	struct client_call call;
	char expected[16];

	(void)state;
	client_start_stream(&client, &call, "/t.T/Count", "100");
	for (int i = 0; i < 100; i++) {
		assert_true(client_next(&call));
		snprintf(expected, sizeof(expected), "%d", i);
		assert_string_equal(call.message, expected);
	}
	assert_false(client_next(&call));
	client_finish_stream(&call);
	assert_int_equal(call.status, GRPC_STATUS_OK);
}

static void a_stream_ended_during_a_write_still_brings_it(void **state)
{
	struct client_call call;

	(void)state;
	client_start_stream(&client, &call, "/t.T/Count", "-3");
	for (int i = 0; i < 3; i++)
		assert_true(client_next(&call));
	assert_false(client_next(&call));
	client_finish_stream(&call);
	assert_int_equal(call.status, GRPC_STATUS_OK);
}

static void a_stream_whose_reader_leaves_ends(void **state)
{
	struct client_call call;

	(void)state;
	client_start_stream(&client, &call, "/t.T/Count", "1000000000");
	assert_true(client_next(&call));
	grpc_call_cancel(call.call, NULL);
	client_finish_stream(&call);
	assert_int_equal(call.status, GRPC_STATUS_CANCELLED);
}

static void whoever_does_not_count_any_more_is_told_and_his_stream_ended_once(void **state)
{
	struct client_call idle[3], busy, held;

	(void)state;
	for (int i = 0; i < 3; i++)
		client_start_stream(&client, &idle[i], "/t.T/Linger", "");
	client_start_stream(&client, &busy, "/t.T/Linger", "on");
	client_start(&client, &held, "/t.T/Hold", "x", 1, -1);
	for (int i = 0; i < 5; i++)
		sem_wait(&seen.held);
	for (int i = 0; i < 3; i++)
		assert_true(client_next(&idle[i]));
	atomic_store(&seen.expels, true);
	while (client_next(&busy))
		;
	client_finish_stream(&busy);
	assert_int_equal(busy.status, GRPC_STATUS_UNAUTHENTICATED);
	for (int i = 0; i < 3; i++) {
		assert_false(client_next(&idle[i]));
		client_finish_stream(&idle[i]);
		assert_int_equal(idle[i].status, GRPC_STATUS_UNAUTHENTICATED);
		assert_string_equal(idle[i].text, "/t.T/Linger: no more");
	}
	for (int i = 0; i < 4; i++)
		sem_wait(&seen.cancelled);
	/* A unary call is not asked about: its handler owes it an answer soon anyway. */
	assert_int_equal(sem_trywait(&seen.cancelled), -1);
	grpc_call_cancel(held.call, NULL);
	client_finish(&held);
	sem_wait(&seen.cancelled);
}

static void *stop_now(void *drain_us)
{
	rpc_server_stop(server, *(int64_t *)drain_us);
	return NULL;
}

static void a_drain_lets_running_calls_end(void **state)
{
	int64_t drain_us = 20000000;
	struct client_call call;
	pthread_t thread;

	(void)state;
	client_start(&client, &call, "/t.T/UntilDrain", "x", 1, -1);
	sem_wait(&seen.held);
	assert_int_equal(pthread_create(&thread, NULL, stop_now, &drain_us), 0);
	client_finish(&call);
	assert_int_equal(call.status, GRPC_STATUS_OK);
	assert_string_equal(call.message, "drained");
	pthread_join(thread, NULL);
	sem_wait(&seen.draining);
	server = NULL;
}

static void after_the_drain_time_calls_are_cancelled(void **state)
{
	int64_t drain_us = 1000;
	struct client_call call;
	pthread_t thread;

	(void)state;
	client_start(&client, &call, "/t.T/Hold", "x", 1, -1);
	sem_wait(&seen.held);
	assert_int_equal(pthread_create(&thread, NULL, stop_now, &drain_us), 0);
	client_finish(&call);
	assert_true(call.status == GRPC_STATUS_UNAVAILABLE || call.status == GRPC_STATUS_CANCELLED);
	pthread_join(thread, NULL);
	sem_wait(&seen.cancelled);
	server = NULL;
}

static void *call_often(void *arg)
{
	struct client own;
	char text[32];

	client_init(&own, rpc_server_port(server));
	for (int i = 0; i < 200; i++) {
		struct client_call call;

		snprintf(text, sizeof(text), "%s %d", (char *)arg, i);
		assert_int_equal(client_unary(&own, &call, "/t.T/Echo", text), GRPC_STATUS_OK);
		assert_string_equal(call.message, text);
	}
	client_release(&own);
	return NULL;
}

static void many_callers_each_get_their_own_answer(void **state)
{
	int64_t before = metric_value(METRIC_grpc_calls_total, metrics_method("/t.T/Echo"), METRIC_CODE_OK);
	static char names[4][4] = {"a", "b", "c", "d"};
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, call_often, names[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(
		metric_value(METRIC_grpc_calls_total, metrics_method("/t.T/Echo"), METRIC_CODE_OK), before + 800);
}

static void a_taken_port_is_an_error_with_a_sentence(void **state)
{
	char listen[32];
	struct err err;

	(void)state;
	snprintf(listen, sizeof(listen), "127.0.0.1:%d", rpc_server_port(server));
	assert_null(start_server(2, listen, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_non_null(strstr(err.text, listen));
}

static void a_method_twice_in_the_tables_is_an_error(void **state)
{
	static const struct rpc_method *const tables[] = {methods, methods, NULL};
	struct rpc_options options = {.listen = "127.0.0.1:0", .workers = 1, .max_message_bytes = 99, .tables = tables};
	struct err err;

	(void)state;
	assert_null(rpc_server_start(&options, &err));
	assert_string_equal(err.text, "the method /t.T/Echo is registered twice");
}

static void loopback_addresses_are_known(void **state)
{
	(void)state;
	assert_true(rpc_address_is_loopback("127.0.0.1:1"));
	assert_true(rpc_address_is_loopback("127.9.9.9:1"));
	assert_true(rpc_address_is_loopback("[::1]:1"));
	assert_true(rpc_address_is_loopback("localhost:1"));
	assert_true(rpc_address_is_loopback("unix:/tmp/x"));
	assert_false(rpc_address_is_loopback("0.0.0.0:1"));
	assert_false(rpc_address_is_loopback("[::]:1"));
	assert_false(rpc_address_is_loopback("10.0.0.1:1"));
	assert_false(rpc_address_is_loopback("127.0.0.1.evil.example:1"));
	assert_false(rpc_address_is_loopback("128.0.0.1:1"));
	assert_false(rpc_address_is_loopback(":1"));
	assert_false(rpc_address_is_loopback("1"));
}

#define SERVED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED(a_call_is_answered),
		SERVED(a_handler_sees_path_metadata_peer_and_deadline),
		SERVED(an_unknown_method_is_unimplemented),
		SERVED(a_call_without_its_message_is_invalid),
		SERVED(a_message_above_the_limit_is_refused),
		SERVED(an_error_carries_field_and_retry),
		SERVED(a_deadline_ends_the_call_and_tells_the_handler),
		SERVED(a_caller_who_leaves_is_noticed),
		SERVED(held_calls_do_not_use_up_the_slots),
		SERVED(calls_above_the_bound_are_refused_not_kept),
		SERVED(a_stream_brings_its_messages_in_order),
		SERVED(a_stream_ended_during_a_write_still_brings_it),
		SERVED(a_stream_whose_reader_leaves_ends),
		SERVED(whoever_does_not_count_any_more_is_told_and_his_stream_ended_once),
		SERVED(a_drain_lets_running_calls_end),
		SERVED(after_the_drain_time_calls_are_cancelled),
		SERVED(many_callers_each_get_their_own_answer),
		SERVED(a_taken_port_is_an_error_with_a_sentence),
		cmocka_unit_test(a_method_twice_in_the_tables_is_an_error),
		cmocka_unit_test(loopback_addresses_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
