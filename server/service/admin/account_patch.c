/* Applies an admin's change to an account row. */
#include "service/admin/account_patch.h"

#include <string.h>

static bool set_tier(const char *tier, struct account_profile *profile)
{
	if (strcmp(profile->tier, tier) == 0)
		return false;
	memcpy(profile->tier, tier, strlen(tier) + 1);
	return true;
}

static bool set_flag(bool *flag, bool value)
{
	bool differs = *flag != value;

	*flag = value;
	return differs;
}

static bool set_grace(const struct account_patch *patch, struct account_profile *profile)
{
	int percent = patch->grace_until_us == 0 ? 0 : patch->grace_percent ? patch->grace_percent : 100;

	if (profile->grace_until_us == patch->grace_until_us && profile->grace_percent == percent)
		return false;
	profile->grace_until_us = patch->grace_until_us;
	profile->grace_percent = percent;
	return true;
}

static bool is_removed(const struct account_patch *patch, const struct limit *limit)
{
	if (limit_ended(limit, patch->now_us))
		return true;
	for (size_t i = 0; i < patch->removes; i++)
		if (strcmp(patch->remove[i], limit->name) == 0)
			return true;
	for (int i = 0; i < patch->limits; i++)
		if (patch->limit[i].id == limit->id)
			return true;
	return false;
}

static bool same_limit(const struct limit *a, const struct limit *b)
{
	return strcmp(a->name, b->name) == 0 && a->dimension == b->dimension && a->kind == b->kind &&
	       (a->kind != KIND_CALENDAR || a->unit == b->unit) && a->amount == b->amount &&
	       a->period_us == b->period_us && a->burst == b->burst && strcmp(a->interface, b->interface) == 0 &&
	       strcmp(a->model, b->model) == 0 && a->shadow == b->shadow && a->notify == b->notify &&
	       a->warn_percent == b->warn_percent && a->until_us == b->until_us;
}

/* Compares two sets of limits regardless of their order. */
static bool same_limits(const struct limit *a, int a_count, const struct limit *b, int b_count)
{
	for (int i = 0; i < a_count; i++) {
		int k = 0;

		while (k < b_count && !same_limit(&a[i], &b[k]))
			k++;
		if (k == b_count)
			return false;
	}
	return a_count == b_count;
}

static bool override_limits(const struct account_patch *patch, struct arena *arena, struct account_profile *profile,
	bool *differs, struct err *err)
{
	struct limit *limits =
		arena_zalloc(arena, (size_t)(patch->limits + profile->override_count) + 1, sizeof(*limits));
	int count = patch->limits;

	if (count > 0)
		memcpy(limits, patch->limit, sizeof(*limits) * (size_t)count);
	for (int i = 0; patch->merge && i < profile->override_count; i++)
		if (!is_removed(patch, &profile->overrides[i]))
			limits[count++] = profile->overrides[i];
	if (count > LIMITS_MAX)
		return err_invalid(
			err, "limits", "would be %d including the existing ones; at most %d", count, LIMITS_MAX);
	*differs = !same_limits(limits, count, profile->overrides, profile->override_count);
	profile->overrides = limits;
	profile->override_count = count;
	return true;
}

bool account_patch_apply(
	const struct account_patch *patch, struct arena *arena, struct account_row *row, bool *differs, struct err *err)
{
	struct account_profile *profile = &row->profile;

	*differs = false;
	switch (patch->action) {
	case ACTION_SET_TIER:
		*differs = set_tier(patch->tier, profile);
		return true;
	case ACTION_SUSPEND:
	case ACTION_UNSUSPEND:
		*differs = set_flag(&profile->suspended, patch->action == ACTION_SUSPEND);
		row->suspended_reason = patch->action == ACTION_SUSPEND ? patch->reason : "";
		return true;
	case ACTION_DELETE:
		/* Its use stays in the ledger; PutAccount removes the mark again. */
		*differs = row->known && set_flag(&profile->deleted, true);
		return true;
	case ACTION_SET_GRACE:
		*differs = set_grace(patch, profile);
		return true;
	case ACTION_SET_BYPASS:
		*differs = set_flag(&profile->bypass, patch->bypass);
		return true;
	case ACTION_OVERRIDE_LIMITS:
		return override_limits(patch, arena, profile, differs, err);
	}
	return err_invalid(err, "action", "is not a known action");
}
