/*
 * Answers that wait for their callers (rpc/internal.h). The answer to a caller that does not read stays in memory, so
 * waiting answers have two bounds: a time and, for large ones, a total size, above which the longest-waiting are
 * dropped. Small ones are bounded by the number of calls.
 */
#include "rpc/internal.h"

#include "base/clock.h"
#include "base/observe/metrics.h"

enum { LARGE = 4 << 10, TICK_MIN_MS = 10, TICK_MAX_MS = 1000 };
#define LARGE_MAX ((size_t)64 << 20) /* docs/security.md relies on this number */

/* A smaller payload is not worth freeing early. */
enum { PAYLOAD_SMALL = 4096 };

static struct core_call *oldest(struct list *list)
{
	return list_empty(list) ? NULL : container_of(list->next, struct core_call, unsent);
}

void unsent_done(struct core_call *core)
{
	struct rpc_worker *worker = core->call.worker;

	list_remove(&core->unsent);
	worker->unsent_bytes -= core->unsent_bytes;
	core->unsent_bytes = 0;
}

/*
 * Makes gRPC drop the answer and send a status instead, which needs no flow-control window. To a stream's handler, its
 * caller leaves.
 */
static void drop(struct core_call *core, unsigned why, const char *text)
{
	unsent_done(core);
	metric_inc(METRIC_answers_dropped_total, why, 0);
	grpc_call_cancel_with_status(core->grpc, GRPC_STATUS_RESOURCE_EXHAUSTED, text, NULL);
}

void unsent_begin(struct core_call *core, size_t bytes)
{
	struct rpc_worker *worker = core->call.worker;
	struct core_call *first;

	core->unsent_since_us = clock_mono_us();
	list_push_back(bytes < LARGE ? &worker->unsent_small : &worker->unsent_large, &core->unsent);
	if (bytes < LARGE)
		return;
	core->unsent_bytes = bytes;
	worker->unsent_bytes += bytes;
	while (worker->unsent_bytes > LARGE_MAX && (first = oldest(&worker->unsent_large)) != core)
		drop(first, METRIC_DROPPED_ROOM, "the answer was not read, and its memory was needed for others");
}

static void drop_late(struct list *list, int64_t before_us)
{
	struct core_call *core;

	while ((core = oldest(list)) && core->unsent_since_us < before_us)
		drop(core, METRIC_DROPPED_LATE, "the answer was not read in time");
}

static void on_tick(uv_timer_t *timer)
{
	struct rpc_worker *worker = container_of(timer, struct rpc_worker, unsent_tick);
	int64_t before_us = clock_mono_us() - worker->server->options.answer_timeout_us;

	drop_late(&worker->unsent_small, before_us);
	drop_late(&worker->unsent_large, before_us);
}

void unsent_start(struct rpc_worker *worker)
{
	int64_t tick_ms = worker->server->options.answer_timeout_us / 4000;

	list_init(&worker->unsent_small);
	list_init(&worker->unsent_large);
	list_init(&worker->answered);
	tick_ms = tick_ms < TICK_MIN_MS ? TICK_MIN_MS : tick_ms > TICK_MAX_MS ? TICK_MAX_MS : tick_ms;
	uv_timer_init(&worker->loop, &worker->unsent_tick);
	if (worker->server->options.answer_timeout_us > 0)
		uv_timer_start(&worker->unsent_tick, on_tick, (uint64_t)tick_ms, (uint64_t)tick_ms);
}

/* Not immediately, because the code that sends the answer still uses the memory. */
void unsent_strip_later(struct core_call *core)
{
	if (arena_is_large(&core->call.arena) || GRPC_SLICE_LENGTH(core->request) > PAYLOAD_SMALL)
		list_push_back(&core->call.worker->answered, &core->stripped);
}

void unsent_strip(struct rpc_worker *worker)
{
	struct list *link;

	while ((link = list_pop_front(&worker->answered))) {
		struct core_call *core = container_of(link, struct core_call, stripped);

		list_init(&core->stripped);
		arena_reset(&core->call.arena);
		core_forget_request(&core->call);
	}
}
