/* Exact bucket arithmetic: a moment is full_at + rem/den microseconds. For the files of the decision only. */
#ifndef BURSAR_DOMAIN_LIMIT_BUCKET_H
#define BURSAR_DOMAIN_LIMIT_BUCKET_H

#include "base/units.h"
#include "domain/limit/account.h"

/* A moment, or a length of time: us + rem/den, 0 <= rem < den. */
struct instant {
	int64_t us, rem;
};

/* How long `n` units take to flow in; SPAN_MAX_US at most (then rem is 0). */
static inline struct instant bucket_time(const struct limit *limit, int64_t n)
{
	unsigned __int128 product = (unsigned __int128)(uint64_t)n * (uint64_t)limit->num;
	unsigned __int128 us = product / (uint64_t)limit->den;

	if (us >= (uint64_t)SPAN_MAX_US)
		return (struct instant){.us = SPAN_MAX_US};
	return (struct instant){.us = (int64_t)us, .rem = (int64_t)(product % (uint64_t)limit->den)};
}

/* When the bucket will be full, but not before now. */
static inline struct instant bucket_full(const union limit_state *state, int64_t now_us)
{
	if (state->bucket.full_at_us < now_us)
		return (struct instant){.us = now_us};
	return (struct instant){.us = state->bucket.full_at_us, .rem = state->bucket.rem};
}

static inline struct instant instant_add(struct instant a, struct instant b, int64_t den)
{
	/* den - b.rem instead of a.rem + b.rem: as Lua must do it to stay below 2^53. */
	bool carry = a.rem >= den - b.rem;

	return (struct instant){.us = a.us + b.us + carry, .rem = carry ? a.rem - (den - b.rem) : a.rem + b.rem};
}

static inline struct instant instant_sub(struct instant a, struct instant b, int64_t den)
{
	bool borrow = a.rem < b.rem;

	return (struct instant){.us = a.us - b.us - borrow, .rem = borrow ? a.rem + (den - b.rem) : a.rem - b.rem};
}

/* Takes `n`, whatever the bucket holds: debt ends at SPAN_MAX_US. */
void bucket_take(const struct limit *limit, union limit_state *state, int64_t n, int64_t now_us);

/* Would `n` more fit? */
bool bucket_fits(const struct limit *limit, const union limit_state *state, int64_t n, int64_t now_us);

/* What is missing from full, in units, rounded up; at most COUNT_MAX. */
int64_t bucket_used(const struct limit *limit, const union limit_state *state, int64_t now_us);

/* Microseconds until `n` fit if nothing else is taken, rounded up; 0 when they fit now. */
int64_t bucket_wait(const struct limit *limit, const union limit_state *state, int64_t n, int64_t now_us);

/* Adds to a counter; the sum stays within 0 and COUNT_MAX. */
static inline int64_t count_add(int64_t count, int64_t n)
{
	int64_t sum = count + n;

	return sum < 0 ? 0 : sum > COUNT_MAX ? COUNT_MAX : sum;
}

/* Sets in `notified` what limit `index` reaches for the first time in its window, and returns it as a mask. */
uint32_t state_notify(struct account_state *state, int index);

/* By so much the store's clock may step back before an account's clock follows it. */
#define CLOCK_SLACK_US SECOND_US

/* `now` for an account: its clock waits where the store's has stepped back a little, and gives up a time that was far ahead. */
static inline int64_t state_now(const struct account_state *state, int64_t now_us)
{
	return state->clock_us > now_us && state->clock_us - now_us <= CLOCK_SLACK_US ? state->clock_us : now_us;
}

/* What a calendar limit allows now, with grace. */
static inline int64_t state_effective(const struct account_state *state, const struct limit *limit, int64_t now_us)
{
	return limit_effective(limit, now_us < state->grace_until_us ? state->grace_percent : 0);
}

#endif
