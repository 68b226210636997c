/*
 * The baseline: bursard's gRPC layer with handlers that do nothing. Check returns a fixed answer of the usual size, so
 * that the same load can be put on both; Echo returns what it received.
 *
 * echo_server ADDRESS [WORKERS]
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/observe/log.h"
#include "bursar/v1/limiter.pb-c.h"
#include "rpc/message.h"
#include "rpc/server.h"

static uint8_t answer[256];
static size_t answer_len;

static void make_answer(void)
{
	static char id[] = "01JD9V7M2Q4Z8T6R5W3X1Y0ABC";
	static char handle[] = "v1.ZGVmYXVsdC91c2VyLTEyMy8wMUpEOVY3TTJRNFo4VDZSNVczWDFZMEFCQw";
	static char tier[] = "free";
	Bursar__V1__CheckResponse response = BURSAR__V1__CHECK_RESPONSE__INIT;

	response.allowed = 1;
	response.request_id = id;
	response.reservation = handle;
	response.started_at_us = INT64_C(1764000000000000);
	response.expires_at_us = INT64_C(1764000900000000);
	response.tier = tier;
	response.held_tokens = 1500;
	answer_len = bursar__v1__check_response__pack(&response, answer);
}

static void check(struct call *call, void *ctx)
{
	(void)ctx;
	call_reply(call, answer, answer_len);
}

static void echo(struct call *call, void *ctx)
{
	size_t len;
	const uint8_t *bytes = call_request(call, &len);

	(void)ctx;
	call_reply(call, bytes, len);
}

int main(int argc, char **argv)
{
	static const struct rpc_method methods[] = {
		{.path = "/bursar.v1.Limiter/Check", .handle = check, .kind = RPC_UNARY},
		{.path = "/bursar.bench.Floor/Echo", .handle = echo, .kind = RPC_UNARY},
		{0},
	};
	static const struct rpc_method *const tables[] = {methods, NULL};
	struct rpc_options options = {.workers = 1, .max_message_bytes = 1 << 20, .tables = tables};
	struct rpc_server *server;
	struct err err;
	sigset_t stop;
	int signal;

	if (argc < 2) {
		fprintf(stderr, "usage: echo_server ADDRESS [WORKERS]\n");
		return 2;
	}
	options.listen = argv[1];
	if (argc > 2 && atoi(argv[2]) > 0)
		options.workers = (unsigned)atoi(argv[2]);
	make_answer();
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	server = rpc_server_start(&options, &err);
	if (!server) {
		fprintf(stderr, "echo_server: %s\n", err.text);
		return 1;
	}
	printf("%d\n", rpc_server_port(server));
	fflush(stdout);
	sigwait(&stop, &signal);
	rpc_server_stop(server, &(struct rpc_stop){0});
	return 0;
}
