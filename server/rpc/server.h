/* The gRPC server: each worker has one thread with a libuv loop, and with gRPC core a second one that waits for it. */
#ifndef BURSAR_RPC_SERVER_H
#define BURSAR_RPC_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "rpc/call.h"
#include "rpc/tls/pem.h"

struct rpc_server;
struct rpc_transport;

struct rpc_options {
	const struct rpc_transport *transport; /* what brings the calls. NULL: gRPC core */
	const char *listen; /* "127.0.0.1:7420", "[::1]:0" (any free port), "unix:/path" */
	struct rpc_tls tls; /* without a certificate, connections are not encrypted */
	unsigned workers; /* 1 or more */
	size_t max_message_bytes; /* larger requests are refused with RESOURCE_EXHAUSTED */
	size_t max_calls; /* unanswered calls per worker; further ones are refused in the same way. 0: 10,000 */
	int64_t answer_timeout_us; /* how long callers may take to receive an answer or stream message. 0: forever */
	bool reuse_port; /* allows several processes on one port */
	/* The method tables: each ends with a row without path, their list with NULL. Borrowed until the stop. */
	const struct rpc_method *const *tables;

	/*
	 * Both run on the worker's loop thread. worker_open runs before the worker's first call and returns the `ctx`
	 * of its handlers; its handles belong to `loop`. It cannot fail: anything unavailable is waited for while
	 * serving. worker_close runs after the last call and closes all its handles on the loop (closing may take
	 * several loop turns; the thread ends when no handle is left). Either may be NULL.
	 */
	void *(*worker_open)(uv_loop_t *loop, unsigned index, void *ctx);
	void (*worker_close)(void *worker_ctx);
	/*
	 * Runs before every handler, with the worker's ctx. False: it refused, and has failed the call itself. NULL:
	 * anyone may call every method.
	 */
	bool (*admit)(struct call *call, void *worker_ctx);
	/*
	 * Runs every 100 ms for every open stream. False with `err` set: the caller is no longer admitted, and the
	 * stream ends with that error. NULL: callers stay admitted.
	 */
	bool (*still_admitted)(struct call *call, void *worker_ctx, struct err *err);
	void *ctx;
};

/* Binds and serves; NULL with `err` set when the address or a method table is unusable. */
struct rpc_server *rpc_server_start(const struct rpc_options *options, struct err *err);

/* The bound TCP port; 0 for a unix socket. */
int rpc_server_port(const struct rpc_server *server);

/* For other carriers: the method with that path, NULL when there is none; and one of the workers, by any number. */
struct method;
struct rpc_worker;
const struct method *rpc_server_method(const struct rpc_server *server, const char *path);
struct rpc_worker *rpc_server_worker(const struct rpc_server *server, unsigned number);

struct rpc_stop {
	int64_t lame_duck_us; /* first: health says NOT_SERVING and streams are told to leave; other calls are served as before */
	int64_t drain_us; /* then: no new connections; running calls may finish, and the last to arrive are refused */
	const atomic_bool *hurry; /* cuts both times short when it becomes true. NULL: never */
	void (*detach)(void *ctx); /* then: other carriers give their last calls to the workers. NULL: there are none */
	void *ctx;
};

/*
 * Stops and frees the server; blocks. Call it from the thread that started the server. Calls that are refused, or still
 * running at the end, end with UNAVAILABLE for their callers (their handlers must still answer and are waited for).
 * NULL is fine.
 */
void rpc_server_stop(struct rpc_server *server, const struct rpc_stop *how);

#endif
