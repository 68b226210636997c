/* An account's state under another policy. docs/store.md numbers the rules. */
#include "reference/reference.h"

#include "domain/limit/bucket.h"

/* Do two calendar limits count the same, whatever they are called? */
static bool counts_same(const struct limit *a, const struct limit *b)
{
	return a->kind == KIND_CALENDAR && b->kind == KIND_CALENDAR && a->dimension == b->dimension &&
	       a->unit == b->unit && a->interface_hash == b->interface_hash && a->model_hash == b->model_hash;
}

/* The limit that carries its state over to `limit`; -1 when there is none. */
static int convert_from(const struct policy *policy, const struct limit *limit)
{
	int from = -1;

	for (int i = 0; i < policy->count; i++) {
		const struct limit *old = &policy->limits[i];

		if (limit->kind == KIND_CALENDAR ? counts_same(old, limit)
						 : old->id == limit->id && old->dimension == limit->dimension &&
							   old->kind == limit->kind) {
			if (old->id == limit->id)
				return i;
			from = from < 0 ? i : from;
		}
	}
	return from;
}

static void bucket_convert(const struct limit *from, const struct limit *to, int64_t now_us, union limit_state *state)
{
	int64_t used;

	if ((from->num == to->num && from->den == to->den) || state->bucket.full_at_us < now_us)
		return;
	used = bucket_used(from, state, now_us);
	state->bucket.full_at_us = now_us;
	state->bucket.rem = 0;
	bucket_take(to, state, used, now_us);
}

/* What a calendar limit of the next policy holds: what runs gives it back to limits by their id. */
static int64_t convert_held(const struct account_state *old, const struct limit *to)
{
	for (int i = 0; i < old->policy->count; i++) {
		const struct limit *limit = &old->policy->limits[i];

		if (limit->id == to->id)
			return limit->kind == KIND_CALENDAR && limit->dimension == to->dimension &&
					       limit->unit == to->unit
				       ? old->limits[i].calendar.held
				       : 0;
	}
	return 0;
}

void state_convert(struct account_state *state, const struct policy *to, int64_t now_us)
{
	struct account_state old = *state;

	state->policy = to;
	state->notified = state->unseeded = 0;
	for (int i = 0; i < to->count; i++) {
		int from = convert_from(old.policy, &to->limits[i]);

		bool calendar = to->limits[i].kind == KIND_CALENDAR;

		state->limits[i] = (union limit_state){0};
		if (from >= 0)
			state->limits[i] = old.limits[from];
		if (calendar)
			state->limits[i].calendar.held = convert_held(&old, &to->limits[i]);
		if (from < 0) {
			state->unseeded |= (uint32_t)calendar << i;
			continue;
		}
		state->notified |= (old.notified >> from & 1) << i;
		state->unseeded |= (old.unseeded >> from & 1) << i;
		if (to->limits[i].kind == KIND_BUCKET)
			bucket_convert(
				&old.policy->limits[from], &to->limits[i], state_now(state, now_us), &state->limits[i]);
	}
}
