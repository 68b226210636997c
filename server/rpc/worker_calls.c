/* What calls ask of their worker, whatever carries them. */
#include "rpc/internal.h"

enum { RECHECK_MS = 100 };

void worker_hand_over(struct rpc_worker *worker, struct tag *tag)
{
	/*
	 * This thread pushes and then reads `awake`; the loop clears `awake` and then checks the inbox. Whatever the
	 * interleaving, at least one of them sees the other.
	 */
	if (inbox_push(&worker->inbox, tag) && !atomic_load(&worker->awake))
		uv_async_send(&worker->wake);
}

uv_loop_t *worker_loop(struct rpc_worker *worker)
{
	return &worker->loop;
}

struct arena_spare *worker_spare(struct rpc_worker *worker)
{
	return &worker->spare;
}

void worker_try_shut(struct rpc_worker *worker)
{
	const struct rpc_transport *transport = worker->server->transport;

	if (!worker->closing || worker->shut || worker->active_count > 0 || !transport->worker_idle(worker))
		return;
	worker->shut = true;
	transport->worker_close(worker);
}

static void on_recheck(uv_timer_t *timer)
{
	struct rpc_worker *worker = container_of(timer, struct rpc_worker, recheck);
	struct err why;

	list_each (&worker->active, at, after) {
		struct call *call = container_of(at, struct call, link);
		struct trace *outer = trace_enter(call->trace);

		if (call->method->row->kind != RPC_UNARY && !call->answered &&
			!worker->server->options.still_admitted(call, worker->ctx, &why))
			call_expel(call, &why);
		trace_leave(outer);
	}
}

void worker_stream_opened(struct rpc_worker *worker)
{
	if (atomic_fetch_add(&worker->streams, 1) == 0 && worker->server->options.still_admitted)
		uv_timer_start(&worker->recheck, on_recheck, RECHECK_MS, RECHECK_MS);
}

void worker_stream_ended(struct rpc_worker *worker)
{
	if (atomic_fetch_sub(&worker->streams, 1) == 1)
		uv_timer_stop(&worker->recheck);
}
