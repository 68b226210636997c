/* The settings of a pool: their bounds, and the format stored in Redis. */
#include <stdlib.h>
#include <string.h>

#include "domain/pool.h"
#include "lib/test.h"

#define SECOND INT64_C(1000000)

static struct pool_settings shipped(void)
{
	struct pool_settings settings;

	pool_settings_default(&settings, POOL_DEFAULT, 5);
	return settings;
}

/* The settings are refused because of that field. */
static void refused(const struct pool_settings *settings, const char *field)
{
	struct err err;

	assert_false(pool_settings_check(settings, &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.field, field);
}

TEST(the_shipped_settings_are_allowed_and_say_what_the_docs_say)
{
	struct pool_settings settings = shipped();
	struct err err;

	assert_true(pool_settings_check(&settings, &err));
	assert_int_equal(settings.wait_max_us, 300 * SECOND);
	assert_int_equal(settings.predicted_wait_max_us, 150 * SECOND);
	assert_int_equal(settings.starve_us, 240 * SECOND);
	assert_int_equal(settings.lease_us, 30 * SECOND);
	assert_int_equal(settings.age_every, 5);
}

#define REFUSED(member, value, name) \
	do { \
		struct pool_settings settings = shipped(); \
		settings.member = value; \
		refused(&settings, name); \
	} while (0)

TEST(what_is_out_of_bounds_is_named)
{
	REFUSED(slots, -1, "slots");
	REFUSED(slots, POOL_SLOTS_MAX + 1, "slots");
	REFUSED(queue_limit, POOL_QUEUE_MAX + 1, "queue_limit");
	REFUSED(lease_us, 6 * SECOND - 1, "lease_us");
	REFUSED(age_every, 1, "age_every");
	REFUSED(wait_max_us, 0, "wait_max_us");
	REFUSED(predicted_wait_max_us, 300 * SECOND + 1, "predicted_wait_max_us");
	REFUSED(estimate_us, 0, "estimate_us");
	REFUSED(level_count, POOL_LEVELS_MAX + 1, "levels");
}

TEST(a_level_is_named_by_its_place)
{
	struct pool_settings settings = shipped();

	settings.level_count = 2;
	settings.level[0] = (struct pool_level){.priority = 10, .weight = 10};
	settings.level[1] = (struct pool_level){.priority = 5, .weight = 0};
	refused(&settings, "levels[1].weight");
	settings.level[1] = (struct pool_level){.priority = 10, .weight = 5};
	refused(&settings, "levels[1].priority");
	settings.level[1].priority = 101;
	refused(&settings, "levels[1].priority");
	settings.level[1].priority = 1;
	assert_true(pool_settings_check(&settings, NULL));
}

TEST(names_are_of_few_letters)
{
	char longest[POOL_NAME_MAX + 2];

	memset(longest, 'a', sizeof(longest));
	longest[POOL_NAME_MAX] = 0;
	assert_true(pool_name_check(longest, "pool", NULL));
	longest[POOL_NAME_MAX] = 'a';
	longest[POOL_NAME_MAX + 1] = 0;
	assert_false(pool_name_check(longest, "pool", NULL));
	assert_true(pool_name_check("gpu.a100_80-eu", "pool", NULL));
	assert_false(pool_name_check("", "pool", NULL));
	assert_false(pool_name_check("GPU", "pool", NULL));
	assert_false(pool_name_check("a b", "pool", NULL));
	assert_false(pool_name_check("a{b}", "pool", NULL));
}

/* docs/pool-store.md: `B version, I4 gen, I4 slots, ...`, durations in ms, rounded up. */
TEST(packed_it_is_what_the_functions_read)
{
	struct pool_settings settings = shipped();
	struct buf bytes = {0};
	struct cut cut;

	settings.gen = 7;
	settings.lease_us = 6 * SECOND + 1;
	settings.paused = true;
	settings.level_count = 1;
	settings.level[0] = (struct pool_level){.priority = 9, .weight = 90, .queue_limit = 11};
	pool_pack(&bytes, &settings);
	cut = cut_of(bytes.data, bytes.len);
	assert_int_equal(cut_u8(&cut), 1);
	assert_int_equal(cut_u32(&cut), 7);
	assert_int_equal(cut_u32(&cut), 5);
	for (int i = 0; i < 3; i++)
		cut_u32(&cut); /* the queues */
	assert_int_equal(cut_u32(&cut), 6001);
	for (int i = 0; i < 12; i++)
		cut_u32(&cut); /* ack to drain */
	assert_int_equal(cut_u8(&cut), 2);
	assert_int_equal(cut_u8(&cut), 1);
	assert_int_equal(cut_u8(&cut), 1);
	assert_int_equal(cut_u8(&cut), 9);
	assert_int_equal(cut_u32(&cut), 90);
	assert_int_equal(cut_u32(&cut), 11);
	assert_false(cut.bad);
	assert_int_equal(cut.left, 0);
	buf_release(&bytes);
}
