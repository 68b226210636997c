/* The calls of a run, and their percentiles. */
#include "calls.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"

static const char *const outcome_name[OUTCOMES] = {
	[OUTCOME_ALLOWED] = "allowed",
	[OUTCOME_DENIED] = "denied",
	[OUTCOME_ANSWERED] = "answered",
	[OUTCOME_FAILED] = "failed",
};

int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void calls_init(struct calls *calls, int64_t count)
{
	*calls = (struct calls){.count = count};
	calls->call = mem_zalloc((size_t)count, sizeof(*calls->call));
	for (int64_t i = 0; i < count; i++)
		calls->call[i] = (struct call){.number = i, .outcome = OUTCOME_FAILED};
}

void calls_release(struct calls *calls)
{
	free(calls->call);
}

void calls_finish(struct calls *calls, struct call *call, enum outcome outcome, const char *failure)
{
	call->done_ns = now_ns();
	call->outcome = outcome;
	calls->of[outcome]++;
	calls->done++;
	if (failure != NULL)
		snprintf(calls->failure, sizeof(calls->failure), "%s", failure);
}

static int64_t lateness(const struct call *call)
{
	return call->sent_ns - call->due_ns;
}

static int64_t service(const struct call *call)
{
	return call->done_ns - call->sent_ns;
}

static int64_t latency(const struct call *call)
{
	return call->done_ns - call->due_ns;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The smallest value that `thousandths` of all values do not exceed. */
static int64_t percentile(const int64_t *sorted, int64_t count, int64_t thousandths)
{
	int64_t rank = (count * thousandths + 999) / 1000;

	return sorted[rank > 0 ? rank - 1 : 0];
}

static void print_percentiles(
	const struct calls *calls, const char *name, int64_t (*span)(const struct call *), FILE *out)
{
	static const struct {
		const char *name;
		int thousandths;
	} wanted[] = {{"p50", 500}, {"p90", 900}, {"p99", 990}, {"p99.9", 999}, {"max", 1000}};
	int64_t *sorted = mem_zalloc((size_t)calls->count, sizeof(*sorted));

	for (int64_t i = 0; i < calls->count; i++)
		sorted[i] = span(&calls->call[i]);
	qsort(sorted, (size_t)calls->count, sizeof(*sorted), by_value);
	fprintf(out, ", \"%s\": {", name);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		double us = (double)percentile(sorted, calls->count, wanted[i].thousandths) / 1000;
		fprintf(out, "%s\"%s\": %.1f", i > 0 ? ", " : "", wanted[i].name, us);
	}
	fprintf(out, "}");
	free(sorted);
}

void calls_print(const struct calls *calls, FILE *out)
{
	double seconds = (double)(calls->ended_ns - calls->begun_ns) / 1e9;

	fprintf(out, "{\"calls\": %" PRId64 ", \"seconds\": %.3f, \"per_second\": %.1f", calls->count, seconds,
		(double)calls->count / seconds);
	for (int i = 0; i < OUTCOMES; i++)
		fprintf(out, ", \"%s\": %" PRId64, outcome_name[i], calls->of[i]);
	print_percentiles(calls, "late_us", lateness, out);
	print_percentiles(calls, "service_us", service, out);
	print_percentiles(calls, "latency_us", latency, out);
	fprintf(out, "}\n");
}

bool calls_write(const struct calls *calls, const char *path, struct err *err)
{
	FILE *file = fopen(path, "w");

	if (file == NULL)
		return err_set(err, ERR_INVALID, "%s: %s", path, strerror(errno));
	fprintf(file, "due_ns,sent_ns,done_ns,outcome\n");
	for (int64_t i = 0; i < calls->count; i++) {
		const struct call *call = &calls->call[i];
		fprintf(file, "%" PRId64 ",%" PRId64 ",%" PRId64 ",%s\n", call->due_ns, call->sent_ns, call->done_ns,
			outcome_name[call->outcome]);
	}
	if (fclose(file) != 0)
		return err_set(err, ERR_INTERNAL, "%s: %s", path, strerror(errno));
	return true;
}
