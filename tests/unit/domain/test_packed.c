/* The packed formats in the stores: profiles, ledger entries, handles; and how garbage is read. */

#include <stdlib.h>
#include <string.h>

#include "domain/record/entry.h"
#include "domain/limit/profile.h"
#include "base/text/pack.h"
#include "base/unconst.h"
#include "lib/test.h"

static struct arena arena;
static struct err err;

static struct handle handle_sample(void)
{
	return (struct handle){.tenant = "acme",
		.user = "ann",
		.request_id = "r:1/2",
		.started_at_us = INT64_C(1795430000000001),
		.model = "openai/gpt-5",
		.accounts = 3,
		.account = {{ACCOUNT_USER, "ann"}, {ACCOUNT_TEAM, "blue"}, {ACCOUNT_TENANT, "acme"}}};
}

static bool parse(const char *text, struct handle *out)
{
	return handle_parse(text, strlen(text), "reservation", &arena, out, &err);
}

TEST(a_handle_comes_back)
{
	struct handle handle = handle_sample();
	struct handle back;
	const char *text = handle_format(&handle, &arena);

	assert_int_equal(
		strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), strlen(text));
	assert_true(parse(text, &back));
	assert_string_equal(back.tenant, "acme");
	assert_string_equal(back.user, "ann");
	assert_string_equal(back.request_id, "r:1/2");
	assert_string_equal(back.model, "openai/gpt-5");
	assert_int_equal(back.started_at_us, handle.started_at_us);
	assert_int_equal(back.accounts, 3);
	assert_string_equal(back.account[1].id, "blue");
	assert_int_equal(back.account[2].kind, ACCOUNT_TENANT);
	assert_string_equal(back.account[2].id, "acme");
}

/* Handles and infos without a mode have the format of releases without modes, which can read them. */
TEST(a_mode_is_packed_only_where_there_is_one)
{
	struct handle handle = handle_sample(), back;
	size_t without = strlen(handle_format(&handle, &arena));
	struct entry_info info = {.tenant = "acme", .user = "ann", .request_id = "r1"}, info_back;
	struct buf packed = {0};

	assert_true(parse(handle_format(&handle, &arena), &back));
	assert_string_equal(back.mode, "");
	handle.mode = "";
	assert_int_equal(strlen(handle_format(&handle, &arena)), without);
	handle.mode = "batch";
	assert_true(parse(handle_format(&handle, &arena), &back));
	assert_string_equal(back.mode, "batch");
	assert_string_equal(back.model, "openai/gpt-5");
	entry_info_pack(&info, &packed);
	assert_true(entry_info_unpack((uint8_t *)packed.data, packed.len, &arena, &info_back));
	assert_string_equal(info_back.mode, "");
	without = packed.len;
	buf_reset(&packed);
	info.mode = "batch";
	entry_info_pack(&info, &packed);
	assert_int_equal(packed.len, without + 2 + 5);
	assert_true(entry_info_unpack((uint8_t *)packed.data, packed.len, &arena, &info_back));
	assert_string_equal(info_back.mode, "batch");
	buf_release(&packed);
}

TEST(a_handle_of_edge_ids_comes_back)
{
	char longest[ID_MAX + 1];
	struct handle handle = handle_sample();
	struct handle back;

	memset(longest, 'x', ID_MAX);
	longest[ID_MAX] = '\0';
	handle.tenant = longest;
	handle.user = "a/{b}:%\"\\ \xd0\x96\xf0\x9f\x98\x80";
	handle.request_id = longest;
	handle.model = NULL;
	handle.mode = longest;
	handle.account[0].id = handle.user;
	handle.account[1].id = longest;
	handle.account[2].id = longest;
	assert_true(parse(handle_format(&handle, &arena), &back));
	assert_string_equal(back.user, handle.user);
	assert_string_equal(back.account[0].id, handle.user);
	assert_string_equal(back.account[1].id, longest);
	assert_string_equal(back.model, "");
	assert_string_equal(back.mode, longest);
}

