/*
 * A loop is measured four times a second, by the kernel's account of its thread, and not in each turn as libuv's
 * UV_METRICS_IDLE_TIME does, which reads the clock and takes a lock twice a turn. A loop that never blocks is busy
 * exactly when it uses CPU; when it does block, or gets no CPU, its timers run late.
 */
#include "ops/loop_time.h"

#include <time.h>

#include "base/clock.h"
#include "base/observe/metrics.h"

void loop_time_look(struct loop_time *time, unsigned loop, int64_t period_us)
{
	struct timespec cpu;
	int64_t now_us = clock_mono_us(), cpu_us;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
	cpu_us = cpu.tv_sec * INT64_C(1000000) + cpu.tv_nsec / 1000;
	metric_add(METRIC_loop_busy_seconds_total, loop, 0, cpu_us - time->cpu_us);
	if (time->looked_us) {
		int64_t late_us = now_us - time->looked_us - period_us;

		metric_observe(METRIC_loop_late_seconds, loop, 0, late_us > 0 ? late_us : 0);
	}
	time->looked_us = now_us;
	time->cpu_us = cpu_us;
}
