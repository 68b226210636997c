/* The machine's two clocks. */
#ifndef BURSAR_BASE_CLOCK_H
#define BURSAR_BASE_CLOCK_H

#include <stdint.h>

/* Microseconds since 1970-01-01 UTC; may jump. Decisions use the store's clock (Redis TIME); this is a guess. */
int64_t clock_wall_us(void);

/* Microseconds since an arbitrary fixed point; never goes back. For deadlines and durations. */
int64_t clock_mono_us(void);

#endif
