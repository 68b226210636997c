/* How busy an event loop is: CPU time, and how late its timers run. */
#ifndef BURSAR_OPS_LOOP_TIME_H
#define BURSAR_OPS_LOOP_TIME_H

#include <stdint.h>

struct loop_time {
	int64_t looked_us, cpu_us;
};

/*
 * Counts what has passed since the last call into the metrics of the loop (a value of the label set LOOP). Call it on
 * the loop's thread, from a timer that fires every `period_us`.
 */
void loop_time_look(struct loop_time *time, unsigned loop, int64_t period_us);

#endif
