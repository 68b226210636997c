/* Profiles as bytes. */
#include "domain/limit/profile.h"

#include <string.h>

#include "base/text/pack.h"

enum {
	/* Each version is written only when its content needs it, so that older readers can keep up. */
	PROFILE_VERSION = 1,
	PROFILE_VERSION_ENDS = 2, /* adds the ends of overrides */
	PROFILE_VERSION_KEPT = 3, /* adds windows kept at a change of zone */
	PROFILE_SUSPENDED = 1,
	PROFILE_BYPASS = 2,
	PROFILE_DELETED = 4,
	LIMIT_SHADOW = 1,
	LIMIT_NOTIFY = 2,
};

static void override_pack(const struct limit *limit, bool ends, struct buf *out)
{
	text_put(out, limit->name);
	buf_put_u8(out, (uint8_t)limit->dimension);
	buf_put_u8(out, (uint8_t)limit->kind);
	buf_put_u8(out, (uint8_t)limit->unit);
	buf_put_u8(out, (uint8_t)((limit->shadow ? LIMIT_SHADOW : 0) | (limit->notify ? LIMIT_NOTIFY : 0)));
	buf_put_u8(out, (uint8_t)limit->warn_percent);
	buf_put_i64(out, limit->amount);
	buf_put_i64(out, limit->period_us);
	buf_put_i64(out, limit->burst);
	text_put(out, limit->interface);
	text_put(out, limit->model);
	if (ends)
		buf_put_i64(out, limit->until_us);
}

static void override_cut(struct cut *cut, bool ends, struct limit *out)
{
	uint8_t flags;

	text_cut_into(cut, out->name, sizeof(out->name));
	out->dimension = (enum dimension)cut_u8(cut);
	out->kind = (enum limit_kind)cut_u8(cut);
	out->unit = (enum window_unit)cut_u8(cut);
	flags = cut_u8(cut);
	out->shadow = flags & LIMIT_SHADOW;
	out->notify = flags & LIMIT_NOTIFY;
	out->warn_percent = cut_u8(cut);
	out->amount = cut_i64(cut);
	out->period_us = cut_i64(cut);
	out->burst = cut_i64(cut);
	text_cut_into(cut, out->interface, sizeof(out->interface));
	text_cut_into(cut, out->model, sizeof(out->model));
	if (ends)
		out->until_us = cut_i64(cut);
}

static bool any_ends(const struct account_profile *profile)
{
	for (int i = 0; i < profile->override_count; i++)
		if (profile->overrides[i].until_us)
			return true;
	return false;
}

static void zone_pack(const struct zone *zone, uint8_t version, struct buf *out)
{
	text_put(out, zone->name);
	if (version < PROFILE_VERSION_KEPT) {
		text_put(out, "");
		buf_put_i64(out, 0);
		return;
	}
	for (int u = 0; u < WINDOW_COUNT; u++)
		for (int i = 0; i < KEPT_BOUNDS; i++)
			buf_put_i64(out, zone->kept[u][i]);
}

static void zone_cut(struct cut *cut, uint8_t version, struct zone *out)
{
	struct zone previous = {0};
	char name[ZONE_NAME_MAX + 1] = "";
	int64_t changed_at_us;

	text_cut_into(cut, name, sizeof(name));
	if (version < PROFILE_VERSION_KEPT) {
		/* The previous zone and when it ended: the windows of that time are the kept ones. */
		text_cut_into(cut, previous.name, sizeof(previous.name));
		changed_at_us = cut_i64(cut);
		zone_put(&previous, name, previous.name[0] && changed_at_us > 0 && changed_at_us <= COUNT_MAX,
			changed_at_us);
		*out = previous;
	} else {
		memcpy(out->name, name, sizeof(name));
		for (int u = 0; u < WINDOW_COUNT; u++)
			for (int i = 0; i < KEPT_BOUNDS; i++)
				out->kept[u][i] = cut_i64(cut);
	}
	if (!zone_check_kept(out, NULL))
		cut->bad = true;
}

static uint8_t version_for(const struct account_profile *profile)
{
	if (zone_keeps(&profile->zone))
		return PROFILE_VERSION_KEPT;
	return any_ends(profile) ? PROFILE_VERSION_ENDS : PROFILE_VERSION;
}

void profile_pack(const struct account_profile *profile, struct buf *out)
{
	uint8_t version = version_for(profile);

	buf_put_u8(out, version);
	buf_put_u8(out, (uint8_t)((profile->suspended ? PROFILE_SUSPENDED : 0) |
				  (profile->bypass ? PROFILE_BYPASS : 0) | (profile->deleted ? PROFILE_DELETED : 0)));
	buf_put_u32(out, profile->version);
	buf_put_u32(out, (uint32_t)profile->grace_percent);
	buf_put_i64(out, profile->grace_until_us);
	text_put(out, profile->tier);
	text_put(out, profile->team);
	text_put(out, profile->org);
	zone_pack(&profile->zone, version, out);
	buf_put_u8(out, (uint8_t)profile->override_count);
	for (int i = 0; i < profile->override_count; i++)
		override_pack(&profile->overrides[i], version >= PROFILE_VERSION_ENDS, out);
}

static void flags_read(uint8_t flags, struct account_profile *out)
{
	out->suspended = flags & PROFILE_SUSPENDED;
	out->bypass = flags & PROFILE_BYPASS;
	out->deleted = flags & PROFILE_DELETED;
}

bool profile_unpack(const uint8_t *data, size_t len, struct arena *arena, struct account_profile *out)
{
	struct cut cut = cut_of(data, len);
	struct account_profile profile = {0};

	uint8_t version = cut_u8(&cut);

	if (version < PROFILE_VERSION || version > PROFILE_VERSION_KEPT)
		return false;
	flags_read(cut_u8(&cut), &profile);
	profile.version = cut_u32(&cut);
	profile.grace_percent = (int)(cut_u32(&cut) & INT32_MAX);
	profile.grace_until_us = cut_i64(&cut);
	text_cut_into(&cut, profile.tier, sizeof(profile.tier));
	text_cut_into(&cut, profile.team, sizeof(profile.team));
	text_cut_into(&cut, profile.org, sizeof(profile.org));
	zone_cut(&cut, version, &profile.zone);
	profile.override_count = cut_u8(&cut);
	if (cut.bad || profile.override_count > LIMITS_MAX)
		return false;
	if (profile.override_count)
		profile.overrides = arena_zalloc(arena, (size_t)profile.override_count, sizeof(*profile.overrides));
	for (int i = 0; i < profile.override_count; i++) {
		override_cut(&cut, version >= PROFILE_VERSION_ENDS, &profile.overrides[i]);
		if (cut.bad || !limit_prepare(&profile.overrides[i], NULL))
			return false;
	}
	if (cut.left)
		return false;
	*out = profile;
	return true;
}
