/* A ring under a lock: only sampled calls come here, and they hold it for the time of one copy. */
#include "base/observe/spans.h"

#include <pthread.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/observe/metrics.h"
#include "base/observe/trace_private.h"

/* A batch of a thousand checks must not fill the queue by itself. */
enum { CHILDREN_MAX = 32 };

static struct {
	pthread_mutex_t lock;
	struct span *ring;
	size_t room, first, count;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER};

void spans_open(size_t room)
{
	queue.ring = mem_zalloc(room, sizeof(*queue.ring));
	queue.room = room;
}

static void push(const struct span *span)
{
	bool full;

	pthread_mutex_lock(&queue.lock);
	full = queue.count == queue.room;
	if (!full)
		queue.ring[(queue.first + queue.count++) % queue.room] = *span;
	pthread_mutex_unlock(&queue.lock);
	if (full)
		metric_inc(METRIC_spans_lost_total, METRIC_SPANS_LOST_FULL, 0);
}

size_t spans_take(struct span *out, size_t max)
{
	size_t taken = 0;

	pthread_mutex_lock(&queue.lock);
	while (taken < max && queue.count > 0) {
		out[taken++] = queue.ring[queue.first];
		queue.first = (queue.first + 1) % queue.room;
		queue.count--;
	}
	pthread_mutex_unlock(&queue.lock);
	return taken;
}

/* Sets what all spans have, from a start on the monotonic clock to now. */
static void fill(struct span *span, const struct trace *trace, const char *name, size_t len, int64_t start_us)
{
	int64_t took_us = clock_mono_us() - start_us;

	memcpy(span->trace, trace->id, sizeof(span->trace));
	memcpy(span->name, name, len > SPAN_NAME_MAX ? SPAN_NAME_MAX : len);
	span->end_us = clock_wall_us();
	span->start_us = span->end_us - took_us;
}

/* The codes that OpenTelemetry counts as a server's failure; the others are the caller's. */
static bool is_failure(int status)
{
	return status == METRIC_CODE_UNKNOWN || status == METRIC_CODE_DEADLINE_EXCEEDED ||
	       status == METRIC_CODE_UNIMPLEMENTED || status == METRIC_CODE_INTERNAL ||
	       status == METRIC_CODE_UNAVAILABLE || status == METRIC_CODE_DATA_LOSS;
}

void span_served(const struct trace *trace, const char *method, const char *route, int64_t start_us, int status)
{
	struct span span = {.kind = SPAN_SERVER, .status = status, .failed = is_failure(status)};

	if (!trace || !trace->sampled)
		return;
	span.id = trace->span;
	span.parent = trace->parent;
	method += *method == '/';
	if (route)
		span.rpc = method;
	else
		route = method;
	fill(&span, trace, route, strlen(route), start_us);
	push(&span);
}

bool span_wanted(const struct trace *trace)
{
	return trace && trace->sampled && trace->children < CHILDREN_MAX;
}

void span_asked(struct trace *trace, enum span_kind kind, const char *name, size_t len, int64_t start_us, bool failed)
{
	struct span span = {.kind = kind, .failed = failed};

	if (!span_wanted(trace))
		return;
	trace->children++;
	span.id = trace_random();
	span.parent = trace->span;
	fill(&span, trace, name, len, start_us);
	push(&span);
}

struct asked asked_now(void)
{
	return (struct asked){.trace = trace_keep(trace_now), .at_us = clock_mono_us()};
}

struct trace *asked_answered(struct asked *asked, enum span_kind kind, const char *name, size_t len, bool failed)
{
	struct trace *outer;

	span_asked(asked->trace, kind, name, len, asked->at_us, failed);
	outer = trace_enter(asked->trace);
	trace_drop(asked->trace);
	asked->trace = NULL;
	return outer;
}
