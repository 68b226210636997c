/* The link to Redis: what callers see when Redis is killed, stalls, forgets its functions, or may not be used. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "redis_bench.h"

#define TIMEOUT_US 50000
#define PATIENCE_US 30000000 /* where Redis answers, however busy the machine is */

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

static int close_bench(void **state)
{
	(void)state;
	redis_bench_close(&bench);
	return 0;
}

static void a_check_is_answered(void **state)
{
	(void)state;
	assert_int_equal(redis_bench_ask(&bench, "ann", "r1"), LIMITS_OK);
	assert_int_equal(redis_bench_ask(&bench, "ann", "r1"), LIMITS_REPEAT);
	assert_int_equal(redis_bench_ask(&bench, "bob", "r1"), LIMITS_ABSENT);
}

static void many_checks_of_one_turn_are_answered_each(void **state)
{
	static struct limits_check ops[200];
	char names[200][16];

	(void)state;
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

static void functions_that_redis_forgot_are_loaded_again(void **state)
{
	(void)state;
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

static void a_redis_that_was_killed_is_found_again(void **state)
{
	(void)state;
	redis_server_kill();
	redis_bench_until(&bench, is_lost);
	assert_int_equal(redis_bench_ask(&bench, "ann", "r1"), LIMITS_FAILED);
	redis_server_revive();
	redis_bench_until(&bench, is_healthy);
	/* It is empty now: the account is looked up and seeded anew. */
	assert_int_equal(redis_bench_ask(&bench, "ann", "r1"), LIMITS_ABSENT);
	redisFree(bench.direct);
	bench.direct = redis_server_connect();
}

static void a_stalled_redis_costs_the_deadline_and_then_nothing(void **state)
{
	struct limits_check op;
	int64_t begin_us;

	(void)state;
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

static void the_breaker_closes_when_redis_answers_again(void **state)
{
	(void)state;
	kill(redis_server_pid(), SIGSTOP);
	for (int i = 0; i < 10; i++)
		redis_bench_ask(&bench, "ann", "s");
	assert_false(redis_limits_ready(bench.limits, NULL));
	kill(redis_server_pid(), SIGCONT);
	redis_bench_until(&bench, answers_again);
	assert_true(redis_limits_ready(bench.limits, NULL));
}

static bool late_is_cancelled(struct redis_bench *b)
{
	return redis_bench_marker(b, "ann", "late") == RESERVATION_CANCELLED;
}

static void a_check_that_was_given_up_is_cancelled_when_its_answer_comes(void **state)
{
	(void)state;
	kill(redis_server_pid(), SIGSTOP);
	assert_int_equal(redis_bench_ask(&bench, "ann", "late"), LIMITS_FAILED);
	kill(redis_server_pid(), SIGCONT);
	redis_bench_until(&bench, late_is_cancelled);
}

static void a_check_that_was_given_up_and_repeated_stays(void **state)
{
	struct limits_check op;

	(void)state;
	kill(redis_server_pid(), SIGSTOP);
	assert_int_equal(redis_bench_ask(&bench, "ann", "late"), LIMITS_FAILED);
	redis_bench_check(&bench, &op, "ann", "late");
	op.op.deadline_us = 0;
	bench.limits->ops->check(bench.limits, &op);
	kill(redis_server_pid(), SIGCONT);
	redis_bench_wait(1);
	assert_int_equal(op.op.status, LIMITS_REPEAT);
	assert_int_equal(redis_bench_ask(&bench, "ann", "other"), LIMITS_OK);
	assert_int_equal(redis_bench_marker(&bench, "ann", "late"), RESERVATION_OPEN);
}

static void open_operations_end_when_the_store_is_freed(void **state)
{
	struct limits_check op;

	(void)state;
	kill(redis_server_pid(), SIGSTOP);
	redis_bench_check(&bench, &op, "ann", "late");
	bench.limits->ops->check(bench.limits, &op);
	redis_limits_free(bench.limits);
	bench.limits = NULL;
	redis_bench_wait(1);
	assert_int_equal(op.op.status, LIMITS_FAILED);
	kill(redis_server_pid(), SIGCONT);
}

static void a_redis_that_evicts_is_refused_with_a_sentence(void **state)
{
	struct err err = {0};

	(void)state;
	assert_true(redis_check(redis_server_url(), &err));
	freeReplyObject(redisCommand(bench.direct, "CONFIG SET maxmemory-policy allkeys-lru"));
	assert_false(redis_check(redis_server_url(), &err));
	assert_int_equal(err.code, ERR_PRECONDITION);
	assert_string_equal(
		err.text, "redis: its maxmemory-policy is allkeys-lru, which drops limits; set it to noeviction");
	freeReplyObject(redisCommand(bench.direct, "CONFIG SET maxmemory-policy noeviction"));
}

static void a_start_without_redis_waits(void **state)
{
	(void)state;
	struct err err = {0};

	assert_false(redis_check("unix:///nowhere/redis.sock", &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_false(redis_check("redis://127.0.0.1:1", &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
}

static void a_redis_that_is_a_replica_is_asked_again(void **state)
{
	(void)state;
	/* As a master does that has failed over. */
	freeReplyObject(redisCommand(bench.direct, "REPLICAOF 127.0.0.1 1"));
	assert_int_equal(redis_bench_ask(&bench, "ann", "r1"), LIMITS_FAILED);
	freeReplyObject(redisCommand(bench.direct, "REPLICAOF NO ONE"));
	redis_bench_until(&bench, answers_again);
}

#define PATIENT(name_) cmocka_unit_test_setup_teardown(name_, open_patient, close_bench)
#define IMPATIENT(name_) cmocka_unit_test_setup_teardown(name_, open_impatient, close_bench)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PATIENT(a_check_is_answered),
		PATIENT(many_checks_of_one_turn_are_answered_each),
		PATIENT(functions_that_redis_forgot_are_loaded_again),
		IMPATIENT(a_redis_that_was_killed_is_found_again),
		IMPATIENT(a_stalled_redis_costs_the_deadline_and_then_nothing),
		IMPATIENT(the_breaker_closes_when_redis_answers_again),
		IMPATIENT(a_check_that_was_given_up_is_cancelled_when_its_answer_comes),
		IMPATIENT(a_check_that_was_given_up_and_repeated_stays),
		IMPATIENT(open_operations_end_when_the_store_is_freed),
		PATIENT(a_redis_that_evicts_is_refused_with_a_sentence),
		PATIENT(a_start_without_redis_waits),
		IMPATIENT(a_redis_that_is_a_replica_is_asked_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
