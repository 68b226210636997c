/* Policies travel to Redis only when it does not know them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/test.h"
#include "domain/limit/name.h"
#include "redis_bench.h"

/* Packed, 32 limits have 1,954 bytes; a check without them has fewer than 1,000. */
enum { LIMITS = 32, POLICY_BYTES = 2 + 61 * LIMITS, CALL_BYTES = 1000 };

static struct redis_bench bench;
static struct policy other;
static struct limits_check asked;

static void many_limits(struct policy *policy, const char *name)
{
	*policy = (struct policy){.count = LIMITS};
	for (int i = 0; i < LIMITS; i++) {
		policy->limits[i] = (struct limit){.dimension = DIM_REQUESTS,
			.kind = KIND_BUCKET,
			.amount = 1000,
			.period_us = 60000000,
			.warn_percent = 80};
		snprintf(policy->limits[i].name, sizeof(policy->limits[i].name), "%s%d", name, i);
	}
	assert_true(policy_prepare(policy, NULL));
}

static int open_bench(void **state)
{
	(void)state;
	redis_bench_open(&bench, 30000000);
	many_limits(&bench.policy, "first");
	many_limits(&other, "other");
	redis_bench_seed(&bench, "ann");
	redis_bench_seed(&bench, "bob");
	return 0;
}

static void redis_does(redisReply *reply)
{
	assert_non_null(reply);
	assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
	freeReplyObject(reply);
}

/* What Redis has received, in bytes. */
static long long received(void)
{
	redisReply *reply = redisCommand(bench.direct, "INFO stats");
	const char *at = strstr(reply->str, "total_net_input_bytes:");
	long long bytes = atoll(at + strlen("total_net_input_bytes:"));

	freeReplyObject(reply);
	return bytes;
}

/* Checks as a worker that knows this policy since that epoch; returns how many bytes it has sent. */
static long long bytes_of_check(const struct policy *policy, uint32_t epoch, const char *user, const char *request_id)
{
	long long before = received();

	redis_bench_check(&bench, &asked, user, request_id);
	asked.expected[0].policy = policy;
	asked.expected[0].epoch = epoch;
	bench.limits->ops->check(bench.limits, &asked);
	redis_bench_wait(1);
	assert_int_equal(asked.op.status, LIMITS_OK);
	assert_int_equal(asked.op.standings, 1);
	assert_int_equal(asked.op.standing[0]->state.limits[0].bucket.full_at_us > asked.op.now_us, true);
	return received() - before;
}

/* Redis forgets what its functions remember, as after a restart. */
static void functions_begin_again(void)
{
	redisReply *dump = redisCommand(bench.direct, "FUNCTION DUMP");

	redis_does(redisCommand(bench.direct, "FUNCTION RESTORE %b FLUSH", dump->str, dump->len));
	freeReplyObject(dump);
}

static void policies_are_lost(void)
{
	redisReply *keys = redisCommand(bench.direct, "KEYS *:pol");

	assert_int_not_equal(keys->elements, 0);
	for (size_t i = 0; i < keys->elements; i++)
		redis_does(redisCommand(bench.direct, "DEL %s", keys->element[i]->str));
	freeReplyObject(keys);
}

#define WITH_BENCH(name) TEST_WITH(name, open_bench, redis_bench_end)

WITH_BENCH(a_known_policy_is_not_sent)
{
	assert_true(bytes_of_check(&bench.policy, 0, "ann", "r1") < CALL_BYTES);
	functions_begin_again();
	assert_true(bytes_of_check(&bench.policy, 0, "ann", "r2") < CALL_BYTES);
}

WITH_BENCH(a_new_policy_is_sent_once)
{
	assert_true(bytes_of_check(&other, 1, "ann", "r1") > POLICY_BYTES);
	assert_false(asked.op.standing[0]->policy_is_other);
	assert_true(bytes_of_check(&other, 1, "bob", "r1") < CALL_BYTES);
	assert_false(asked.op.standing[0]->policy_is_other);
	functions_begin_again();
	assert_true(bytes_of_check(&other, 1, "ann", "r2") < CALL_BYTES);
	assert_true(bytes_of_check(&other, 1, "bob", "r2") < CALL_BYTES);
}

WITH_BENCH(a_policy_that_was_lost_is_sent_again)
{
	functions_begin_again();
	policies_are_lost();
	assert_true(bytes_of_check(&bench.policy, 0, "ann", "r1") > POLICY_BYTES);
	assert_true(bytes_of_check(&bench.policy, 0, "bob", "r1") < CALL_BYTES);
}

/* What the functions keep, in kB. */
static long long kept(void)
{
	redisReply *reply;
	long long kb;

	redis_does(redisCommand(bench.direct, "FUNCTION LOAD REPLACE %s",
		"#!lua name=kept\nredis.register_function('kept', function() collectgarbage() return "
		"collectgarbage('count') end)"));
	reply = redisCommand(bench.direct, "FCALL kept 0");
	assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
	kb = reply->integer;
	freeReplyObject(reply);
	return kb;
}

/* Puts ann on new policies, and checks on each with as many sets of limits that match as are compiled. */
static void use_policies(int first, int end)
{
	enum { SETS = 16 };

	for (int n = first; n < end; n++) {
		char name[32], interface[32];

		snprintf(name, sizeof(name), "p%d-", n);
		many_limits(&other, name);
		for (int i = 0; i < SETS; i++)
			snprintf(other.limits[i].interface, sizeof(other.limits[i].interface), "i%d", i);
		assert_true(policy_prepare(&other, NULL));
		for (int i = 0; i <= SETS; i++) {
			redis_bench_check(&bench, &asked, "ann", "");
			snprintf(name, sizeof(name), "%d-%d", n, i);
			asked.request_id = name;
			asked.expected[0].policy = &other;
			asked.expected[0].epoch = (uint32_t)n + 1;
			snprintf(interface, sizeof(interface), "i%d", i % SETS);
			asked.request.interface_hash = interface_hash(interface);
			bench.limits->ops->check(bench.limits, &asked);
			redis_bench_wait(1);
			assert_int_equal(asked.op.status, LIMITS_OK);
		}
	}
}

/* 64 of these policies are all that is compiled: the others cost what is read of them, not 200 kB each. */
WITH_BENCH(what_is_compiled_has_a_bound)
{
	long long before;

	use_policies(0, 70);
	before = kept();
	use_policies(70, 90);
	assert_true(kept() - before < 1000);
}

WITH_BENCH(a_record_is_settled_even_if_the_policy_was_lost)
{
	struct limits_settle op;

	bytes_of_check(&bench.policy, 0, "ann", "r1");
	functions_begin_again();
	policies_are_lost();
	op = (struct limits_settle){.op = {.arena = &bench.arena, .done = asked.op.done},
		.tenant = "acme",
		.user = "ann",
		.request_id = "r1",
		.count = 1,
		.expected[0] = redis_bench_expected(&bench, "ann"),
		.final = true,
		.started_at_us = asked.started_at_us,
		.usage = (const uint8_t *)"",
		.info = (const uint8_t *)"?",
		.info_len = 1};
	bench.limits->ops->record(bench.limits, &op);
	redis_bench_wait(1);
	assert_int_equal(op.op.status, LIMITS_OK);
	assert_int_equal(op.state, RESERVATION_RECORDED);
	assert_int_equal(redis_bench_marker(&bench, "ann", "r1"), RESERVATION_RECORDED);
}
