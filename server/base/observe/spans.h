/*
 * Spans: what a sampled call took, and what Redis and PostgreSQL took of it. They wait in a bounded queue for the
 * thread that exports them (ops/otlp.h); what does not fit is dropped and counted.
 */
#ifndef BURSAR_BASE_OBSERVE_SPANS_H
#define BURSAR_BASE_OBSERVE_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/observe/trace.h"

enum span_kind { SPAN_SERVER, SPAN_REDIS, SPAN_POSTGRES };

#define SPAN_NAME_MAX 63

struct span {
	enum span_kind kind;
	char trace[33];
	uint64_t id, parent; /* parent 0: none */
	char name[SPAN_NAME_MAX +
		  1]; /* a method without its first slash, a route, or a command; never what a caller sent */
	const char *rpc; /* of a call over HTTP, whose name is a route: the method. Static */
	int64_t start_us, end_us; /* since 1970 */
	int status; /* a server's gRPC status code */
	bool failed;
};

/* Makes room for the queue; without it, nothing is kept. Once, before threads start. */
void spans_open(size_t room);

/*
 * The call's own span, which began at `start_us` on clock_mono_us() and ends now. Nothing if the trace is not sampled.
 * `method` is static; `route` is "POST /v1/check" of a call over HTTP, NULL over gRPC.
 */
void span_served(const struct trace *trace, const char *method, const char *route, int64_t start_us, int status);

/* Whether another span inside of the call's own is wanted: the trace is sampled, and has not made too many of them. */
bool span_wanted(const struct trace *trace);

/* A question to a store, likewise. `name` need not end with NUL. */
void span_asked(struct trace *trace, enum span_kind kind, const char *name, size_t len, int64_t start_us, bool failed);

/* A question to a store that is answered later, for the call that this thread works for. */
struct asked {
	struct trace *trace;
	int64_t at_us; /* clock_mono_us */
};
struct asked asked_now(void);
/* It is answered: makes its span and enters its trace. Give the result to trace_leave. `name` as in span_asked. */
struct trace *asked_answered(struct asked *asked, enum span_kind kind, const char *name, size_t len, bool failed);

/* Takes up to `max` spans from the queue, the oldest first; returns how many. Any thread. */
size_t spans_take(struct span *out, size_t max);

#endif
