/* Ledger entries as bytes. */
#include "domain/record/entry.h"

#include "base/text/pack.h"

enum {
	INFO_VERSION = 1,
	USAGE_VERSION = 1,
	USAGE_VERSION_RARE = 2, /* written only if needed: the previous release cannot read it */
	ENTRY_VERSION = 2,
	FINAL = 1,
	LATE = 2,
	NEVER_CHECKED = 4,
	LEDGER_ONLY = 8
};
enum { GROUPS_UNKNOWN = 0x80 }; /* added to the number of accounts */
enum { RERATED = 0x80 }; /* added to the attempt that an adjustment corrects */
/* Entries of the previous release may still wait in an outbox: they name counters by limit, and have no windows. */
enum { ENTRY_VERSION_LIMITS = 1, LIMIT_ROW_BYTES = 19 };

void entry_info_pack(const struct entry_info *info, struct buf *out)
{
	const char *const texts[] = {info->tenant, info->user, info->request_id, info->interface, info->model,
		info->tier, info->provider, info->price_model, info->reason, info->actor};

	buf_put_u8(out, INFO_VERSION);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		text_put(out, texts[i]);
	buf_put_u8(out, (uint8_t)(info->accounts | (info->groups_unknown ? GROUPS_UNKNOWN : 0)));
	for (int i = 0; i < info->accounts; i++) {
		buf_put_u8(out, (uint8_t)info->account[i].kind);
		text_put(out, info->account[i].id);
	}
	/* Last, and only if there is one: a release without modes can read entries that have none. */
	if (info->mode && info->mode[0])
		text_put(out, info->mode);
}

bool entry_info_unpack(const uint8_t *data, size_t len, struct arena *arena, struct entry_info *out)
{
	struct cut cut = cut_of(data, len);
	struct entry_info info = {0};
	uint8_t accounts;
	const char **const texts[] = {&info.tenant, &info.user, &info.request_id, &info.interface, &info.model,
		&info.tier, &info.provider, &info.price_model, &info.reason, &info.actor};

	if (cut_u8(&cut) != INFO_VERSION)
		return false;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = text_cut(&cut, arena);
	accounts = cut_u8(&cut);
	info.groups_unknown = accounts & GROUPS_UNKNOWN;
	info.accounts = accounts & ~GROUPS_UNKNOWN;
	if (info.accounts > ACCOUNTS_MAX)
		return false;
	for (int i = 0; i < info.accounts; i++) {
		info.account[i].kind = (enum account_kind)cut_u8(&cut);
		info.account[i].id = text_cut(&cut, arena);
		if (!account_kind_name(info.account[i].kind))
			return false;
	}
	info.mode = "";
	if (cut.left && !(info.mode = text_cut(&cut, arena))[0])
		return false;
	if (cut.bad || cut.left)
		return false;
	*out = info;
	return true;
}

/* Whether it has what only the longer of the two forms holds. */
static bool usage_rare(const struct entry_usage *usage)
{
	return usage->provider_cost_known || usage->list_cost_nano || meters_rare(&usage->meters);
}

void entry_usage_pack(const struct entry_usage *usage, struct buf *out)
{
	bool rare = usage_rare(usage);

	buf_put_u8(out, rare ? USAGE_VERSION_RARE : USAGE_VERSION);
	text_put(out, usage->model);
	text_put(out, usage->provider);
	text_put(out, usage->price_model);
	text_put(out, usage->mode);
	buf_put_i64(out, usage->price_from_us);
	buf_put_u32(out, usage->flags);
	for (int i = 0; i < METER_KEPT_COUNT; i++)
		buf_put_i64(out, usage->meters.count[i]);
	if (rare) {
		meters_pack(&usage->meters, METER_KEPT_COUNT, out);
		buf_put_u8(out, usage->provider_cost_known);
		buf_put_i64(out, usage->provider_cost_nano);
		buf_put_i64(out, usage->list_cost_nano);
	}
}

/* What entry_usage_pack appends to the longer form; refuses what it never writes. */
static void usage_rare_cut(struct cut *cut, struct entry_usage *usage)
{
	int known;

	meters_cut(cut, METER_KEPT_COUNT, &usage->meters);
	known = cut_u8(cut);
	usage->provider_cost_known = known == 1;
	usage->provider_cost_nano = cut_i64(cut);
	usage->list_cost_nano = cut_i64(cut);
	if (known > 1 || !usage_rare(usage))
		cut->bad = true;
}

/* Reads the rest of the cut. */
static bool usage_cut(struct cut *cut, struct arena *arena, struct entry_usage *out)
{
	struct entry_usage usage = {0};
	int version = cut_u8(cut);

	if (version != USAGE_VERSION && version != USAGE_VERSION_RARE)
		return false;
	usage.model = text_cut(cut, arena);
	usage.provider = text_cut(cut, arena);
	usage.price_model = text_cut(cut, arena);
	usage.mode = text_cut(cut, arena);
	usage.price_from_us = cut_i64(cut);
	usage.flags = cut_u32(cut);
	for (int i = 0; i < METER_KEPT_COUNT; i++)
		usage.meters.count[i] = cut_i64(cut);
	if (version == USAGE_VERSION_RARE)
		usage_rare_cut(cut, &usage);
	if (cut->bad || cut->left)
		return false;
	*out = usage;
	return true;
}

