/* Limits and policies: what is accepted, what is derived, how they are packed. */

#include <string.h>

#include "domain/limit/policy_pack.h"
#include "lib/test.h"

static struct err err;

static struct limit bucket(int64_t amount, int64_t period_us)
{
	return (struct limit){.dimension = DIM_REQUESTS, .kind = KIND_BUCKET, .amount = amount, .period_us = period_us};
}

static void refused(struct limit limit, const char *field)
{
	struct limit before = limit;

	assert_false(limit_prepare(&limit, &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.field, field);
	assert_memory_equal(&before, &limit, sizeof(limit));
}

TEST(a_bucket_is_reduced_to_its_rate)
{
	struct limit limit = bucket(40000, 60000000);

	assert_true(limit_prepare(&limit, &err));
	assert_int_equal(limit.num, 1500);
	assert_int_equal(limit.den, 1);
	assert_int_equal(limit.burst, 40000);
	assert_int_equal(limit.burst_us, 60000000);
	limit = bucket(7, 60000000);
	limit.burst = 3;
	assert_true(limit_prepare(&limit, &err));
	assert_int_equal(limit.num, 60000000);
	assert_int_equal(limit.den, 7);
	assert_int_equal(limit.burst_us, 25714285); /* 3 x 60,000,000 / 7 = 25,714,285 5/7 */
	assert_int_equal(limit.burst_rem, 5);
}

TEST(names_are_made_from_the_rest)
{
	struct limit limit = bucket(3, 60000000);
	struct limit day = {.dimension = DIM_COST, .kind = KIND_CALENDAR, .unit = WINDOW_MONTH, .amount = 5};
	struct limit level = {.dimension = DIM_CONCURRENT,
		.kind = KIND_LEVEL,
		.amount = 1,
		.interface = "telegram",
		.model = "openai/gpt-5"};

	assert_true(limit_prepare(&limit, &err));
	assert_string_equal(limit.name, "requests_per_minute");
	assert_int_equal(limit.warn_percent, 80);
	limit = bucket(3, INT64_C(86400000000));
	assert_true(limit_prepare(&limit, &err));
	assert_string_equal(limit.name, "requests_per_24h");
	limit = bucket(3, 1500);
	assert_true(limit_prepare(&limit, &err));
	assert_string_equal(limit.name, "requests_per_1500us");
	assert_true(limit_prepare(&day, &err));
	assert_string_equal(day.name, "cost_per_month");
	assert_true(limit_prepare(&level, &err));
	assert_int_equal(strncmp(level.name, "concurrent-telegram-", 20), 0);
	assert_int_equal(strlen(level.name), 20 + 12); /* the model's name has a slash, so its hash is used instead */
}

TEST(what_makes_no_limit_names_its_field)
{
	struct limit limit;

	refused(bucket(-1, 60000000), "amount");
	refused(bucket(COUNT_MAX + 1, 60000000), "amount");
	refused(bucket(INT64_MIN, 60000000), "amount");
	refused(bucket(1, 999), "period_us");
	refused(bucket(1, INT64_C(31622400000001)), "period_us");
	limit = bucket(1, INT64_C(31622400000000));
	limit.burst = 100; /* 100 leap years and more */
	refused(limit, "burst");
	limit = bucket(0, 1000);
	limit.burst = 1;
	refused(limit, "burst");
	limit = bucket(1, 1000);
	limit.burst = -1;
	refused(limit, "burst");
	limit = bucket(1, 1000);
	limit.dimension = DIM_CONCURRENT;
	refused(limit, "kind");
	limit.dimension = (enum dimension)77;
	refused(limit, "dimension");
	limit = bucket(1, 1000);
	limit.warn_percent = 101;
	refused(limit, "warn_percent");
	strcpy(limit.name, "Upper");
	limit.warn_percent = 0;
	refused(limit, "name");
	limit.name[0] = '\0';
	strcpy(limit.interface, "a\x01");
	refused(limit, "interface");
	limit = (struct limit){
		.dimension = DIM_REQUESTS, .kind = KIND_CALENDAR, .unit = (enum window_unit)9, .amount = 1};
	refused(limit, "window");
	limit.unit = WINDOW_DAY;
	limit.period_us = 5;
	refused(limit, "period_us");
}

TEST(a_policy_refuses_two_of_one_name)
{
	struct policy policy = {.count = 2, .limits = {bucket(1, 60000000), bucket(2, 60000000)}};

	assert_false(policy_prepare(&policy, &err));
	assert_string_equal(err.field, "limits[1].name");
	policy.limits[1].amount = -1;
	policy.limits[0].name[0] = '\0';
	assert_false(policy_prepare(&policy, &err));
	assert_string_equal(err.field, "limits[1].amount");
	policy.count = LIMITS_MAX + 1;
	assert_false(policy_prepare(&policy, &err));
	assert_string_equal(err.field, "limits");
}

TEST(overrides_replace_by_name_or_are_appended)
{
	struct policy tier = {.count = 2, .limits = {bucket(3, 60000000), bucket(9, 3600000000)}};
	struct limit overrides[2] = {bucket(30, 60000000), bucket(1, 1000000)};
	struct policy merged;

	assert_true(policy_prepare(&tier, &err));
	assert_true(limit_prepare(&overrides[0], &err) && limit_prepare(&overrides[1], &err));
	assert_true(policy_merge(&tier, overrides, 2, &merged, &err));
	assert_int_equal(merged.count, 3);
	assert_int_equal(merged.limits[0].amount, 30);
	assert_int_equal(merged.limits[1].amount, 9);
	assert_string_equal(merged.limits[2].name, "requests_per_second");
	assert_memory_not_equal(merged.pid, tier.pid, 8);
	assert_true(policy_merge(&tier, NULL, 0, &merged, &err));
	assert_memory_equal(merged.pid, tier.pid, 8);
	tier.count = LIMITS_MAX;
	assert_false(policy_merge(&tier, &overrides[1], 1, &merged, &err));
}

TEST(selectors_match_by_hash)
{
	struct limit limit = bucket(1, 1000);
	uint64_t telegram = selector_hash("telegram", 8);

	strcpy(limit.interface, "telegram");
	assert_true(limit_prepare(&limit, &err));
	assert_true(telegram > 0 && telegram < UINT64_C(1) << 48);
	assert_int_equal(selector_hash("", 0), 0);
	assert_true(limit_matches(&limit, telegram, 0));
	assert_true(limit_matches(&limit, telegram, 5));
	assert_false(limit_matches(&limit, telegram + 1, 5));
	assert_false(limit_matches(&limit, 0, 0));
}

TEST(selectors_are_the_same_in_any_spelling)
{
	struct policy one = {.count = 1, .limits = {bucket(1, 1000)}}, other = one;

	strcpy(one.limits[0].name, "one");
	strcpy(other.limits[0].name, "one");
	strcpy(one.limits[0].interface, "telegram");
	strcpy(one.limits[0].model, "gpt-4o");
	strcpy(other.limits[0].interface, "  TeleGram ");
	strcpy(other.limits[0].model, " GPT-4o  ");
	assert_true(policy_prepare(&one, &err) && policy_prepare(&other, &err));
	assert_memory_equal(one.pid, other.pid, 8);
	assert_string_equal(other.limits[0].interface, "telegram");
	assert_string_equal(other.limits[0].model, "GPT-4o");
	limit_model_is(&other.limits[0], "gpt-5");
	policy_seal(&other);
	assert_memory_not_equal(one.pid, other.pid, 8);
	assert_true(limit_matches(&other.limits[0], selector_hash("telegram", 8), selector_hash("gpt-5", 5)));
}

TEST(a_selector_of_spaces_is_not_one_of_everything)
{
	struct limit limit = bucket(1, 1000);

	strcpy(limit.interface, "  ");
	assert_false(limit_prepare(&limit, &err));
	assert_string_equal(err.field, "interface");
	limit.interface[0] = '\0';
	strcpy(limit.model, " ");
	assert_false(limit_prepare(&limit, &err));
	assert_string_equal(err.field, "model");
}

TEST(grace_is_rounded_down_and_capped)
{
	struct limit limit = {.kind = KIND_CALENDAR, .amount = 3};

	assert_int_equal(limit_effective(&limit, 0), 3);
	assert_int_equal(limit_effective(&limit, 50), 4);
	assert_int_equal(limit_effective(&limit, 100), 6);
	limit.amount = COUNT_MAX;
	assert_int_equal(limit_effective(&limit, 100), COUNT_MAX);
	limit = bucket(3, 1000);
	assert_int_equal(limit_effective(&limit, 100), 3);
}

TEST(a_packed_policy_comes_back)
{
	struct policy policy = {.count = 3,
		.limits = {bucket(7, 60000000), bucket(0, 1000),
			{.dimension = DIM_COST,
				.kind = KIND_CALENDAR,
				.unit = WINDOW_WEEK,
				.amount = COUNT_MAX,
				.notify = true,
				.shadow = true,
				.warn_percent = 33,
				.model = "m"}}};
	struct policy back;
	struct buf packed = {0};

	assert_true(policy_prepare(&policy, &err));
	policy_pack(&policy, &packed);
	assert_int_equal(packed.len, 2 + 3 * 61);
	assert_true(policy_unpack((uint8_t *)packed.data, packed.len, &back));
	assert_memory_equal(back.pid, policy.pid, 8);
	for (int i = 0; i < 3; i++) {
		const struct limit *a = &policy.limits[i];
		const struct limit *b = &back.limits[i];

		assert_int_equal(a->id, b->id);
		assert_int_equal(a->amount, b->amount);
		assert_int_equal(a->burst, b->burst);
		assert_int_equal(a->num, b->num);
		assert_int_equal(a->den, b->den);
		assert_int_equal(a->burst_us, b->burst_us);
		assert_int_equal(a->burst_rem, b->burst_rem);
		assert_int_equal(a->warn_percent, b->warn_percent);
		assert_int_equal(a->model_hash, b->model_hash);
		assert_int_equal(a->shadow, b->shadow);
		assert_int_equal(a->notify, b->notify);
		assert_int_equal(a->unit, b->unit);
	}
	for (size_t n = 0; n < packed.len; n++)
		assert_false(policy_unpack((uint8_t *)packed.data, n, &back));
	packed.data[1] = LIMITS_MAX + 1;
	assert_false(policy_unpack((uint8_t *)packed.data, packed.len, &back));
	packed.data[1] = 3;
	packed.data[2 + 5] = 9; /* an unknown kind */
	assert_false(policy_unpack((uint8_t *)packed.data, packed.len, &back));
	buf_release(&packed);
}

/* These numbers are stored permanently, so they must never change. */
TEST(ids_and_pids_are_what_they_were)
{
	struct policy policy = {.count = 1, .limits = {bucket(3, 60000000)}};

	assert_true(policy_prepare(&policy, &err));
	assert_int_equal(policy.limits[0].id, UINT32_C(217011402));
	assert_memory_equal(policy.pid,
		"\x10"
		"\x3e"
		"\xfa"
		"\xa7"
		"\xfb"
		"\x41"
		"\x43"
		"\xb0",
		8);
	assert_int_equal(selector_hash("telegram", 8), UINT64_C(188306226858236));
}

TEST(names_are_parsed_and_written)
{
	enum dimension dimension;
	enum limit_kind kind;
	enum window_unit unit;

	assert_true(dimension_parse("input_tokens", &dimension) && dimension == DIM_INPUT);
	assert_true(limit_kind_parse("level", &kind) && kind == KIND_LEVEL);
	assert_true(window_unit_parse("week", &unit) && unit == WINDOW_WEEK);
	assert_false(
		dimension_parse("", &dimension) || limit_kind_parse("x", &kind) || window_unit_parse("Day", &unit));
	assert_null(dimension_name(DIM_COUNT));
	assert_null(window_unit_name((enum window_unit) - 1));
}
