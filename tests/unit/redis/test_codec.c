/* Bytes between C and Lua. */
#include <string.h>

#include "lib/test.h"
#include "redis/codec/codec.h"

static struct arena arena;
static struct policy policy;

static int make_policy(void **state)
{
	(void)state;
	policy = (struct policy){.count = 3};
	policy.limits[0] =
		(struct limit){.dimension = DIM_REQUESTS, .kind = KIND_BUCKET, .amount = 3, .period_us = 60000000};
	policy.limits[1] =
		(struct limit){.dimension = DIM_COST, .kind = KIND_CALENDAR, .unit = WINDOW_MONTH, .amount = COUNT_MAX};
	policy.limits[2] = (struct limit){.dimension = DIM_CONCURRENT, .kind = KIND_LEVEL, .amount = 2};
	return policy_prepare(&policy, NULL) ? 0 : 1;
}

static void seed_make(struct limits_seed *op, const struct account_profile *profile)
{
	*op = (struct limits_seed){.profile = profile, .now_us = INT64_C(1795471200000000)};
	op->expected = (struct expected){
		.kind = ACCOUNT_USER, .tenant = "t", .id = "u", .version = 7, .epoch = 9, .policy = &policy};
	assert_true(windows_at(&profile->zone, op->now_us, &op->expected.windows, NULL));
	op->limits[0].bucket.full_at_us = op->now_us + 5;
	op->limits[0].bucket.rem = 0;
	op->limits[1].calendar.settled = COUNT_MAX;
}

TEST(a_record_is_read_as_it_was_written)
{
	struct account_profile profile = {.version = 7, .bypass = true, .grace_percent = 100, .grace_until_us = 12345};
	struct packed_policies packed = {0};
	struct account_state account;
	struct limits_seed op;
	struct buf record = {0};
	uint32_t expires_s;

	seed_make(&op, &profile);
	codec_seed(&record, &op, &packed, &expires_s);
	assert_true(codec_record_state(record.data, record.len, &policy, &account));
	assert_int_equal(account.version, 7);
	assert_int_equal(account.epoch, 9);
	assert_true(account.bypass);
	assert_false(account.suspended);
	assert_int_equal(account.grace_until_us, 12345);
	assert_int_equal(account.clock_us, op.now_us);
	assert_int_equal(account.limits[0].bucket.full_at_us, op.now_us + 5);
	assert_int_equal(account.limits[1].calendar.settled, COUNT_MAX);
	/* Kept until the month ends, because its counter is not 0. */
	assert_int_equal(expires_s, windows_end(&op.expected.windows, WINDOW_MONTH, op.now_us) / 1000000 + 1);
	buf_release(&record);
	packed_policies_release(&packed);
}

TEST(a_shared_account_carries_its_policy)
{
	struct account_profile profile = {0};
	struct packed_policies packed = {0};
	struct limits_seed op;
	struct buf record = {0};
	uint32_t expires_s;
	size_t len = 1;

	seed_make(&op, &profile);
	codec_seed(&record, &op, &packed, &expires_s);
	assert_non_null(codec_record_policy(record.data, record.len, &len));
	assert_int_equal(len, 0);
	buf_reset(&record);
	op.expected.kind = ACCOUNT_TEAM;
	codec_seed(&record, &op, &packed, &expires_s);
	assert_memory_equal(
		codec_record_policy(record.data, record.len, &len), policy_packed(&packed, &policy)->data, len);
	assert_int_equal(len, 2 + 3 * 61);
	buf_release(&record);
	packed_policies_release(&packed);
}

/* Any bytes give LIMITS_FAILED or an answer, and never a crash. */
TEST(answers_cut_short_are_no_answers)
{
	struct account_profile profile = {0};
	struct packed_policies packed = {0};
	struct limits_check op = {.op.arena = &arena, .count = 1, .expected[0].policy = &policy};
	struct limits_seed seed;
	struct buf answer = {0};
	uint32_t expires_s;
	size_t tail;

	seed_make(&seed, &profile);
	buf_put_u8(&answer, LIMITS_OK);
	buf_put_int(&answer, 1, 7);
	buf_put_u8(&answer, RESERVATION_OPEN);
	for (int i = 0; i < 5; i++)
		buf_put_int(&answer, i, 7);
	buf_put_u8(&answer, 1);
	for (int i = 0; i < 3; i++)
		buf_put_u32(&answer, 0);
	buf_put_u16(&answer, 0);
	buf_put_u16(&answer, 0);
	tail = answer.len;
	codec_seed(&answer, &seed, &packed, &expires_s);
	answer.len = tail + 98 + 14 + 14 + 4;
	for (size_t len = 0; len <= answer.len; len++) {
		struct cut cut = cut_of(answer.data, len);
		bool read = codec_status(&cut, &op.op) && codec_check_answer(&cut, &op);

		assert_int_equal(read, len == answer.len);
		assert_int_equal(op.op.status, read ? LIMITS_OK : LIMITS_FAILED);
		arena_reset(&arena);
	}
	buf_release(&answer);
	packed_policies_release(&packed);
	arena_release(&arena);
}

TEST_GROUP(make_policy, NULL);
