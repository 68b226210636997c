/*
 * gRPC core's part of a worker: a second thread that only waits for gRPC and passes finished tags to the loop, which
 * starts all batches.
 */
#include <stdlib.h>
#include <time.h>

#include "rpc/core.h"

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
	struct core_worker *core = arg;
	bool found = false;

	for (;;) {
		grpc_event event = grpc_completion_queue_next(core->queue, patience(&core->worker, found), NULL);
		struct tag *tag = event.tag;

		found = event.type == GRPC_OP_COMPLETE;
		if (event.type == GRPC_QUEUE_SHUTDOWN)
			break;
		if (!found)
			continue;
		tag_return(tag);
		tag->ok = event.success;
		worker_hand_over(&core->worker, tag);
	}
	worker_hand_over(&core->worker, &core->queue_ended);
	return NULL;
}

static void on_queue_ended(struct tag *tag, bool ok)
{
	struct core_worker *core = container_of(tag, struct core_worker, queue_ended);

	(void)ok;
	pthread_join(core->queue_thread, NULL);
	worker_closed(&core->worker);
}

void core_worker_open(struct rpc_worker *worker)
{
	struct core_worker *core = core_worker_of(worker);
	const struct rpc_server *server = worker->server;

	core->queue_ended.done = on_queue_ended;
	core->slots = mem_zalloc(server->method_count, 1);
	for (size_t i = 0; i < server->method_count; i++) {
		core->slots[i] = 1;
		core_post(core, &server->methods[i]);
	}
	if (pthread_create(&core->queue_thread, NULL, queue_run, core))
		mem_exhausted(0);
	pthread_setname_np(core->queue_thread, "bursar-grpc");
}

bool core_worker_idle(const struct rpc_worker *worker)
{
	return core_worker_of(worker)->posted == 0;
}

void core_worker_close(struct rpc_worker *worker)
{
	grpc_completion_queue_shutdown(core_worker_of(worker)->queue);
}

void core_worker_release(struct rpc_worker *worker)
{
	core_free_unused(core_worker_of(worker));
	free(core_worker_of(worker)->slots);
}
