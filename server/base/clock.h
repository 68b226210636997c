/* The two clocks of this machine. */
#ifndef BURSAR_BASE_CLOCK_H
#define BURSAR_BASE_CLOCK_H

#include <stdint.h>

/* Microseconds since 1970-01-01 UTC; may jump. The store's clock (Redis TIME) decides, this one only guesses it. */
int64_t clock_wall_us(void);

/* Microseconds since some fixed point; never goes back. For deadlines and durations. */
int64_t clock_mono_us(void);

#endif