bool entry_usage_unpack(const uint8_t *data, size_t len, struct arena *arena, struct entry_usage *out)
{
	struct cut cut = cut_of(data, len);
	struct entry_usage usage;

	if (!usage_cut(&cut, arena, &usage) || !meters_check(&usage.meters, "usage", NULL))
		return false;
	*out = usage;
	return true;
}

void entry_adjustment_pack(const char *request_id, int attempt, const struct entry_rerate *rerate,
	const struct entry_usage *usage, struct buf *out)
{
	text_put(out, request_id);
	buf_put_u8(out, (uint8_t)(attempt | (rerate ? RERATED : 0)));
	if (rerate) {
		struct buf text = {0};

		entry_rerate_pack(rerate, &text);
		buf_put_str16(out, text.data, text.len);
		buf_release(&text);
	}
	entry_usage_pack(usage, out);
}

/* Reads what precedes the usage. */
static bool rerate_cut(struct cut *cut, struct arena *arena, struct entry *out)
{
	struct entry_rerate *rerate;
	size_t len = 0;
	const char *text;

	if (!(out->attempt & RERATED))
		return true;
	out->attempt &= ~RERATED;
	text = cut_str16(cut, &len);
	rerate = arena_alloc(arena, sizeof(*rerate));
	out->rerate = rerate;
	return !cut->bad && entry_rerate_unpack(text, len, arena, rerate);
}

static bool adjustment_unpack(const char *data, size_t len, struct arena *arena, struct entry *out)
{
	struct cut cut = cut_of(data, len);

	out->adjusts = text_cut(&cut, arena);
	out->attempt = cut_u8(&cut);
	return !cut.bad && rerate_cut(&cut, arena, out) && out->attempt <= 31 && usage_cut(&cut, arena, &out->usage) &&
	       meters_check_signed(&out->usage.meters, "usage", NULL);
}

static void starts_unpack(struct cut *cut, int version, struct entry_part *out)
{
	if (version == ENTRY_VERSION_LIMITS) {
		int rows = cut_u8(cut);

		cut_bytes(cut, (size_t)rows * LIMIT_ROW_BYTES);
		return;
	}
	for (int u = 0; u < WINDOW_COUNT; u++)
		out->window_start[u] = cut_int(cut, 7);
}

static bool part_unpack(struct cut *cut, int version, struct arena *arena, struct entry_part *out)
{
	out->present = cut_u8(cut) != 0;
	out->clock_us = cut_int(cut, 7);
	starts_unpack(cut, version, out);
	out->buckets = cut_u8(cut);
	if (cut->bad || out->buckets > LIMITS_MAX)
		return false;
	out->bucket = out->buckets ? arena_zalloc(arena, (size_t)out->buckets, sizeof(*out->bucket)) : NULL;
	for (int i = 0; i < out->buckets; i++) {
		struct entry_bucket *bucket = &out->bucket[i];

		bucket->limit_id = cut_u32(cut);
		bucket->full_at_us = cut_int(cut, 7);
		bucket->rem = (int64_t)cut_uint(cut, 7);
		bucket->num = cut_int(cut, 7);
		bucket->den = cut_int(cut, 7);
		if (bucket->num <= 0 || bucket->den <= 0 || bucket->rem >= bucket->den)
			return false;
	}
	return !cut->bad;
}

static bool head_unpack(struct cut *cut, struct entry *out, int *version)
{
	uint8_t kind, flags;

	*version = cut_u8(cut);
	kind = cut_u8(cut);

	out->attempt = cut_u8(cut);
	flags = cut_u8(cut);
	if (cut->bad || (*version != ENTRY_VERSION && *version != ENTRY_VERSION_LIMITS) || kind > ENTRY_ADJUST ||
		out->attempt > 31)
		return false;
	out->kind = (enum entry_kind)kind;
	out->final = flags & FINAL;
	out->late = flags & LATE;
	out->never_checked = flags & NEVER_CHECKED;
	out->ledger_only = flags & LEDGER_ONLY;
	out->at_us = cut_int(cut, 7);
	out->started_at_us = cut_int(cut, 7);
	amounts_cut(cut, &out->amounts);
	return !cut->bad;
}

