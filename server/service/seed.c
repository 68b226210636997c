/* Seeding: the ledger's windows and levels, as states of the policy that counts now. */
#include "service/seed.h"

#include <string.h>

#include "domain/bucket.h"

static int64_t settled_of(const struct limit *limit, const struct windows *windows, const struct usage_window *window,
	int count, int64_t now_us)
{
	int64_t start = windows_start(windows, limit->unit, now_us);

	for (int i = 0; i < count; i++)
		if (window[i].limit_id == limit->id && window[i].window_start == start)
			return count_add(0, window[i].used);
	return 0;
}

/* A level is in time of the rate it was written under; a new rate takes over the units that are missing, rounded up. */
static void level_set(
	const struct limit *limit, const struct bucket_level *level, int64_t now_us, union limit_state *out)
{
	struct limit before = *limit;
	int64_t used;

	out->bucket.full_at_us = level->full_at_us;
	out->bucket.rem = level->rem;
	if ((level->num == limit->num && level->den == limit->den) || level->num <= 0 || level->den <= 0)
		return;
	before.num = level->num;
	before.den = level->den;
	used = bucket_used(&before, out, now_us);
	out->bucket.full_at_us = now_us;
	out->bucket.rem = 0;
	bucket_take(limit, out, used, now_us);
}

void seed_states(const struct policy *policy, const struct windows *windows, const struct usage_window *window,
	int window_count, const struct bucket_level *bucket, int bucket_count, int64_t now_us,
	union limit_state limits[LIMITS_MAX])
{
	memset(limits, 0, LIMITS_MAX * sizeof(limits[0]));
	for (int i = 0; i < policy->count; i++) {
		const struct limit *limit = &policy->limits[i];

		if (limit->kind == KIND_CALENDAR)
			limits[i].calendar.settled = settled_of(limit, windows, window, window_count, now_us);
		if (limit->kind != KIND_BUCKET)
			continue;
		for (int b = 0; b < bucket_count; b++)
			if (bucket[b].limit_id == limit->id && bucket[b].full_at_us > now_us)
				level_set(limit, &bucket[b], now_us, &limits[i]);
	}
}

int lookup_index(const struct account_lookup *lookup, enum account_kind kind, const char *id)
{
	for (int i = 0; i < lookup->count; i++)
		if (lookup->account[i].kind == kind && strcmp(lookup->account[i].id, id) == 0)
			return i;
	return -1;
}
