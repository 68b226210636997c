/*
 * A worker (rpc/internal.h): a loop thread that runs handlers and starts all batches, and a queue thread that only
 * waits for gRPC and passes finished tags to the loop.
 */
#include "rpc/internal.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include "base/observe/log.h"

/* How many times per loop turn the inbox is re-checked before sockets and timers get their turn. */
enum { ROUNDS_MAX = 4 };

/* From CROWD open calls on, the queue thread gathers events for NAP_NS. The kernel adds its timer slack of 50 us. */
enum { CROWD = 16, NAP_NS = 50000 };

/*
 * With many open calls, waiting in gRPC for every single event costs more than anything else: each arrival and each
 * answer wakes this thread, at the price of system calls in both threads. A nap gathers events, because gRPC makes no
 * wake-up while nobody waits. The nap is short compared to what such a crowd waits for anyway, and a quiet server never
 * naps.
 */
static gpr_timespec patience(struct rpc_worker *worker, bool found)
{
	static const struct timespec nap = {.tv_nsec = NAP_NS};

	if (atomic_load_explicit(&worker->active_count, memory_order_relaxed) < CROWD)
		return gpr_inf_future(GPR_CLOCK_REALTIME);
	if (found)
		return gpr_time_0(GPR_CLOCK_REALTIME);
	nanosleep(&nap, NULL);
	return gpr_inf_future(GPR_CLOCK_REALTIME);
}

static void *queue_run(void *arg)
{
	struct rpc_worker *worker = arg;
	bool found = false;

	for (;;) {
		grpc_event event = grpc_completion_queue_next(worker->queue, patience(worker, found), NULL);
		struct tag *tag = event.tag;

		found = event.type == GRPC_OP_COMPLETE;
		if (event.type == GRPC_QUEUE_SHUTDOWN)
			break;
		if (!found)
			continue;
		tag_return(tag);
		tag->ok = event.success;
		worker_hand_over(worker, tag);
	}
	worker_hand_over(worker, &worker->queue_ended);
	return NULL;
}

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

static void on_queue_ended(struct tag *tag, bool ok)
{
	struct rpc_worker *worker = container_of(tag, struct rpc_worker, queue_ended);

	(void)ok;
	pthread_join(worker->queue_thread, NULL);
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
	worker->slots = mem_zalloc(worker->server->method_count, 1);
	for (size_t i = 0; i < worker->server->method_count; i++) {
		worker->slots[i] = 1;
		worker_post(worker, &worker->server->methods[i]);
	}
	/*
	 * After worker_open, because libuv runs the last-started handle first: the stores' own handles then send what
	 * this turn's calls asked for.
	 */
	uv_prepare_start(&worker->before_wait, before_wait);
	uv_check_start(&worker->after_wait, after_wait);
	uv_run(&worker->loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&worker->loop) != 0)
		log_error("a worker's loop ended with open handles", FI("worker", worker->index));
	core_free_unused(worker);
	arena_spare_release(&worker->spare);
	free(worker->slots);
	return NULL;
}

static void thread_start(pthread_t *thread, void *(*run)(void *), struct rpc_worker *worker, const char *name)
{
	int error = pthread_create(thread, NULL, run, worker);

	if (error)
		mem_exhausted(0);
	pthread_setname_np(*thread, name);
}

void worker_start(struct rpc_worker *worker)
{
	list_init(&worker->active);
	worker->drain.done = on_drain;
	worker->refuse.done = on_refuse;
	worker->close.done = on_close;
	worker->queue_ended.done = on_queue_ended;
	if (uv_loop_init(&worker->loop) != 0 || uv_async_init(&worker->loop, &worker->wake, on_wake) != 0)
		mem_exhausted(sizeof(worker->loop));
	uv_timer_init(&worker->loop, &worker->recheck);
	unsent_start(worker);
	uv_prepare_init(&worker->loop, &worker->before_wait);
	uv_check_init(&worker->loop, &worker->after_wait);
	thread_start(&worker->loop_thread, loop_run, worker, "bursar-loop");
	thread_start(&worker->queue_thread, queue_run, worker, "bursar-grpc");
}
