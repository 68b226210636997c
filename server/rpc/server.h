/* The gRPC server: workers, each one libuv loop in a thread of its own beside one completion-queue thread. */
#ifndef BURSAR_RPC_SERVER_H
#define BURSAR_RPC_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "rpc/call.h"
#include "rpc/tls.h"

struct rpc_server;

struct rpc_options {
	const char *listen; /* "127.0.0.1:7420", "[::1]:0" (any free port), "unix:/path" */
	struct rpc_tls tls; /* without a certificate it is served in the clear */
	unsigned workers; /* 1 or more */
	size_t max_message_bytes; /* larger requests are refused with RESOURCE_EXHAUSTED */
	size_t max_calls; /* unanswered calls a worker holds; more are refused likewise. 0: 10,000 */
	int64_t answer_timeout_us; /* callers have to take an answer, or a message of a stream, in this time. 0: for ever */
	bool reuse_port; /* several processes on one port */
	/* The tables of methods: each ends with a row without path, the list of tables with NULL. Borrowed until the stop. */
	const struct rpc_method *const *tables;

	/*
	 * Both run on the worker's loop thread. worker_open comes before its first call and returns the `ctx` of its
	 * handlers; its handles belong to `loop`. It cannot fail: what is not there yet is waited for while serving.
	 * worker_close comes after its last call: it closes every handle it has on the loop (closing may take loop turns;
	 * the thread ends when none is left). Either may be NULL.
	 */
	void *(*worker_open)(uv_loop_t *loop, unsigned index, void *ctx);
	void (*worker_close)(void *worker_ctx);
	/*
	 * Runs before the handler of every method, with the worker's ctx. False: it has failed the call itself. NULL: everybody
	 * may call everything.
	 */
	bool (*admit)(struct call *call, void *worker_ctx);
	/*
	 * Runs every 100 ms for every open stream. False, with `err` set: its caller is not to be served any more, and the stream
	 * ends with that. NULL: once let in, let in for good.
	 */
	bool (*still_admitted)(struct call *call, void *worker_ctx, struct err *err);
	void *ctx;
};

/* Binds and serves; returns NULL with `err` set when the address is unusable or the table of methods is not. */
struct rpc_server *rpc_server_start(const struct rpc_options *options, struct err *err);

/* The TCP port that was bound; 0 for a unix socket. */
int rpc_server_port(const struct rpc_server *server);

struct rpc_stop {
	int64_t lame_duck_us; /* health says NOT_SERVING and streams are told to go; all else is served as before */
	int64_t drain_us; /* then nobody can connect any more, and what is running may end; calls that come last are refused */
	const atomic_bool *hurry; /* becomes true: both times are over. NULL: never */
};

/*
 * Stops and frees it, from the thread that started it; blocks meanwhile. All ends with UNAVAILABLE for its caller that is refused, or
 * still runs in the end (its handler owes an answer all the same and is waited for). A server that is NULL is fine.
 */
void rpc_server_stop(struct rpc_server *server, const struct rpc_stop *how);

/* True for an address that only this machine reaches: 127.0.0.0/8, ::1, localhost, unix:. */
bool rpc_address_is_loopback(const char *listen);

#endif
