/* Private to server/rpc: what its files share, whatever brings the calls. */
#ifndef BURSAR_RPC_INTERNAL_H
#define BURSAR_RPC_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "base/list.h"
#include "rpc/carrier.h"
#include "rpc/server.h"
#include "rpc/transport.h"

struct rpc_worker {
	struct rpc_server *server;
	unsigned index;
	pthread_t thread;
	uv_loop_t loop;
	uv_async_t wake;
	uv_prepare_t before_wait;
	uv_timer_t recheck; /* active while streams are open */
	/* The loop thread writes these three; the stopping thread reads them. */
	atomic_size_t streams; /* open ones */
	atomic_bool refusing; /* handlers receive no more calls */
	atomic_size_t running; /* calls that handlers received before `refusing` and that are not released yet */
	uv_check_t after_wait;
	atomic_bool awake; /* the loop will check the inbox before it waits again, so it needs no wake-up */
	struct inbox inbox;
	struct list active;
	struct list unsent_small, unsent_large; /* calls, longest-waiting first */
	size_t unsent_bytes; /* sum over unsent_large */
	uv_timer_t unsent_tick;
	struct list answered; /* calls of which everything but the answer awaits being freed */
	atomic_size_t active_count; /* written by the loop thread; other threads read it */
	struct arena_spare spare; /* of the calls' arenas */
	void *ctx;
	bool draining;
	bool closing;
	bool shut;
	struct tag drain;
	struct tag refuse;
	struct tag close;
};

struct rpc_server {
	struct rpc_options options;
	const struct rpc_transport *transport;
	int port;
	struct method *methods; /* those in the tables, then the one for unknown methods */
	const struct method **sorted; /* the methods by path */
	size_t method_count;
	struct rpc_worker **workers;
};

/* Sets up the loop and starts the thread. */
void worker_start(struct rpc_worker *worker);
/* The transport has closed what belonged to the worker: its thread ends. */
void worker_closed(struct rpc_worker *worker);

/* Counts the open streams; while there are any, still_admitted runs periodically for each. */
void worker_stream_opened(struct rpc_worker *worker);
void worker_stream_ended(struct rpc_worker *worker);

/* Of a worker: the bounds on answers that are not taken, and what it frees of answered calls (rpc/carrier.h). */
void unsent_start(struct rpc_worker *worker);
void unsent_strip(struct rpc_worker *worker);

/* The last step, when no thread is left. */
void server_free(struct rpc_server *server);

#endif
