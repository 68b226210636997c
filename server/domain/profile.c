/* Profiles as bytes. */
#include "domain/profile.h"

#include "domain/text_pack.h"

enum {
	PROFILE_VERSION = 1,
	PROFILE_VERSION_ENDS =
		2, /* with the ends of overrides: written where one has an end, so that older readers keep up */
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

void profile_pack(const struct account_profile *profile, struct buf *out)
{
	bool ends = any_ends(profile);

	buf_put_u8(out, ends ? PROFILE_VERSION_ENDS : PROFILE_VERSION);
	buf_put_u8(out, (uint8_t)((profile->suspended ? PROFILE_SUSPENDED : 0) |
				  (profile->bypass ? PROFILE_BYPASS : 0) | (profile->deleted ? PROFILE_DELETED : 0)));
	buf_put_u32(out, profile->version);
	buf_put_u32(out, (uint32_t)profile->grace_percent);
	buf_put_i64(out, profile->grace_until_us);
	text_put(out, profile->tier);
	text_put(out, profile->team);
	text_put(out, profile->org);
	text_put(out, profile->zone.name);
	text_put(out, profile->zone.previous);
	buf_put_i64(out, profile->zone.changed_at_us);
	buf_put_u8(out, (uint8_t)profile->override_count);
	for (int i = 0; i < profile->override_count; i++)
		override_pack(&profile->overrides[i], ends, out);
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

	if (version != PROFILE_VERSION && version != PROFILE_VERSION_ENDS)
		return false;
	flags_read(cut_u8(&cut), &profile);
	profile.version = cut_u32(&cut);
	profile.grace_percent = (int)(cut_u32(&cut) & INT32_MAX);
	profile.grace_until_us = cut_i64(&cut);
	text_cut_into(&cut, profile.tier, sizeof(profile.tier));
	text_cut_into(&cut, profile.team, sizeof(profile.team));
	text_cut_into(&cut, profile.org, sizeof(profile.org));
	text_cut_into(&cut, profile.zone.name, sizeof(profile.zone.name));
	text_cut_into(&cut, profile.zone.previous, sizeof(profile.zone.previous));
	profile.zone.changed_at_us = cut_i64(&cut);
	profile.override_count = cut_u8(&cut);
	if (cut.bad || profile.override_count > LIMITS_MAX)
		return false;
	if (profile.override_count)
		profile.overrides = arena_zalloc(arena, (size_t)profile.override_count, sizeof(*profile.overrides));
	for (int i = 0; i < profile.override_count; i++) {
		override_cut(&cut, version == PROFILE_VERSION_ENDS, &profile.overrides[i]);
		if (cut.bad || !limit_prepare(&profile.overrides[i], NULL))
			return false;
	}
	if (cut.left)
		return false;
	*out = profile;
	return true;
}
