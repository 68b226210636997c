/* When the calls of an open loop are due, whether or not the ones before have been answered. */
#ifndef BENCH_ARRIVALS_H
#define BENCH_ARRIVALS_H

#include <stdbool.h>
#include <stdint.h>

struct arrivals {
	double rate; /* calls per second */
	bool poisson; /* exponential gaps, as of many independent callers; otherwise equal ones */
	uint64_t seed; /* of the gaps: the same seed, the same gaps */
	int64_t begun_ns; /* CLOCK_MONOTONIC */
	int64_t count; /* how many arrivals_next has returned */
	double offset_ns; /* of the next one with `poisson` */
};

/* Returns when the next call is due, in ns of CLOCK_MONOTONIC. Rounding does not add up. */
int64_t arrivals_next(struct arrivals *arrivals);

#endif
