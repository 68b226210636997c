/* Exact bucket arithmetic. */
#include "domain/limit/bucket.h"

void bucket_take(const struct limit *limit, union limit_state *state, int64_t n, int64_t now_us)
{
	struct instant full = instant_add(bucket_full(state, now_us), bucket_time(limit, n), limit->den);

	if (full.us - now_us >= SPAN_MAX_US)
		full = (struct instant){.us = now_us + SPAN_MAX_US};
	state->bucket.full_at_us = full.us;
	state->bucket.rem = full.rem;
}

bool bucket_fits(const struct limit *limit, const union limit_state *state, int64_t n, int64_t now_us)
{
	struct instant full = instant_add(bucket_full(state, now_us), bucket_time(limit, n), limit->den);
	int64_t span = full.us - now_us;

	return span < limit->burst_us || (span == limit->burst_us && full.rem <= limit->burst_rem);
}

int64_t bucket_used(const struct limit *limit, const union limit_state *state, int64_t now_us)
{
	struct instant full = bucket_full(state, now_us);
	unsigned __int128 span =
		(unsigned __int128)(uint64_t)(full.us - now_us) * (uint64_t)limit->den + (uint64_t)full.rem;
	unsigned __int128 used = (span + (uint64_t)limit->num - 1) / (uint64_t)limit->num;

	return used > (uint64_t)COUNT_MAX ? COUNT_MAX : (int64_t)used;
}

int64_t bucket_wait(const struct limit *limit, const union limit_state *state, int64_t n, int64_t now_us)
{
	struct instant burst = {.us = limit->burst_us, .rem = limit->burst_rem};
	struct instant full = instant_add(bucket_full(state, now_us), bucket_time(limit, n), limit->den);
	struct instant fits = instant_sub(full, burst, limit->den);
	int64_t wait = fits.us + (fits.rem > 0) - now_us;

	return wait > 0 ? wait : 0;
}