static bool lost_unpack(const char *data, size_t len, struct arena *arena, struct entry *out)
{
	struct cut cut = cut_of(data, len);

	out->losts = cut_u8(&cut);
	if (cut.bad || out->losts > LIMITS_MAX)
		return false;
	out->lost = arena_zalloc(arena, (size_t)out->losts + 1, sizeof(*out->lost));
	for (int i = 0; i < out->losts; i++) {
		struct entry_lost *lost = &out->lost[i];

		lost->dimension = (enum dimension)cut_u8(&cut);
		lost->unit = (enum window_unit)cut_u8(&cut);
		lost->window_start = cut_int(&cut, 7);
		lost->used = cut_int(&cut, 7);
		if (!dimension_name(lost->dimension) || (unsigned)lost->unit >= WINDOW_COUNT)
			return false;
	}
	return !cut.bad && !cut.left;
}

/* An entry's third text: the usage of a record, what a reset removed, or what an adjustment corrects. */
static bool usage_unpack(const char *data, size_t len, struct arena *arena, struct entry *out)
{
	if (len == 0)
		return true;
	if (out->kind == ENTRY_RESET)
		return lost_unpack(data, len, arena, out);
	if (out->kind == ENTRY_ADJUST)
		return adjustment_unpack(data, len, arena, out);
	return entry_usage_unpack((const uint8_t *)data, len, arena, &out->usage);
}

const char *entry_counted_model(const struct entry_info *info)
{
	return info->price_model[0] ? info->price_model : info->model;
}

bool entry_unpack(const uint8_t *data, size_t len, struct arena *arena, struct entry *out)
{
	struct cut cut = cut_of(data, len);
	struct entry entry = {.adjusts = "", .usage = {.model = "", .provider = "", .price_model = "", .mode = ""}};
	const char *info;
	const char *usage;
	size_t info_len = 0;
	size_t usage_len = 0;
	int accounts;
	int version;

	if (!head_unpack(&cut, &entry, &version))
		return false;
	info = cut_str16(&cut, &info_len);
	usage = cut_str16(&cut, &usage_len);
	accounts = cut_u8(&cut);
	if (cut.bad || !entry_info_unpack((const uint8_t *)info, info_len, arena, &entry.info))
		return false;
	if (!usage_unpack(usage, usage_len, arena, &entry) || accounts != entry.info.accounts)
		return false;
	if (!entry.rerate) /* which names what the request used once more */
		entry.amounts.counted = meters_counted(&entry.usage.meters, arena);
	for (int i = 0; i < accounts; i++)
		if (!part_unpack(&cut, version, arena, &entry.part[i]))
			return false;
	if (cut.left)
		return false;
	*out = entry;
	return true;
}

static void part_pack(const struct entry_part *part, struct buf *out)
{
	buf_put_u8(out, part->present);
	buf_put_int(out, part->clock_us, 7);
	for (int u = 0; u < WINDOW_COUNT; u++)
		buf_put_int(out, part->window_start[u], 7);
	buf_put_u8(out, (uint8_t)part->buckets);
	for (int i = 0; i < part->buckets; i++) {
		buf_put_u32(out, part->bucket[i].limit_id);
		buf_put_int(out, part->bucket[i].full_at_us, 7);
		buf_put_uint(out, (uint64_t)part->bucket[i].rem, 7);
		buf_put_int(out, part->bucket[i].num, 7);
		buf_put_int(out, part->bucket[i].den, 7);
	}
}

static void lost_pack(const struct entry *entry, struct buf *out)
{
	buf_put_u8(out, (uint8_t)entry->losts);
	for (int i = 0; i < entry->losts; i++) {
		buf_put_u8(out, (uint8_t)entry->lost[i].dimension);
		buf_put_u8(out, (uint8_t)entry->lost[i].unit);
		buf_put_int(out, entry->lost[i].window_start, 7);
		buf_put_int(out, entry->lost[i].used, 7);
	}
}

void entry_pack(const struct entry *entry, struct buf *out)
{
	struct buf text = {0};

	buf_put_u8(out, ENTRY_VERSION);
	buf_put_u8(out, (uint8_t)entry->kind);
	buf_put_u8(out, (uint8_t)entry->attempt);
	buf_put_u8(out, (uint8_t)((entry->final ? FINAL : 0) | (entry->late ? LATE : 0) |
				  (entry->never_checked ? NEVER_CHECKED : 0) | (entry->ledger_only ? LEDGER_ONLY : 0)));
	buf_put_int(out, entry->at_us, 7);
	buf_put_int(out, entry->started_at_us, 7);
	amounts_put(out, &entry->amounts);
	entry_info_pack(&entry->info, &text);
	buf_put_str16(out, text.data, text.len);
	buf_reset(&text);
	if (entry->kind == ENTRY_RECORD)
		entry_usage_pack(&entry->usage, &text);
	else if (entry->kind == ENTRY_RESET)
		lost_pack(entry, &text);
	else if (entry->kind == ENTRY_ADJUST)
		entry_adjustment_pack(entry->adjusts, entry->attempt, entry->rerate, &entry->usage, &text);
	buf_put_str16(out, text.data, text.len);
	buf_release(&text);
	buf_put_u8(out, (uint8_t)entry->info.accounts);
	for (int i = 0; i < entry->info.accounts; i++)
		part_pack(&entry->part[i], out);
}