TEST(garbage_is_not_a_handle)
{
	static const char *const texts[] = {
		"", "A", "AAAA", "====", "not a handle", "AQ", "\xff\xff\xff\xff", "AAAAAAAAAAAA"};
	struct handle handle = handle_sample();
	struct handle back;
	char *text = unconst(handle_format(&handle, &arena));
	size_t len = strlen(text);
	char huge[5000];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_false(parse(texts[i], &back));
		assert_int_equal(err.code, ERR_INVALID);
		assert_string_equal(err.field, "reservation");
	}
	for (size_t n = 0; n < len; n++)
		assert_false(handle_parse(text, n, "reservation", &arena, &back, &err));
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		text[i] = c == 'A' ? 'B' : 'A';
		assert_false(parse(text, &back));
		text[i] = c;
	}
	memset(huge, 'A', sizeof(huge));
	assert_false(handle_parse(huge, sizeof(huge), "reservation", &arena, &back, &err));
}

TEST(a_profile_comes_back)
{
	struct limit overrides[2] = {
		{.dimension = DIM_REQUESTS, .kind = KIND_BUCKET, .amount = 7, .period_us = 60000000, .burst = 9},
		{.dimension = DIM_COST,
			.kind = KIND_CALENDAR,
			.unit = WINDOW_MONTH,
			.amount = COUNT_MAX,
			.shadow = true,
			.notify = true,
			.warn_percent = 50,
			.interface = "telegram",
			.model = "m"},
	};
	struct account_profile profile = {.tier = "pro",
		.team = "blue",
		.org = "corp",
		.zone = {.name = "Europe/Berlin", .kept = {{1, 2, 3}, {4, 5}, {6, COUNT_MAX}}},
		.suspended = true,
		.deleted = true,
		.grace_percent = 100,
		.grace_until_us = INT64_C(1795430000000000),
		.version = 7,
		.override_count = 2,
		.overrides = overrides};
	struct account_profile back;
	struct buf packed = {0};

	assert_true(limit_prepare(&overrides[0], &err) && limit_prepare(&overrides[1], &err));
	profile_pack(&profile, &packed);
	assert_true(profile_unpack((uint8_t *)packed.data, packed.len, &arena, &back));
	assert_string_equal(back.tier, "pro");
	assert_string_equal(back.team, "blue");
	assert_string_equal(back.org, "corp");
	assert_string_equal(back.zone.name, "Europe/Berlin");
	assert_memory_equal(&back.zone, &profile.zone, sizeof(back.zone));
	assert_true(back.suspended && back.deleted && !back.bypass);
	assert_int_equal(back.grace_percent, 100);
	assert_int_equal(back.version, 7);
	assert_int_equal(back.override_count, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(back.overrides[i].id, overrides[i].id);
		assert_int_equal(back.overrides[i].amount, overrides[i].amount);
		assert_int_equal(back.overrides[i].burst_us, overrides[i].burst_us);
		assert_int_equal(back.overrides[i].model_hash, overrides[i].model_hash);
		assert_int_equal(back.overrides[i].notify, overrides[i].notify);
	}
	for (size_t n = 0; n < packed.len; n++)
		assert_false(profile_unpack((uint8_t *)packed.data, n, &arena, &back));
	buf_release(&packed);
}

/* The bytes as earlier versions wrote them. */
static bool old_profile(
	uint8_t version, const char *zone, const char *previous, int64_t changed_at_us, struct account_profile *out)
{
	struct buf packed = {0};
	bool ok;

	buf_put_u8(&packed, version);
	buf_put_u8(&packed, 0);
	buf_put_u32(&packed, 7);
	buf_put_u32(&packed, 0);
	buf_put_i64(&packed, 0);
	for (int i = 0; i < 3; i++)
		text_put(&packed, "");
	text_put(&packed, zone);
	text_put(&packed, previous);
	buf_put_i64(&packed, changed_at_us);
	buf_put_u8(&packed, 0);
	ok = profile_unpack((uint8_t *)packed.data, packed.len, &arena, out);
	buf_release(&packed);
	return ok;
}

