/* The link to Redis: what callers see when Redis is killed, stalls, forgets its functions, or may not be used. */
#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "domain/record/entry.h"
#include "lib/test.h"
#include "redis/codec/keys.h"
#include "redis_bench.h"

#define TIMEOUT_US 50000
#define PATIENCE_US 30000000 /* enough for Redis to answer, however busy the machine is */

static struct redis_bench bench;

static int open_patient(void **state)
{
	(void)state;
	redis_bench_open(&bench, PATIENCE_US);
	redis_bench_seed(&bench, "ann");
	return 0;
}

static int open_impatient(void **state)
{
	(void)state;
	redis_bench_open(&bench, TIMEOUT_US);
	redis_bench_seed(&bench, "ann");
	return 0;
}

#define PATIENT(name) TEST_WITH(name, open_patient, redis_bench_end)

PATIENT(a_check_is_answered)
{
	assert_int_equal(redis_bench_ask(&bench, "ann", "r1"), LIMITS_OK);
	assert_int_equal(redis_bench_ask(&bench, "ann", "r1"), LIMITS_REPEAT);
	assert_int_equal(redis_bench_ask(&bench, "bob", "r1"), LIMITS_ABSENT);
}

PATIENT(many_checks_of_one_turn_are_answered_each)
{
	static struct limits_check ops[200];
	char names[200][16];

	for (int i = 0; i < 200; i++) {
		snprintf(names[i], sizeof(names[i]), "m%d", i);
		redis_bench_check(&bench, &ops[i], "ann", names[i]);
		ops[i].op.deadline_us = 0;
		bench.limits->ops->check(bench.limits, &ops[i]);
	}
	redis_bench_wait(200);
	for (int i = 0; i < 200; i++)
		assert_int_equal(ops[i].op.status, i < 100 ? LIMITS_OK : LIMITS_DENIED);
}

PATIENT(functions_that_redis_forgot_are_loaded_again)
{
	freeReplyObject(redisCommand(bench.direct, "FUNCTION FLUSH"));
	assert_int_equal(redis_bench_ask(&bench, "ann", "r1"), LIMITS_OK);
}

static bool is_healthy(struct redis_bench *b)
{
	return redis_limits_ready(b->limits, NULL);
}

static bool is_lost(struct redis_bench *b)
{
	return !redis_limits_ready(b->limits, NULL);
}

#define IMPATIENT(name) TEST_WITH(name, open_impatient, redis_bench_end)

IMPATIENT(a_redis_that_was_killed_is_found_again)
{
	redis_server_kill();
	redis_bench_until(&bench, is_lost);
	assert_int_equal(redis_bench_ask(&bench, "ann", "r1"), LIMITS_FAILED);
	redis_server_revive();
	redis_bench_until(&bench, is_healthy);
	/* Redis is empty now, so the account is looked up and seeded again. */
	assert_int_equal(redis_bench_ask(&bench, "ann", "r1"), LIMITS_ABSENT);
	redisFree(bench.direct);
	bench.direct = redis_server_connect();
}

IMPATIENT(a_stalled_redis_costs_the_deadline_and_then_nothing)
{
	struct limits_check op;
	int64_t begin_us;

	kill(redis_server_pid(), SIGSTOP);
	begin_us = clock_mono_us();
	redis_bench_check(&bench, &op, "ann", "s");
	bench.limits->ops->check(bench.limits, &op);
	redis_bench_wait(1);
	assert_int_equal(op.op.status, LIMITS_FAILED);
	assert_int_equal(op.op.err.code, ERR_DEADLINE);
	assert_in_range(clock_mono_us() - begin_us, TIMEOUT_US, TIMEOUT_US * 20);

	for (int i = 0; i < 8 && redis_limits_ready(bench.limits, NULL); i++)
		redis_bench_ask(&bench, "ann", "s");
	assert_false(redis_limits_ready(bench.limits, NULL));
	redis_bench_check(&bench, &op, "ann", "s");
	bench.limits->ops->check(bench.limits, &op);
	redis_bench_wait(1);
	assert_int_equal(op.op.err.code, ERR_UNAVAILABLE);
	kill(redis_server_pid(), SIGCONT);
}

static bool answers_again(struct redis_bench *b)
{
	return redis_bench_ask(b, "ann", "again") != LIMITS_FAILED;
}

IMPATIENT(the_breaker_closes_when_redis_answers_again)
{
	kill(redis_server_pid(), SIGSTOP);
	for (int i = 0; i < 10; i++)
		redis_bench_ask(&bench, "ann", "s");
	assert_false(redis_limits_ready(bench.limits, NULL));
	kill(redis_server_pid(), SIGCONT);
	redis_bench_until(&bench, answers_again);
	assert_true(redis_limits_ready(bench.limits, NULL));
}

static bool owes_nothing(struct redis_bench *b)
{
	return redis_limits_owed(b->limits) == 0;
}

