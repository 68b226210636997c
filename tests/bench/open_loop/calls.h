/* What is known of every call of a run: when it was due, when it was sent, when it was answered, and how. */
#ifndef BENCH_CALLS_H
#define BENCH_CALLS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum outcome {
	OUTCOME_ALLOWED,
	OUTCOME_DENIED,
	OUTCOME_ANSWERED, /* of what only answers: an echo, a function of Redis */
	OUTCOME_FAILED,
	OUTCOMES
};

/* Times in ns of CLOCK_MONOTONIC. */
struct call {
	int64_t number; /* from the first one of the run on */
	int64_t due_ns;
	int64_t sent_ns; /* when its last byte was made, right before the write to the socket */
	int64_t done_ns;
	enum outcome outcome;
};

struct calls {
	int64_t count; /* of `call` */
	int64_t sent, done;
	int64_t begun_ns, ended_ns;
	int64_t of[OUTCOMES];
	struct call *call;
	char failure[256]; /* what the last failed call said */
};

/* The time of CLOCK_MONOTONIC in ns. */
int64_t now_ns(void);

/* Makes room for `count` calls, all memory touched, so that a run meets no page faults of ours. */
void calls_init(struct calls *calls, int64_t count);
void calls_release(struct calls *calls);

/* The call has been answered now. `failure` says why it failed, and is NULL for the other outcomes. */
void calls_finish(struct calls *calls, struct call *call, enum outcome outcome, const char *failure);

/*
 * Prints one JSON object: counts, seconds, and percentiles in µs of lateness (due until sent), service (sent until
 * answered) and latency (due until answered).
 */
void calls_print(const struct calls *calls, FILE *out);

/* Writes a line for each call to a file: due, sent and answered in ns of CLOCK_MONOTONIC, and the outcome. */
bool calls_write(const struct calls *calls, const char *path, struct err *err);

#endif