TEST(a_profile_of_an_older_version_keeps_the_windows_of_its_change)
{
	struct account_profile back;
	int64_t noon = INT64_C(1795435200000000), hour = INT64_C(3600000000); /* 2026-11-23 12:00 UTC, a Monday */

	for (uint8_t version = 1; version <= 2; version++) {
		assert_true(old_profile(version, "Asia/Tokyo", "", 0, &back));
		assert_string_equal(back.zone.name, "Asia/Tokyo");
		assert_false(zone_keeps(&back.zone));
		assert_true(old_profile(version, "Asia/Tokyo", "UTC", noon, &back));
		assert_string_equal(back.zone.name, "Asia/Tokyo");
		assert_int_equal(back.zone.kept[WINDOW_DAY][0], noon - 12 * hour);
		assert_int_equal(back.zone.kept[WINDOW_DAY][1], noon + 12 * hour);
		assert_int_equal(back.zone.kept[WINDOW_WEEK][0], noon - 12 * hour);
		assert_int_equal(back.zone.kept[WINDOW_MONTH][1], noon + (7 * 24 + 12) * hour);
		assert_true(old_profile(version, "Asia/Tokyo", "UTC", INT64_MAX, &back));
		assert_true(old_profile(version, "Asia/Tokyo", "UTC", INT64_MIN, &back));
		assert_true(old_profile(version, "", "Nowhere/Land", noon, &back));
	}
	assert_false(old_profile(4, "", "", 0, &back));
}

TEST(kept_windows_out_of_order_are_refused)
{
	static const int64_t bad[][KEPT_BOUNDS] = {{2, 1}, {1, 0}, {1, 1}, {0, 0, 5}, {1, 5, 4}, {1, 5, 5},
		{1, COUNT_MAX + 1}, {INT64_MIN, 5}, {1, 2, INT64_MAX}};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct account_profile profile = {.zone.kept = {{1, 2}}}, back;
		struct buf packed = {0};

		memcpy(profile.zone.kept[WINDOW_MONTH], bad[i], sizeof(bad[i]));
		profile_pack(&profile, &packed);
		assert_false(profile_unpack((uint8_t *)packed.data, packed.len, &arena, &back));
		buf_release(&packed);
	}
}

TEST(an_override_comes_back_with_its_end_and_is_dropped_at_it)
{
	struct limit overrides[3] = {
		{.dimension = DIM_REQUESTS, .kind = KIND_CALENDAR, .amount = 1, .until_us = 50},
		{.dimension = DIM_TOKENS, .kind = KIND_CALENDAR, .amount = 2},
		{.dimension = DIM_COST, .kind = KIND_CALENDAR, .amount = 3, .until_us = 70},
	};
	struct account_profile profile = {.override_count = 3, .overrides = overrides}, back;
	struct buf packed = {0};

	for (int i = 0; i < 3; i++)
		assert_true(limit_prepare(&overrides[i], &err));
	profile_pack(&profile, &packed);
	assert_true(profile_unpack((uint8_t *)packed.data, packed.len, &arena, &back));
	assert_int_equal(back.overrides[0].until_us, 50);
	assert_int_equal(back.overrides[1].until_us, 0);
	assert_int_equal(profile_drop_ended(&back, 49), 0);
	assert_int_equal(profile_drop_ended(&back, 50), 1);
	assert_int_equal(back.override_count, 2);
	assert_int_equal(back.overrides[0].amount, 2);
	assert_int_equal(back.overrides[1].amount, 3);
	for (size_t n = 0; n < packed.len; n++)
		assert_false(profile_unpack((uint8_t *)packed.data, n, &arena, &back));
	buf_release(&packed);
}

