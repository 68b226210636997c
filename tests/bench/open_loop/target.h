/* What calls are sent to: a gRPC server or a Redis. The loop (drive.h) knows no more of it than this. */
#ifndef BENCH_TARGET_H
#define BENCH_TARGET_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "calls.h"

#define TARGET_FDS_MAX 64

struct target;

struct target_ops {
	/* Queues the request of a call, which the target finishes (calls_finish) once it has been answered. */
	bool (*submit)(struct target *target, struct call *call, struct err *err);
	/* Writes what has been queued, as much as the sockets take. */
	bool (*flush)(struct target *target, struct err *err);
	/* Fills what to wait for, at most TARGET_FDS_MAX, and returns how many. */
	size_t (*wants)(struct target *target, struct pollfd *fds);
	/* Reads what has come on the socket that `wants` put at `index`. */
	bool (*receive)(struct target *target, size_t index, struct err *err);
	void (*free)(struct target *target);
};

struct target {
	const struct target_ops *ops;
	struct calls *calls;
};

enum grpc_method {
	METHOD_CHECK, /* of users in turn: allowed or denied */
	METHOD_ECHO, /* tests/bench/echo_server.c: must be answered by the request itself */
};

struct grpc_target_options {
	const char *address; /* HOST:PORT, an IPv4 address */
	enum grpc_method method;
	size_t connections; /* 1 .. TARGET_FDS_MAX; calls take them in turn */
	const char *tenant;
	const char *key; /* NULL or a secret of an API key */
	int64_t users, first_user;
};

/* Connects to a gRPC server without TLS, by HTTP/2 of nghttp2. NULL when that fails. */
struct target *grpc_target_new(const struct grpc_target_options *options, struct calls *calls, struct err *err);

/*
 * Connects to a Redis. `command_file` has the bytes of one command as the protocol has them. Wherever they have twelve
 * zeros, each call has a number of its own instead, from `first` on. NULL when that fails.
 */
struct target *redis_target_new(
	const char *socket, const char *command_file, int64_t first, struct calls *calls, struct err *err);

#endif
