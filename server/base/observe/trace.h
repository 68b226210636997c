/*
 * Which trace a call belongs to, by the W3C header `traceparent`: it is in each log line about the call, and spans are
 * made of the calls that are sampled (base/observe/spans.h).
 *
 * A trace belongs to one loop. What continues later, such as a flow or a command to Redis, keeps the current trace and
 * enters it when it goes on. Nothing of this costs a call without a trace more than looking for one.
 */
#ifndef BURSAR_BASE_OBSERVE_TRACE_H
#define BURSAR_BASE_OBSERVE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace {
	unsigned references;
	unsigned children; /* spans made inside of the call's own, which are bounded */
	bool sampled;
	char id[33]; /* lower-case hex, as in logs */
	uint64_t span, parent; /* of the call's own span; parent 0: none */
};

/* The trace of what this thread is working on; NULL if there is none. */
extern _Thread_local struct trace *trace_now;

/* Whether spans are exported, and of how many in a million calls that come without a trace. Before threads start. */
void trace_sample(bool exporting, int64_t per_million);

/*
 * The trace of a call that has arrived with this traceparent (NULL: without one). One that is not valid counts as none.
 * NULL if there is no trace to be kept: the caller has none, and chance does not choose the call. To be dropped.
 */
struct trace *trace_begin(const char *traceparent, size_t len);

void trace_free(struct trace *trace);

/* One more owner of the trace; NULL is fine. */
static inline struct trace *trace_keep(struct trace *trace)
{
	if (trace)
		trace->references++;
	return trace;
}

static inline void trace_drop(struct trace *trace)
{
	if (trace && --trace->references == 0)
		trace_free(trace);
}

/* From now on this thread works for `trace`. Give the result to trace_leave. */
static inline struct trace *trace_enter(struct trace *trace)
{
	struct trace *outer = trace_now;

	trace_now = trace_keep(trace);
	return outer;
}

static inline void trace_leave(struct trace *outer)
{
	trace_drop(trace_now);
	trace_now = outer;
}

#endif
