/*
 * Answers that wait for their callers (rpc/carrier.h). The answer to a caller that does not read stays in memory, so
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

static struct call *oldest(struct list *list)
{
	return list_empty(list) ? NULL : container_of(list->next, struct call, unsent);
}

void unsent_done(struct call *call)
{
	struct rpc_worker *worker = call->worker;

	list_remove(&call->unsent);
	worker->unsent_bytes -= call->unsent_bytes;
	call->unsent_bytes = 0;
}

static void drop(struct call *call, unsigned why, const char *text)
{
	unsent_done(call);
	metric_inc(METRIC_answers_dropped_total, why, 0);
	call->carrier->drop(call, text);
}

void unsent_begin(struct call *call, size_t bytes)
{
	struct rpc_worker *worker = call->worker;
	struct call *first;

	call->unsent_since_us = clock_mono_us();
	list_push_back(bytes < LARGE ? &worker->unsent_small : &worker->unsent_large, &call->unsent);
	if (bytes < LARGE)
		return;
	call->unsent_bytes = bytes;
	worker->unsent_bytes += bytes;
	while (worker->unsent_bytes > LARGE_MAX && (first = oldest(&worker->unsent_large)) != call)
		drop(first, METRIC_DROPPED_ROOM, "the answer was not read, and its memory was needed for others");
}

static void drop_late(struct list *list, int64_t before_us)
{
	struct call *call;

	while ((call = oldest(list)) && call->unsent_since_us < before_us)
		drop(call, METRIC_DROPPED_LATE, "the answer was not read in time");
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
void unsent_strip_later(struct call *call)
{
	size_t len;

	call_request(call, &len);
	if (arena_is_large(&call->arena) || len > PAYLOAD_SMALL)
		list_push_back(&call->worker->answered, &call->stripped);
}

void unsent_strip(struct rpc_worker *worker)
{
	struct list *link;

	while ((link = list_pop_front(&worker->answered))) {
		struct call *call = container_of(link, struct call, stripped);

		arena_reset(&call->arena);
		call->carrier->forget_request(call);
	}
}
