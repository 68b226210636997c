/* From states to answers: used, remaining, retry after; and the names of reasons. */
#include "domain/limit/decision.h"

#include <stddef.h>

#include "base/units.h"
#include "domain/limit/bucket.h"

#define HELD_RETRY_MIN_US SECOND_US /* what has expired is given back within a second or so */
#define PERCENT_MAX 1000000

static void bucket_figures(const struct limit *limit, const union limit_state *at, int64_t now_us, struct figures *out)
{
	struct instant full = bucket_full(at, now_us);

	out->used = bucket_used(limit, at, now_us);
	out->effective = limit->burst;
	out->resets_at_us = full.us + (full.rem > 0);
	out->retry_after_us = bucket_wait(limit, at, out->requested, now_us);
}

static void calendar_figures(const struct account_state *state, const struct limit *limit, const union limit_state *at,
	const struct windows *windows, int64_t now_us, struct figures *out)
{
	int64_t end = windows_end(windows, limit->unit, now_us);

	out->held = at->calendar.held;
	out->used = count_add(at->calendar.settled, at->calendar.held);
	out->effective = state_effective(state, limit, now_us);
	/* Outside of the boundaries (the store's clock ran ahead) the last one we know is as good as any. */
	out->resets_at_us = end > 0 ? end : windows->at[limit->unit][3] > now_us ? windows->at[limit->unit][3] : now_us;
	out->retry_after_us = out->resets_at_us - now_us;
	out->only_held = limit->dimension != DIM_REQUESTS && at->calendar.held > 0 &&
			 at->calendar.settled + (out->requested ? out->requested : 1) <= out->effective;
	if (out->only_held && out->retry_after_us > HELD_RETRY_US)
		out->retry_after_us = HELD_RETRY_US;
}

static void level_figures(const struct limit *limit, const union limit_state *at, int64_t now_us, struct figures *out)
{
	out->used = out->held = at->open;
	out->effective = limit->amount;
	out->resets_at_us = now_us;
	out->retry_after_us = HELD_RETRY_US;
	out->only_held = true;
}

void figures_of(const struct account_state *state, int index, const struct windows *windows, int64_t requested,
	bool failed, int64_t now_us, struct figures *out)
{
	const struct limit *limit = &state->policy->limits[index];
	const union limit_state *at = &state->limits[index];
	int64_t now = state_now(state, now_us);
	__int128 percent;

	*out = (struct figures){.requested = requested};
	switch (limit->kind) {
	case KIND_BUCKET:
		bucket_figures(limit, at, now, out);
		break;
	case KIND_CALENDAR:
		calendar_figures(state, limit, at, windows, now, out);
		break;
	case KIND_LEVEL:
		level_figures(limit, at, now, out);
		break;
	}
	out->remaining = out->effective > out->used ? out->effective - out->used : 0;
	out->permanent = failed && requested > out->effective;
	/* Figures are of the account's clock, which waits for the store's where that has stepped back a little: so does the caller. */
	out->retry_after_us += now - now_us;
	if (!failed || out->permanent) {
		out->retry_after_us = 0;
		out->only_held = false;
	}
	percent = out->effective ? (__int128)out->used * 100 / out->effective : out->used ? PERCENT_MAX : 0;
	out->used_percent = percent > PERCENT_MAX ? PERCENT_MAX : (int)percent;
	out->warning = out->used > 0 && limit->warn_percent > 0 && out->used_percent >= limit->warn_percent;
}

void figures_first_end(struct figures *figures, int64_t first_end_us, int64_t now_us)
{
	int64_t left_us = first_end_us - now_us;

	if (!figures->only_held || !first_end_us)
		return;
	figures->first_end_us = first_end_us;
	if (figures->retry_after_us > left_us)
		figures->retry_after_us = left_us > HELD_RETRY_MIN_US ? left_us : HELD_RETRY_MIN_US;
}

enum reason reason_of(const struct limit *limit)
{
	if (limit->kind == KIND_LEVEL)
		return REASON_CONCURRENCY;
	if (limit->kind == KIND_CALENDAR)
		return limit->dimension == DIM_COST ? REASON_BUDGET : REASON_QUOTA;
	if (limit->dimension == DIM_REQUESTS)
		return REASON_REQUEST_RATE;
	return limit->dimension == DIM_COST ? REASON_COST_RATE : REASON_TOKEN_RATE;
}

const char *reason_name(enum reason reason)
{
	static const char *const names[REASON_COUNT] = {"none", "suspended", "quota", "budget", "request_rate",
		"token_rate", "cost_rate", "concurrency", "deleted", "unknown_user", "request_closed"};

	return (unsigned)reason < REASON_COUNT ? names[reason] : NULL;
}
