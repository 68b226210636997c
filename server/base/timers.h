/* Waiting on a loop, as an interface: libuv behind it in the server (rpc/timers.h), a list moved by hand in tests. */
#ifndef BURSAR_BASE_TIMERS_H
#define BURSAR_BASE_TIMERS_H

#include <stdint.h>

/* Embedded by whoever waits; alive until `due` has run, which it does exactly once, on the loop's thread. */
struct wait {
	void (*due)(struct wait *wait);
	int64_t at_us; /* clock_mono_us; set by start */
	struct wait *next;
};

struct timers {
	/* `due` comes after delay_us, never before this returns. */
	void (*start)(struct timers *timers, struct wait *wait, int64_t delay_us);
};

#endif
