/* The machine's two clocks. */
#ifndef BURSAR_BASE_CLOCK_H
#define BURSAR_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Microseconds since 1970-01-01 UTC; may jump. Decisions use the store's clock (Redis TIME); this is a guess. */
int64_t clock_wall_us(void);

/* Microseconds since an arbitrary fixed point; never goes back. For deadlines and durations. */
int64_t clock_mono_us(void);

/* How far the first clock is ahead of the second: the same number until somebody sets the first. */
int64_t clock_ahead_us(void);

/* Whether the first clock has been set since it was `ahead_us` ahead, by more than 50 ms. */
bool clock_was_set(int64_t ahead_us);

#endif
