/* Timers of a loop, as an interface: libuv in the server (rpc/timers.h), a list advanced by hand in tests. */
#ifndef BURSAR_BASE_TIMERS_H
#define BURSAR_BASE_TIMERS_H

#include <stdint.h>

/* Embedded by its user; must live until `due` has run, which happens exactly once, on the loop's thread, or until it is cancelled. */
struct wait {
	void (*due)(struct wait *wait);
	int64_t at_us; /* clock_mono_us; set by start */
	struct wait *next;
};

struct timers {
	/* `due` runs after delay_us, never before this returns. */
	void (*start)(struct timers *timers, struct wait *wait, int64_t delay_us);
	/* A started wait never becomes due. One that is not started, or was due, is left alone. */
	void (*cancel)(struct timers *timers, struct wait *wait);
};

#endif
