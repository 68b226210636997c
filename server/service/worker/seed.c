/* Seeding: converts the ledger's windows and bucket levels to states of the policy in force. */
#include "service/worker/seed.h"

#include <string.h>

#include "domain/limit/bucket.h"

/* A level is a time at the rate it was written under. At a new rate, the used units carry over, rounded up. */
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

void seed_resolve_models(
	const struct catalog *catalog, const char *tenant, const char *user, struct usage_window *window, int count)
{
	struct model_name name;

	for (int i = 0; i < count; i++) {
		if (!window[i].model || !window[i].model[0])
			continue;
		catalog_model(catalog, tenant, user, window[i].model, &name);
		window[i].model_hash = name.hash;
	}
}

void seed_starts(
	const struct windows *windows, const struct account_found *found, int64_t now_us, int64_t starts[WINDOW_COUNT])
{
	for (int u = 0; u < WINDOW_COUNT; u++)
		starts[u] = usage_start(found->window, found->windows, (enum window_unit)u,
			windows_start(windows, (enum window_unit)u, now_us), now_us);
}

void seed_states(const struct policy *policy, const struct account_found *found, const int64_t starts[WINDOW_COUNT],
	int64_t now_us, union limit_state limits[LIMITS_MAX])
{
	memset(limits, 0, LIMITS_MAX * sizeof(limits[0]));
	for (int i = 0; i < policy->count; i++) {
		const struct limit *limit = &policy->limits[i];

		if (limit->kind == KIND_CALENDAR)
			limits[i].calendar.settled =
				usage_of(found->window, found->windows, limit->unit, limit->dimension,
					limit->interface_hash, limit->model_hash, starts[limit->unit], now_us);
		if (limit->kind != KIND_BUCKET)
			continue;
		for (int b = 0; b < found->buckets; b++)
			if (found->bucket[b].limit_id == limit->id && found->bucket[b].full_at_us > now_us)
				level_set(limit, &found->bucket[b], now_us, &limits[i]);
	}
}

int lookup_index(const struct account_lookup *lookup, enum account_kind kind, const char *id)
{
	for (int i = 0; i < lookup->count; i++)
		if (lookup->account[i].kind == kind && strcmp(lookup->account[i].id, id) == 0)
			return i;
	return -1;
}