static struct entry entry_sample(struct entry_bucket *bucket)
{
	struct entry entry = {.kind = ENTRY_RECORD,
		.attempt = 31,
		.final = true,
		.late = true,
		.at_us = 9,
		.started_at_us = 8,
		.amounts = {1, COUNT_MAX, 0, -5, NULL},
		.info = {.tenant = "acme",
			.user = "ann",
			.request_id = "r1",
			.interface = "web",
			.model = "m",
			.tier = "pro",
			.accounts = 1,
			.account = {{ACCOUNT_USER, "ann"}}},
		.usage = {.model = "m-2",
			.provider = "openai",
			.price_model = "m",
			.price_from_us = 3,
			.flags = FLAG_UNPRICED,
			.meters = {.count = {1, 2, 3, 4, 5, 6, 7}}},
		.part = {{.present = true,
			.clock_us = 10,
			.window_start = {77, 66, 55},
			.buckets = 1,
			.bucket = bucket}}};

	return entry;
}

/* Packs the entry, and reads it back. */
static struct entry packed_and_read(const struct entry *entry, struct buf *packed)
{
	struct entry back;

	buf_reset(packed);
	entry_pack(entry, packed);
	assert_true(entry_unpack((uint8_t *)packed->data, packed->len, &arena, &back));
	return back;
}

static void entry_is_refused(const struct buf *packed, size_t len)
{
	struct entry back;

	assert_false(entry_unpack((uint8_t *)packed->data, len, &arena, &back));
}

TEST(a_re_rating_comes_back_with_what_was_before_it)
{
	struct entry_rerate before = {.provider = "",
		.model = "new-model",
		.unpriced = true,
		.again = true,
		.corrected = -7,
		.moved = {1, 2, 3, 4, NULL},
		.compared = true,
		.provider_cost_nano = 5,
		.list_cost_nano = 6};
	struct entry entry = entry_sample(NULL), back;
	struct buf packed = {0};

	before.meters.count[METER_OUTPUT] = 8;
	before.meters.count[METER_SEARCH_UNITS] = 9;
	entry.kind = ENTRY_ADJUST;
	entry.part[0].buckets = 0;
	entry.adjusts = "r0";
	entry.rerate = &before;
	entry.usage.list_cost_nano = 44;
	back = packed_and_read(&entry, &packed);
	assert_int_equal(back.attempt, 31);
	assert_string_equal(back.adjusts, "r0");
	assert_int_equal(back.usage.list_cost_nano, 44);
	assert_string_equal(back.rerate->model, "new-model");
	assert_true(back.rerate->unpriced && back.rerate->again && back.rerate->compared);
	assert_int_equal(back.rerate->corrected, -7);
	assert_int_equal(back.rerate->list_cost_nano, 6);
	assert_memory_equal(&back.rerate->moved, &before.moved, sizeof(before.moved));
	assert_memory_equal(&back.rerate->meters, &before.meters, sizeof(before.meters));
	for (size_t n = 0; n < packed.len; n++)
		entry_is_refused(&packed, n);
	assert_int_equal(back.rerate->allowance_nano, 0);
	before.allowance_before_nano = 12;
	before.allowance_nano = INT64_C(9007199254740991);
	back = packed_and_read(&entry, &packed);
	assert_int_equal(back.rerate->allowance_before_nano, 12);
	assert_int_equal(back.rerate->allowance_nano, INT64_C(9007199254740991));
	for (size_t n = 0; n < packed.len; n++)
		entry_is_refused(&packed, n);
	entry.rerate = NULL;
	assert_null(packed_and_read(&entry, &packed).rerate);
	buf_release(&packed);
}

/* The entry is refused when anything is missing at its end. */
static void no_part_is_an_entry(const struct buf *packed)
{
	for (size_t n = 0; n < packed->len; n++)
		entry_is_refused(packed, n);
}

