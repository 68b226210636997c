/*
 * Calls at a given rate, whether or not the ones before have been answered (open loop), to a gRPC server or to a Redis.
 * Latency counts from when a call was due: a server that stalls, or a generator that is late, cannot hide it. Prints one
 * JSON object.
 */
#include <inttypes.h>
#include <popt.h>
#include <stdlib.h>
#include <string.h>

#include "drive.h"

struct options {
	char *address, *method, *tenant, *redis, *command, *log;
	long long calls, connections, users, first_user, first, in_flight, seed;
	double rate;
	int poisson;
};

static bool check_options(const struct options *options, struct err *err)
{
	if ((options->address == NULL) == (options->redis == NULL))
		return err_set(err, ERR_INVALID, "either --addr or --redis is needed");
	if (options->redis != NULL && options->command == NULL)
		return err_set(err, ERR_INVALID, "--redis: --command is needed with it");
	if (options->method != NULL && strcmp(options->method, "check") != 0 && strcmp(options->method, "echo") != 0)
		return err_set(err, ERR_INVALID, "--method: check or echo");
	if (options->calls < 1 || options->users < 1 || options->in_flight < 1)
		return err_set(err, ERR_INVALID, "--calls, --users and --in-flight: at least 1");
	if (options->connections < 1 || options->connections > TARGET_FDS_MAX)
		return err_set(err, ERR_INVALID, "--connections: 1 to %d", TARGET_FDS_MAX);
	if (options->rate < 0 || options->rate > 1e6)
		return err_set(err, ERR_INVALID, "--rate: 0 (closed loop) to 1000000");
	return true;
}

static bool read_options(int argc, const char **argv, struct options *options, struct err *err)
{
	struct poptOption table[] = {
		{"addr", 0, POPT_ARG_STRING, &options->address, 0, "a gRPC server", "HOST:PORT"},
		{"method", 0, POPT_ARG_STRING, &options->method, 0, "check, or echo of tests/bench/echo_server.c",
			"METHOD"},
		{"connections", 0, POPT_ARG_LONGLONG, &options->connections, 0, "how many; calls take them in turn",
			"N"},
		{"tenant", 0, POPT_ARG_STRING, &options->tenant, 0, "tenant of the checks", "ID"},
		{"users", 0, POPT_ARG_LONGLONG, &options->users, 0, "checks of so many users in turn", "N"},
		{"first-user", 0, POPT_ARG_LONGLONG, &options->first_user, 0, "number of the first user", "N"},
		{"redis", 0, POPT_ARG_STRING, &options->redis, 0, "a Redis", "SOCKET"},
		{"command", 0, POPT_ARG_STRING, &options->command, 0,
			"its command as the protocol has it; 000000000000 becomes the number of the call", "FILE"},
		{"first", 0, POPT_ARG_LONGLONG, &options->first, 0, "number of the first command", "N"},
		{"calls", 0, POPT_ARG_LONGLONG, &options->calls, 0, "how many", "N"},
		{"rate", 0, POPT_ARG_DOUBLE, &options->rate, 0, "calls a second; without it a closed loop", "N"},
		{"poisson", 0, POPT_ARG_NONE, &options->poisson, 0, "at random instead of equal gaps", NULL},
		{"seed", 0, POPT_ARG_LONGLONG, &options->seed, 0, "of the random gaps", "N"},
		{"in-flight", 0, POPT_ARG_LONGLONG, &options->in_flight, 0, "closed loop: at the same time", "N"},
		{"log", 0, POPT_ARG_STRING, &options->log, 0, "write a line for each call", "FILE"},
		POPT_AUTOHELP POPT_TABLEEND,
	};
	poptContext context = poptGetContext("open_loop", argc, argv, table, 0);
	int parsed = poptGetNextOpt(context);
	bool ok = parsed == -1;

	if (!ok)
		err_set(err, ERR_INVALID, "%s: %s", poptBadOption(context, 0), poptStrerror(parsed));
	poptFreeContext(context);
	return ok && check_options(options, err);
}

static void release_options(struct options *options)
{
	char *const texts[] = {
		options->address, options->method, options->tenant, options->redis, options->command, options->log};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
}

static struct target *connect_target(const struct options *options, struct calls *calls, struct err *err)
{
	struct grpc_target_options grpc = {.address = options->address,
		.method = options->method != NULL && strcmp(options->method, "echo") == 0 ? METHOD_ECHO : METHOD_CHECK,
		.connections = (size_t)options->connections,
		.tenant = options->tenant != NULL ? options->tenant : "",
		.key = getenv("BURSAR_KEY"),
		.users = options->users,
		.first_user = options->first_user};

	if (options->redis != NULL)
		return redis_target_new(options->redis, options->command, options->first, calls, err);
	return grpc_target_new(&grpc, calls, err);
}

static bool run(const struct options *options, struct calls *calls, struct err *err)
{
	struct arrivals arrivals = {
		.rate = options->rate, .poisson = options->poisson != 0, .seed = (uint64_t)options->seed};
	struct target *target = connect_target(options, calls, err);
	bool ok = target != NULL && drive(target, &arrivals, options->in_flight, err);

	if (target != NULL)
		target->ops->free(target);
	return ok && (options->log == NULL || calls_write(calls, options->log, err));
}

int main(int argc, const char **argv)
{
	struct options options = {.calls = 10000, .connections = 1, .users = 1000, .in_flight = 64, .seed = 1};
	struct calls calls = {0};
	struct err err;
	bool ok = read_options(argc, argv, &options, &err);

	if (ok) {
		calls_init(&calls, options.calls);
		ok = run(&options, &calls, &err);
	}
	if (ok)
		calls_print(&calls, stdout);
	else
		fprintf(stderr, "open_loop: %s\n", err.text);
	if (ok && calls.of[OUTCOME_FAILED] > 0)
		fprintf(stderr, "open_loop: %s\n", calls.failure);
	ok = ok && calls.of[OUTCOME_FAILED] == 0;
	calls_release(&calls);
	release_options(&options);
	return !ok;
}
