/* Arrivals at a constant rate, or at random from a seed. */
#include "arrivals.h"

#include <math.h>

#define SECOND_NS 1e9

/* splitmix64: small, and the same everywhere, unlike the random numbers of libc. */
static uint64_t random_bits(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* An exponential gap with a mean of 1. The uniform number is above 0, so that its logarithm is finite. */
static double random_gap(uint64_t *state)
{
	double uniform = ((double)(random_bits(state) >> 11) + 1) / (double)(UINT64_C(1) << 53);

	return -log(uniform);
}

int64_t arrivals_next(struct arrivals *arrivals)
{
	int64_t number = arrivals->count++;

	if (!arrivals->poisson)
		return arrivals->begun_ns + (int64_t)((double)number * SECOND_NS / arrivals->rate);
	arrivals->offset_ns += random_gap(&arrivals->seed) * SECOND_NS / arrivals->rate;
	return arrivals->begun_ns + (int64_t)arrivals->offset_ns;
}