/* The previous release cannot read them: they are written only when there is something to write. */
TEST(rare_meters_and_a_providers_cost_come_back)
{
	struct entry_bucket bucket = {.limit_id = 2, .full_at_us = 88, .rem = 4, .num = 60000000, .den = 7};
	struct entry entry = entry_sample(&bucket);
	struct buf plain = {0}, packed = {0};
	struct entry back = packed_and_read(&entry, &plain);

	assert_false(back.usage.provider_cost_known);
	entry.usage.meters.count[METER_CACHE_WRITE_1H] = 44;
	entry.usage.meters.count[METER_SEARCH_UNITS] = 3;
	entry.usage.provider_cost_known = true;
	entry.usage.provider_cost_nano = 12345;
	entry.usage.list_cost_nano = 12344;
	back = packed_and_read(&entry, &packed);
	assert_int_equal(back.usage.meters.count[METER_CACHE_WRITE_1H], 44);
	assert_int_equal(back.usage.meters.count[METER_SEARCH_UNITS], 3);
	assert_int_equal(back.usage.meters.count[METER_AUDIO_OUTPUT], 7);
	assert_int_equal(back.usage.meters.count[METER_PAGES], 0);
	assert_true(back.usage.provider_cost_known);
	assert_int_equal(back.usage.provider_cost_nano, 12345);
	assert_int_equal(back.usage.list_cost_nano, 12344);
	assert_int_equal(packed.len - plain.len, 1 + 2 * (1 + 8) + 1 + 8 + 8);
	no_part_is_an_entry(&packed);
	buf_release(&plain);
	buf_release(&packed);
}

TEST(an_entry_comes_back)
{
	struct entry_bucket bucket = {.limit_id = 2, .full_at_us = 88, .rem = 4, .num = 60000000, .den = 7};
	struct entry entry = entry_sample(&bucket);
	struct buf packed = {0};
	struct entry back = packed_and_read(&entry, &packed);

	assert_int_equal(back.attempt, 31);
	assert_true(back.final && back.late && !back.never_checked);
	assert_int_equal(back.amounts.input, COUNT_MAX);
	assert_int_equal(back.amounts.cost, -5);
	assert_string_equal(back.info.request_id, "r1");
	assert_string_equal(back.info.reason, "");
	assert_string_equal(back.info.account[0].id, "ann");
	assert_string_equal(back.usage.model, "m-2");
	assert_int_equal(back.usage.meters.count[METER_AUDIO_OUTPUT], 7);
	assert_int_equal(back.part[0].window_start[WINDOW_MONTH], 55);
	assert_int_equal(back.part[0].bucket[0].den, 7);
	no_part_is_an_entry(&packed);
	buf_put_u8(&packed, 0);
	entry_is_refused(&packed, packed.len);
	buf_release(&packed);
}

TEST(a_reset_says_what_it_took_away)
{
	struct entry_lost lost = {.dimension = DIM_COST, .unit = WINDOW_WEEK, .window_start = 66, .used = 3};
	struct entry_bucket bucket = {.num = 1, .den = 1};
	struct entry entry = entry_sample(&bucket);
	struct entry back;
	struct buf packed = {0};

	entry.kind = ENTRY_RESET;
	entry.losts = 1;
	entry.lost = &lost;
	back = packed_and_read(&entry, &packed);
	assert_int_equal(back.losts, 1);
	assert_int_equal(back.lost[0].unit, WINDOW_WEEK);
	assert_int_equal(back.lost[0].used, 3);
	buf_release(&packed);
}

TEST(an_adjustment_has_any_sign_and_names_what_it_corrects)
{
	struct entry_bucket bucket = {.num = 1, .den = 1};
	struct entry entry = entry_sample(&bucket);
	struct entry back;
	struct buf packed = {0};

	entry.kind = ENTRY_ADJUST;
	entry.attempt = 3;
	entry.adjusts = "msg-1";
	entry.ledger_only = true;
	entry.amounts = (struct amounts){.requests = -1, .input = -100, .output = 5, .cost = -7};
	entry.usage.meters = (struct meters){.count = {[METER_INPUT] = -100, [METER_OUTPUT] = 5}};
	back = packed_and_read(&entry, &packed);
	assert_string_equal(back.adjusts, "msg-1");
	assert_true(back.ledger_only);
	assert_int_equal(back.attempt, 3);
	assert_int_equal(back.amounts.cost, -7);
	assert_int_equal(back.usage.meters.count[METER_INPUT], -100);
	no_part_is_an_entry(&packed);
	buf_reset(&packed);
	entry.usage.meters.count[METER_INPUT] = -COUNT_MAX - 1;
	entry_pack(&entry, &packed);
	entry_is_refused(&packed, packed.len);
	buf_release(&packed);
}

