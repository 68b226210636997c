/* A loop with a limits store on the test's own Redis. */
#include "redis_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "redis/codec/keys.h"

static struct redis_bench *now;
static int came;

void redis_bench_came(struct limits_op *op)
{
	(void)op;
	came++;
	uv_stop(&now->loop); /* it may have arrived before the loop waits */
}

static bool healthy(struct redis_bench *bench)
{
	return redis_limits_ready(bench->limits, NULL);
}

static void policy_make(struct policy *policy)
{
	*policy = (struct policy){.count = 2};
	policy->limits[0] = (struct limit){.dimension = DIM_REQUESTS,
		.kind = KIND_CALENDAR,
		.unit = WINDOW_DAY,
		.amount = 1000,
		.warn_percent = 80};
	policy->limits[1] = (struct limit){.dimension = DIM_CONCURRENT, .kind = KIND_LEVEL, .amount = 100};
	assert_true(policy_prepare(policy, NULL));
}

void redis_bench_open(struct redis_bench *bench, int64_t timeout_us)
{
	struct redis_options options = {.loop = &bench->loop, .timeout_us = timeout_us};

	*bench = (struct redis_bench){0};
	now = bench;
	came = 0;
	if (!redis_server_start())
		skip();
	uv_loop_init(&bench->loop);
	bench->direct = redis_server_connect();
	freeReplyObject(redisCommand(bench->direct, "FLUSHALL"));
	policy_make(&bench->policy);
	options.url = redis_server_url();
	bench->limits = redis_limits_new(&options, NULL);
	assert_non_null(bench->limits);
	redis_bench_until(bench, healthy);
}

void redis_bench_close(struct redis_bench *bench)
{
	redis_limits_free(bench->limits);
	while (uv_run(&bench->loop, UV_RUN_DEFAULT))
		;
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	redisFree(bench->direct);
	arena_release(&bench->arena);
}

int redis_bench_end(void **state)
{
	(void)state;
	redis_bench_close(now);
	return 0;
}

struct expected redis_bench_expected(const struct redis_bench *bench, const char *user)
{
	struct expected expected = {.kind = ACCOUNT_USER, .tenant = "acme", .id = user, .policy = &bench->policy};

	assert_true(windows_at(&bench->profile.zone, clock_wall_us(), &expected.windows, NULL));
	return expected;
}

void redis_bench_wait(int operations)
{
	while (came < operations)
		uv_run(&now->loop, UV_RUN_ONCE);
	assert_int_equal(came, operations);
	came = 0;
}

void redis_bench_seed(struct redis_bench *bench, const char *user)
{
	struct limits_birth birth = {.op = {.arena = &bench->arena, .done = redis_bench_came},
		.kind = ACCOUNT_USER,
		.tenant = "acme",
		.id = user};
	struct limits_seed seed = {.op = {.arena = &bench->arena, .done = redis_bench_came},
		.expected = redis_bench_expected(bench, user),
		.profile = &bench->profile};

	bench->limits->ops->birth(bench->limits, &birth);
	redis_bench_wait(1);
	assert_int_equal(birth.op.status, LIMITS_OK);
	memcpy(seed.generation, birth.generation, sizeof(seed.generation));
	seed.now_us = birth.op.now_us;
	bench->limits->ops->seed(bench->limits, &seed);
	redis_bench_wait(1);
	assert_int_equal(seed.op.status, LIMITS_OK);
}

void redis_bench_check(struct redis_bench *bench, struct limits_check *op, const char *user, const char *request_id)
{
	*op = (struct limits_check){.op = {.arena = &bench->arena, .done = redis_bench_came},
		.tenant = "acme",
		.user = user,
		.request_id = request_id,
		.count = 1,
		.expected[0] = redis_bench_expected(bench, user),
		.request.estimate.requests = 1,
		.ttl_us = 60000000,
		.info = (const uint8_t *)"?",
		.info_len = 1};
}

enum limits_status redis_bench_ask(struct redis_bench *bench, const char *user, const char *request_id)
{
	struct limits_check op;

	redis_bench_check(bench, &op, user, request_id);
	bench->limits->ops->check(bench->limits, &op);
	redis_bench_wait(1);
	return op.op.status;
}

int redis_bench_marker(struct redis_bench *bench, const char *user, const char *request_id)
{
	struct buf key = {0};
	redisReply *reply;
	int state = 0;

	key_marker(&key, "acme", user, request_id);
	reply = redisCommand(bench->direct, "GET %s", buf_str(&key));
	if (reply && reply->type == REDIS_REPLY_STRING && reply->len > 1)
		state = (unsigned char)reply->str[1];
	freeReplyObject(reply);
	buf_release(&key);
	return state;
}

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
}

void redis_bench_until(struct redis_bench *bench, bool (*met)(struct redis_bench *bench))
{
	int64_t end_us = clock_mono_us() + 30000000;
	uv_timer_t tick;

	uv_timer_init(&bench->loop, &tick);
	uv_timer_start(&tick, on_tick, 1, 1);
	while (!met(bench) && clock_mono_us() < end_us)
		uv_run(&bench->loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&tick, NULL);
	uv_run(&bench->loop, UV_RUN_NOWAIT);
	assert_true(met(bench));
}