IMPATIENT(a_check_that_was_given_up_leaves_nothing_behind)
{
	kill(redis_server_pid(), SIGSTOP);
	assert_int_equal(redis_bench_ask(&bench, "ann", "late"), LIMITS_FAILED);
	assert_int_equal(redis_limits_owed(bench.limits), 1);
	kill(redis_server_pid(), SIGCONT);
	redis_bench_until(&bench, owes_nothing);
	assert_int_equal(redis_bench_marker(&bench, "ann", "late"), 0);
}

IMPATIENT(checks_that_were_given_up_go_back_though_the_breaker_is_open)
{
	static struct limits_check ops[40];
	char names[40][16];

	kill(redis_server_pid(), SIGSTOP);
	for (int i = 0; i < 40; i++) {
		snprintf(names[i], sizeof(names[i]), "s%d", i);
		redis_bench_check(&bench, &ops[i], "ann", names[i]);
		bench.limits->ops->check(bench.limits, &ops[i]);
	}
	redis_bench_wait(40);
	assert_false(redis_limits_ready(bench.limits, NULL));
	kill(redis_server_pid(), SIGCONT);
	redis_bench_until(&bench, owes_nothing);
	for (int i = 0; i < 40; i++) {
		assert_int_equal(ops[i].op.status, LIMITS_FAILED);
		assert_int_equal(redis_bench_marker(&bench, "ann", names[i]), 0);
	}
}

IMPATIENT(a_check_that_was_given_up_is_owed_beyond_its_connection)
{
	kill(redis_server_pid(), SIGSTOP);
	assert_int_equal(redis_bench_ask(&bench, "ann", "late"), LIMITS_FAILED);
	redis_bench_until(&bench, is_lost); /* silent for too long: dropped */
	assert_int_equal(redis_limits_owed(bench.limits), 1);
	kill(redis_server_pid(), SIGCONT);
	redis_bench_until(&bench, owes_nothing);
	assert_int_equal(redis_bench_marker(&bench, "ann", "late"), 0);
}

/* It comes after the call that takes the first one back, so it is decided like a new one. */
IMPATIENT(a_check_that_was_given_up_and_asked_again_is_decided_and_stays)
{
	struct limits_check op;

	kill(redis_server_pid(), SIGSTOP);
	assert_int_equal(redis_bench_ask(&bench, "ann", "late"), LIMITS_FAILED);
	redis_bench_check(&bench, &op, "ann", "late");
	bench.limits->ops->check(bench.limits, &op);
	kill(redis_server_pid(), SIGCONT);
	redis_bench_wait(1);
	assert_int_equal(op.op.status, LIMITS_OK);
	redis_bench_until(&bench, owes_nothing);
	assert_int_equal(redis_bench_ask(&bench, "ann", "other"), LIMITS_OK);
	assert_int_equal(redis_bench_marker(&bench, "ann", "late"), RESERVATION_OPEN);
}

PATIENT(a_check_that_comes_too_late_is_not_decided)
{
	struct limits_check op;

	redis_bench_check(&bench, &op, "ann", "late");
	op.latest_us = clock_wall_us() - 1000000;
	bench.limits->ops->check(bench.limits, &op);
	redis_bench_wait(1);
	assert_int_equal(op.op.status, LIMITS_CLOCK);
	assert_int_equal(redis_bench_marker(&bench, "ann", "late"), 0);
}

/* Repeated until then, because a copy of the check may still be in flight. */
IMPATIENT(what_may_still_be_decided_stays_owed)
{
	struct limits_check op;
	int64_t latest_us = clock_wall_us() + 500000;

	kill(redis_server_pid(), SIGSTOP);
	redis_bench_check(&bench, &op, "ann", "late");
	op.latest_us = latest_us;
	bench.limits->ops->check(bench.limits, &op);
	redis_bench_wait(1);
	assert_int_equal(op.op.status, LIMITS_FAILED);
	kill(redis_server_pid(), SIGCONT);
	redis_bench_until(&bench, owes_nothing);
	assert_true(clock_wall_us() > latest_us);
	assert_int_equal(redis_bench_marker(&bench, "ann", "late"), 0);
}

static const uint8_t *info_of_ann(size_t *len)
{
	static struct buf buf;
	struct entry_info info = {.tenant = "acme",
		.user = "ann",
		.request_id = "held",
		.accounts = 1,
		.account[0] = {.kind = ACCOUNT_USER, .id = "ann"}};

	buf_reset(&buf);
	entry_info_pack(&info, &buf);
	*len = buf.len;
	return (const uint8_t *)buf.data;
}

