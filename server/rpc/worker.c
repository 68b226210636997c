/* A worker (rpc/internal.h): a thread with a loop, which runs handlers. */
#include "rpc/internal.h"

#include "base/observe/log.h"

/* How many times per loop turn the inbox is re-checked before sockets and timers get their turn. */
enum { ROUNDS_MAX = 4 };

/* Empty: the wake-up only has to start a loop turn, which ends with before_wait. */
static void on_wake(uv_async_t *wake)
{
	(void)wake;
}

static void inbox_handle(struct rpc_worker *worker)
{
	struct tag *tag = inbox_take(&worker->inbox);

	while (tag) {
		struct tag *next = tag->next;

		tag->done(tag, tag->ok);
		tag = next;
	}
	unsent_strip(worker);
}

/* Handles calls once per loop turn: after the stores' answers have arrived, before requests to the stores are sent. */
static void before_wait(uv_prepare_t *prepare)
{
	struct rpc_worker *worker = container_of(prepare, struct rpc_worker, before_wait);

	for (int round = 0; round < ROUNDS_MAX; round++) {
		inbox_handle(worker);
		atomic_store(&worker->awake, false);
		if (!inbox_waits(&worker->inbox))
			return;
		atomic_store(&worker->awake, true);
	}
	atomic_store(&worker->awake, false);
	uv_async_send(&worker->wake);
}

static void after_wait(uv_check_t *check)
{
	atomic_store(&container_of(check, struct rpc_worker, after_wait)->awake, true);
}

static void on_drain(struct tag *tag, bool ok)
{
	struct rpc_worker *worker = container_of(tag, struct rpc_worker, drain);

	(void)ok;
	worker->draining = true;
	list_each (&worker->active, at, after) {
		struct call *call = container_of(at, struct call, link);

		if (call->on_drain && !call->answered)
			call->on_drain(call, call->drain_ctx);
	}
}

static void on_refuse(struct tag *tag, bool ok)
{
	struct rpc_worker *worker = container_of(tag, struct rpc_worker, refuse);

	(void)ok;
	list_each (&worker->active, at, after) {
		container_of(at, struct call, link)->awaited = true;
		atomic_fetch_add(&worker->running, 1);
	}
	/* Last, because a thread that sees `refusing` relies on `running`. */
	atomic_store(&worker->refusing, true);
}

static void on_close(struct tag *tag, bool ok)
{
	struct rpc_worker *worker = container_of(tag, struct rpc_worker, close);

	(void)ok;
	worker->closing = true;
	worker_try_shut(worker);
}

void worker_closed(struct rpc_worker *worker)
{
	if (worker->server->options.worker_close)
		worker->server->options.worker_close(worker->ctx);
	uv_close((uv_handle_t *)&worker->wake, NULL);
	uv_close((uv_handle_t *)&worker->recheck, NULL);
	uv_close((uv_handle_t *)&worker->unsent_tick, NULL);
	uv_close((uv_handle_t *)&worker->before_wait, NULL);
	uv_close((uv_handle_t *)&worker->after_wait, NULL);
}

static void *loop_run(void *arg)
{
	struct rpc_worker *worker = arg;
	const struct rpc_options *options = &worker->server->options;

	if (options->worker_open)
		worker->ctx = options->worker_open(&worker->loop, worker->index, options->ctx);
	worker->server->transport->worker_open(worker);
	/*
	 * Last, because libuv runs the last-started handle first: the transport then sends what this turn's calls
	 * answered, and the stores' own handles what they asked for.
	 */
	uv_prepare_start(&worker->before_wait, before_wait);
	uv_check_start(&worker->after_wait, after_wait);
	uv_run(&worker->loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&worker->loop) != 0)
		log_error("a worker's loop ended with open handles", FI("worker", worker->index));
	worker->server->transport->worker_release(worker);
	arena_spare_release(&worker->spare);
	return NULL;
}

void worker_start(struct rpc_worker *worker)
{
	list_init(&worker->active);
	worker->drain.done = on_drain;
	worker->refuse.done = on_refuse;
	worker->close.done = on_close;
	if (uv_loop_init(&worker->loop) != 0 || uv_async_init(&worker->loop, &worker->wake, on_wake) != 0)
		mem_exhausted(sizeof(worker->loop));
	uv_timer_init(&worker->loop, &worker->recheck);
	unsent_start(worker);
	uv_prepare_init(&worker->loop, &worker->before_wait);
	uv_check_init(&worker->loop, &worker->after_wait);
	if (pthread_create(&worker->thread, NULL, loop_run, worker))
		mem_exhausted(0);
	pthread_setname_np(worker->thread, "bursar-loop");
}
