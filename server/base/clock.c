/* clock_gettime in microseconds. */
#include "base/clock.h"

#include <time.h>

#define SET_US 50000

static int64_t now_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_wall_us(void)
{
	return now_us(CLOCK_REALTIME);
}

int64_t clock_mono_us(void)
{
	return now_us(CLOCK_MONOTONIC);
}

int64_t clock_ahead_us(void)
{
	return clock_wall_us() - clock_mono_us();
}

bool clock_was_set(int64_t ahead_us)
{
	int64_t moved_us = clock_ahead_us() - ahead_us;

	return moved_us > SET_US || moved_us < -SET_US;
}