/* Even on other accounts than the check's: Redis says which ones they are. */
IMPATIENT(a_cancel_that_is_owed_is_made_up_for)
{
	struct limits_check check;
	struct limits_settle cancel;

	for (int accounts = 1; accounts <= 2; accounts++) {
		redis_bench_check(&bench, &check, "ann", "held");
		check.info = info_of_ann(&check.info_len);
		check.op.deadline_us = clock_mono_us() + PATIENCE_US;
		bench.limits->ops->check(bench.limits, &check);
		redis_bench_wait(1);
		assert_int_equal(check.op.status, LIMITS_OK);
		cancel = (struct limits_settle){.op = {.arena = &bench.arena, .done = check.op.done},
			.tenant = "acme",
			.user = "ann",
			.request_id = "held",
			.count = accounts,
			.expected = {redis_bench_expected(&bench, "ann"), redis_bench_expected(&bench, "bob")},
			.latest_us = 1,
			.owed = check.nonce};
		kill(redis_server_pid(), SIGSTOP);
		bench.limits->ops->cancel(bench.limits, &cancel);
		redis_bench_wait(1);
		assert_int_equal(cancel.op.status, LIMITS_FAILED);
		/* Only the debt can do it now, because the cancel itself came too late. */
		kill(redis_server_pid(), SIGCONT);
		redis_bench_until(&bench, owes_nothing);
		assert_int_equal(redis_bench_marker(&bench, "ann", "held"), 0);
	}
}

/* Nobody knows which checks rely on it, so it holds until it is settled or expires. */
PATIENT(a_marker_of_an_older_bursard_is_read_and_never_given_up)
{
	static const char older[] =
		"local m = redis.call('GET', KEYS[1]) redis.call('SET', KEYS[1], '\\1' .. m:sub(2, 3) .. "
		"'\\0' .. m:sub(5, -9))";
	struct buf key = {0};
	struct limits_check check;
	struct limits_settle op;

	redis_bench_check(&bench, &check, "ann", "old");
	bench.limits->ops->check(bench.limits, &check);
	redis_bench_wait(1);
	assert_int_equal(check.op.status, LIMITS_OK);
	key_marker(&key, "acme", "ann", "old");
	freeReplyObject(redisCommand(bench.direct, "EVAL %s 1 %s", older, buf_str(&key)));
	buf_release(&key);
	op = (struct limits_settle){.op = {.arena = &bench.arena, .done = check.op.done},
		.tenant = "acme",
		.user = "ann",
		.request_id = "old",
		.count = 1,
		.expected = {redis_bench_expected(&bench, "ann")},
		.nonce = check.nonce,
		.final = true};
	bench.limits->ops->give_up(bench.limits, &op);
	redis_bench_wait(1);
	assert_int_equal(op.op.status, LIMITS_NOTHING);
	assert_int_equal(redis_bench_ask(&bench, "ann", "old"), LIMITS_REPEAT);
	op.nonce = 0;
	bench.limits->ops->record(bench.limits, &op);
	redis_bench_wait(1);
	assert_int_equal(op.op.status, LIMITS_OK);
	assert_int_equal(op.charged.requests, 1);
	assert_int_equal(redis_bench_marker(&bench, "ann", "old"), RESERVATION_RECORDED);
}

IMPATIENT(open_operations_end_when_the_store_is_freed)
{
	struct limits_check op;

	kill(redis_server_pid(), SIGSTOP);
	assert_int_equal(redis_bench_ask(&bench, "ann", "owed"), LIMITS_FAILED);
	assert_int_equal(redis_limits_owed(bench.limits), 1);
	redis_bench_check(&bench, &op, "ann", "late");
	bench.limits->ops->check(bench.limits, &op);
	redis_limits_free(bench.limits);
	bench.limits = NULL;
	redis_bench_wait(1);
	assert_int_equal(op.op.status, LIMITS_FAILED);
	kill(redis_server_pid(), SIGCONT);
}

PATIENT(a_redis_that_evicts_is_refused_with_a_sentence)
{
	struct err err = {0};

	assert_true(redis_check(redis_server_url(), NULL, &err));
	freeReplyObject(redisCommand(bench.direct, "CONFIG SET maxmemory-policy allkeys-lru"));
	assert_false(redis_check(redis_server_url(), NULL, &err));
	assert_int_equal(err.code, ERR_PRECONDITION);
	assert_string_equal(
		err.text, "redis: its maxmemory-policy is allkeys-lru, which drops limits; set it to noeviction");
	freeReplyObject(redisCommand(bench.direct, "CONFIG SET maxmemory-policy noeviction"));
}

PATIENT(a_start_without_redis_waits)
{
	struct err err = {0};

	assert_false(redis_check("unix:///nowhere/redis.sock", NULL, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_false(redis_check("redis://127.0.0.1:1", NULL, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
}

IMPATIENT(a_redis_that_is_a_replica_is_asked_again)
{
	/* Like a master after a fail-over. */
	freeReplyObject(redisCommand(bench.direct, "REPLICAOF 127.0.0.1 1"));
	assert_int_equal(redis_bench_ask(&bench, "ann", "r1"), LIMITS_FAILED);
	freeReplyObject(redisCommand(bench.direct, "REPLICAOF NO ONE"));
	redis_bench_until(&bench, answers_again);
}