/* It waited in an outbox during an upgrade: `B windows`, each `I4 limit id, B dimension, i7 start, i7 amount`. */
TEST(an_entry_of_the_release_before_is_read_without_its_windows)
{
	struct entry_bucket bucket = {.limit_id = 2, .full_at_us = 88, .rem = 4, .num = 60000000, .den = 7};
	struct entry entry = entry_sample(&bucket);
	struct entry back;
	struct buf packed = {0}, old = {0};
	size_t starts;

	entry_pack(&entry, &packed);
	starts = packed.len - (1 + 4 + 7 * 4) - 3 * 7; /* of the only part: after present and clock */
	buf_put(&old, packed.data, starts);
	old.data[0] = 1;
	buf_put_u8(&old, 1);
	buf_put_u32(&old, 9);
	buf_put_u8(&old, DIM_COST);
	buf_put_int(&old, 77, 7);
	buf_put_int(&old, 3, 7);
	buf_put(&old, packed.data + starts + 3 * 7, packed.len - starts - 3 * 7);
	assert_true(entry_unpack((uint8_t *)old.data, old.len, &arena, &back));
	assert_int_equal(back.amounts.cost, -5);
	assert_int_equal(back.part[0].window_start[WINDOW_DAY], 0);
	assert_int_equal(back.part[0].bucket[0].den, 7);
	no_part_is_an_entry(&old);
	buf_release(&packed);
	buf_release(&old);
}

/* With a fixed seed: half a sample, half noise. */
TEST(noise_is_read_or_refused)
{
	struct entry_bucket bucket = {.num = 1, .den = 1};
	struct entry entry = entry_sample(&bucket);
	struct account_profile profile;
	struct buf packed = {0};
	unsigned seed = 7;

	entry_pack(&entry, &packed);
	for (int round = 0; round < 20000; round++) {
		char *copy = malloc(packed.len);

		assert_non_null(copy);
		memcpy(copy, packed.data, packed.len);
		for (int i = 0; i < 4; i++)
			copy[(size_t)rand_r(&seed) % packed.len] = (char)rand_r(&seed);
		entry_unpack((uint8_t *)copy, packed.len, &arena, &entry);
		profile_unpack((uint8_t *)copy, packed.len, &arena, &profile);
		free(copy);
		arena_reset(&arena);
	}
	buf_release(&packed);
}

TEST(token_classes_are_summed_and_bounded)
{
	struct meters tokens = {.count = {1, 2, 3, 40, 50, 6, 70}};

	assert_int_equal(tokens_input(&tokens), 12);
	assert_int_equal(tokens_output(&tokens), 160);
	assert_true(meters_check(&tokens, "usage", &err));
	tokens.count[METER_REASONING] = -1;
	assert_false(meters_check(&tokens, "usage", &err));
	assert_string_equal(err.field, "usage.reasoning_tokens");
	tokens.count[METER_REASONING] = COUNT_MAX;
	assert_false(meters_check(&tokens, "usage", &err));
	assert_string_equal(err.field, "usage");
	tokens.count[METER_INPUT] = INT64_MAX;
	assert_false(meters_check(&tokens, "usage", &err));
	assert_string_equal(err.field, "usage.input_tokens");
	assert_string_equal(meter_name(METER_CACHE_WRITE), "cache_write");
	assert_null(meter_name(METER_COUNT));
}

TEST(kinds_of_accounts_have_names)
{
	enum account_kind kind;

	assert_true(account_kind_parse("org", &kind) && kind == ACCOUNT_ORG);
	assert_false(account_kind_parse("Org", &kind));
	assert_null(account_kind_name((enum account_kind)0));
	assert_string_equal(account_kind_name(ACCOUNT_TENANT), "tenant");
}

static int teardown(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

TEST_GROUP(NULL, teardown);
