/* Records that are made while their account is being changed. */
#include <string.h>

#include "lib/test.h"
#include "redis_bench.h"

static struct redis_bench bench;

static int open_bench(void **state)
{
	(void)state;
	redis_bench_open(&bench, 30000000);
	return 0;
}

static struct expected version_of_ann(uint32_t version)
{
	struct expected expected = redis_bench_expected(&bench, "ann");

	expected.version = version;
	return expected;
}

static enum limits_status change_as(uint32_t version, bool provisional)
{
	struct limits_policy op = {.op = {.arena = &bench.arena, .done = redis_bench_came},
		.expected = version_of_ann(version),
		.profile = &bench.profile,
		.provisional = provisional};

	bench.limits->ops->policy(bench.limits, &op);
	redis_bench_wait(1);
	return op.op.status;
}

static enum limits_status change(uint32_t version)
{
	return change_as(version, false);
}

static enum limits_status seed(uint32_t version, bool provisional)
{
	struct limits_birth birth = {.op = {.arena = &bench.arena, .done = redis_bench_came},
		.kind = ACCOUNT_USER,
		.tenant = "acme",
		.id = "ann"};
	struct limits_seed op = {.op = {.arena = &bench.arena, .done = redis_bench_came},
		.expected = version_of_ann(version),
		.profile = &bench.profile,
		.provisional = provisional};

	bench.limits->ops->birth(bench.limits, &birth);
	redis_bench_wait(1);
	memcpy(op.generation, birth.generation, sizeof(op.generation));
	op.now_us = birth.op.now_us;
	bench.limits->ops->seed(bench.limits, &op);
	redis_bench_wait(1);
	return op.op.status;
}

#define WITH_BENCH(name) TEST_WITH(name, open_bench, redis_bench_end)

WITH_BENCH(what_was_read_before_a_change_does_not_become_the_record_after_it)
{
	assert_int_equal(change(4), LIMITS_ABSENT);
	assert_int_equal(seed(3, false), LIMITS_LOST);
	assert_int_equal(redis_bench_ask(&bench, "ann", "r1"), LIMITS_ABSENT);
	assert_int_equal(seed(4, false), LIMITS_OK);
	assert_int_equal(seed(3, false), LIMITS_NOTHING);
}

WITH_BENCH(an_older_change_that_comes_late_lowers_nothing)
{
	assert_int_equal(change(4), LIMITS_ABSENT);
	assert_int_equal(change(3), LIMITS_ABSENT);
	assert_int_equal(seed(3, false), LIMITS_LOST);
}

WITH_BENCH(a_record_that_knows_no_better_may_be_made_all_the_same)
{
	assert_int_equal(change(4), LIMITS_ABSENT);
	assert_int_equal(seed(0, true), LIMITS_OK);
	assert_int_equal(change(4), LIMITS_OK);
}

static struct limits_check asked;

/* Adopts a ledger answer that says nothing was used of any calendar limit. */
static enum limits_status adopt(void)
{
	struct limits_adopt op = {.op = {.arena = &bench.arena, .done = redis_bench_came},
		.expected = asked.expected[0],
		.count = asked.op.unseeded[0].count};

	for (int i = 0; i < op.count; i++) {
		op.limit[i].id = asked.op.unseeded[0].limit[i].id;
		op.limit[i].seen = asked.op.unseeded[0].limit[i].settled;
	}
	bench.limits->ops->adopt(bench.limits, &op);
	redis_bench_wait(1);
	return op.op.status;
}

/* Asks for ann as a worker that knows version 4 of her account. */
static enum limits_status ask(const char *request_id, bool provisional_ok)
{
	redis_bench_check(&bench, &asked, "ann", request_id);
	asked.op.done = redis_bench_came;
	asked.expected[0].version = 4;
	asked.provisional_ok = provisional_ok;
	bench.limits->ops->check(bench.limits, &asked);
	redis_bench_wait(1);
	return asked.op.status;
}

WITH_BENCH(a_provisional_record_decides_only_for_checks_that_allow_it)
{
	assert_int_equal(seed(4, true), LIMITS_OK);
	assert_int_equal(ask("r1", false), LIMITS_UNSEEDED);
	assert_int_equal(redis_bench_marker(&bench, "ann", "r1"), 0);
	assert_int_equal(ask("r1", true), LIMITS_OK);
	assert_int_equal(ask("r1", false), LIMITS_UNSEEDED); /* so is the repeat */
	assert_int_equal(change_as(4, true), LIMITS_OK);
	assert_int_equal(ask("r1", false), LIMITS_UNSEEDED);
	assert_int_equal(change(4), LIMITS_OK); /* PostgreSQL confirms it, but the use is still to be read */
	assert_int_equal(ask("r1", false), LIMITS_UNSEEDED);
	assert_int_equal(adopt(), LIMITS_OK);
	assert_int_equal(ask("r1", false), LIMITS_REPEAT);
	assert_int_equal(change(4), LIMITS_NOTHING);
	assert_int_equal(change_as(5, true), LIMITS_OK); /* an exact record does not become provisional */
	assert_int_equal(change(5), LIMITS_NOTHING);
}

WITH_BENCH(the_floor_goes_after_a_while)
{
	redisReply *reply;

	assert_int_equal(change(4), LIMITS_ABSENT);
	reply = redisCommand(bench.direct, "KEYS *:f:u:acme/ann");
	assert_int_equal(reply->elements, 1);
	redisReply *ttl = redisCommand(bench.direct, "TTL %s", reply->element[0]->str);
	assert_in_range(ttl->integer, 1, 30);
	freeReplyObject(ttl);
	freeReplyObject(reply);
}
