/* The pools through their store: two workers of one pool on a real Redis. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "contract/redis_server.h"
#include "lib/test.h"
#include "redis/pools/answer.h"
#include "redis/stores.h"

static uv_loop_t loop;
static struct pools_store *here, *there;
static struct arena arena;
static int answers, hints, listening;
static char hinted[64];
static struct pool_fence hint_fence;

static void on_done(struct pool_op *op)
{
	(void)op;
	answers++;
}

static void on_hint(const char *tenant, const char *pool, const struct pool_grant *grant, void *arg)
{
	(void)arg;
	snprintf(hinted, sizeof(hinted), "%s/%s/%s/%s", tenant, pool, grant->request.user, grant->request.id);
	hint_fence = grant->fence;
	hints++;
}

static void on_listening(void *arg)
{
	(void)arg;
	listening++;
}

/* Runs the loop until the number is reached; fails the test if nothing arrives for a long time. */
static void wait_for(const int *number, int least)
{
	int64_t until = clock_mono_us() + 20000000;

	while (*number < least && clock_mono_us() < until)
		uv_run(&loop, UV_RUN_ONCE);
	assert_true(*number >= least);
}

static struct pool_op op_of(void)
{
	return (struct pool_op){.tenant = "acme/1", .pool = "agents", .arena = &arena, .done = on_done};
}

static struct pool_epoch epoch(const char *claim, uint32_t number, bool first)
{
	struct pool_epoch op = {.op = op_of(), .claim = claim, .epoch = number, .first = first};
	int before = answers;

	here->ops->epoch(here, &op);
	wait_for(&answers, before + 1);
	assert_int_equal(op.op.status, POOL_OK);
	return op;
}

static void give_epoch(void)
{
	struct pool_epoch op = epoch("", 0, false);

	assert_int_equal(op.want, EPOCH_NEEDED);
	op = epoch(op.claim_now, op.epoch + 1, true);
	assert_int_equal(op.want, EPOCH_KEPT);
	assert_int_equal(op.epoch, 1);
}

static void configure(int slots, uint32_t gen)
{
	struct pool_settings settings;
	struct pool_configure op = {.op = op_of(), .settings = &settings};
	int before = answers;

	pool_settings_default(&settings, "agents", slots);
	settings.gen = gen;
	settings.wait_max_us = settings.predicted_wait_max_us = 3600000000;
	here->ops->configure(here, &op);
	wait_for(&answers, before + 1);
	assert_int_equal(op.op.status, POOL_OK);
	assert_int_equal(op.gen, gen);
	if (op.created)
		give_epoch();
}

static struct pool_acquire acquire(struct pools_store *store, const char *user, const char *id)
{
	struct pool_acquire op = {.op = op_of(), .request = {user, id}, .gen = 1, .priority = 5, .cap = 3, .seats = 1};
	int before = answers;

	store->ops->acquire(store, &op);
	wait_for(&answers, before + 1);
	return op;
}

static struct pool_end release(struct pools_store *store, const char *user, const char *id, struct pool_fence fence)
{
	struct pool_end op = {.op = op_of(), .request = {user, id}, .fence = fence};
	int before = answers;

	store->ops->release(store, &op);
	wait_for(&answers, before + 1);
	return op;
}

static int open_stores(void **state)
{
	struct redis_options options = {.loop = &loop};
	redisContext *direct;
	struct err err;

	(void)state;
	if (!redis_server_start())
		exit(77);
	options.url = redis_server_url();
	direct = redis_server_connect();
	freeReplyObject(redisCommand(direct, "FLUSHALL"));
	redisFree(direct);
	uv_loop_init(&loop);
	here = redis_pools_new(&options, &err);
	there = redis_pools_new(&options, &err);
	assert_true(here && there && strcmp(here->worker, there->worker) != 0);
	hints = 0;
	listening = 0;
	there->ops->listen(there, on_hint, on_listening, NULL);
	wait_for(&listening, 1);
	return 0;
}

static int close_stores(void **state)
{
	(void)state;
	redis_pools_free(here);
	redis_pools_free(there);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	arena_release(&arena);
	return 0;
}

#define WITH_STORES(name) TEST_WITH(name, open_stores, close_stores)

WITH_STORES(a_pool_that_redis_does_not_know_is_configured_first)
{
	assert_int_equal(acquire(here, "ann", "r1").op.status, POOL_ABSENT);
	configure(2, 1);
	assert_int_equal(acquire(here, "ann", "r1").op.status, POOL_GRANTED);
}

WITH_STORES(what_one_frees_another_hears_of)
{
	struct pool_acquire first, second;
	struct pool_end end;

	configure(1, 1);
	first = acquire(here, "ann", "r1");
	assert_int_equal(first.op.status, POOL_GRANTED);
	second = acquire(there, "ben", "r2");
	assert_int_equal(second.op.status, POOL_QUEUED);
	assert_int_equal(second.position, 1);
	assert_true(second.wait_until_us > second.op.now_us);
	end = release(here, "ann", "r1", first.fence);
	assert_int_equal(end.op.status, POOL_OK);
	assert_int_equal(end.op.grants, 0);
	wait_for(&hints, 1);
	assert_string_equal(hinted, "acme/1/agents/ben/r2");
	assert_true(hint_fence.fence > first.fence.fence);
}

WITH_STORES(a_grant_to_the_own_worker_is_in_the_answer_and_acknowledged)
{
	struct pool_acquire first;
	struct pool_end end;
	struct pool_renewal item = {0};
	struct pool_renew renew = {.op = op_of(), .by_worker = true, .count = 1, .item = &item};
	int before;

	configure(1, 1);
	first = acquire(here, "ann", "r1");
	assert_int_equal(acquire(here, "ben", "r2").op.status, POOL_QUEUED);
	end = release(here, "ann", "r1", first.fence);
	assert_int_equal(end.op.grants, 1);
	assert_string_equal(end.op.grant[0].request.user, "ben");
	item.grant = end.op.grant[0];
	before = answers;
	here->ops->renew(here, &renew);
	wait_for(&answers, before + 1);
	assert_int_equal(renew.op.status, POOL_OK);
	assert_int_equal(item.status, POOL_OK);
	assert_true(item.expires_at_us > renew.op.now_us);
	assert_int_equal(release(here, "ann", "r1", first.fence).op.status, POOL_REPEAT);
	assert_int_equal(release(here, "ben", "r2", first.fence).op.status, POOL_FENCED);
}

WITH_STORES(sync_tells_places_and_what_is_not_acknowledged)
{
	struct pool_acquire first;
	struct pool_place place[2] = {{.request = {"cid", "r3"}}, {.request = {"nobody", "x"}}};
	struct pool_sync sync = {.op = op_of(), .gen = 1, .count = 2, .place = place};
	int before;

	configure(1, 1);
	first = acquire(here, "ann", "r1");
	acquire(there, "ben", "r2");
	acquire(there, "cid", "r3");
	release(here, "ann", "r1", first.fence);
	before = answers;
	there->ops->sync(there, &sync);
	wait_for(&answers, before + 1);
	assert_int_equal(sync.op.status, POOL_OK);
	assert_int_equal(place[0].status, POOL_QUEUED);
	assert_int_equal(place[0].position, 1);
	assert_int_equal(place[1].status, POOL_UNKNOWN);
	assert_int_equal(sync.op.grants, 1);
	assert_string_equal(sync.op.grant[0].request.id, "r2");
	assert_int_equal(sync.op.levels, 1);
	assert_int_equal(sync.op.level[0].running, 1);
	assert_true(sync.next_us > 0);
}

WITH_STORES(cancel_tells_what_it_was_and_stats_count)
{
	struct pool_end cancel = {.op = op_of(), .request = {"ben", "r2"}, .outcome = OUTCOME_CANCELLED};
	struct pool_stats stats = {.op = op_of(), .rows = 10};
	int before;

	configure(1, 1);
	acquire(here, "ann", "r1");
	acquire(here, "ben", "r2");
	acquire(here, "cid", "r3");
	before = answers;
	here->ops->cancel(here, &cancel);
	here->ops->stats(here, &stats);
	wait_for(&answers, before + 2);
	assert_int_equal(cancel.op.status, POOL_OK);
	assert_int_equal(cancel.was, 1);
	assert_int_equal(stats.op.status, POOL_OK);
	assert_int_equal(stats.slots, 1);
	assert_int_equal(stats.running, 1);
	assert_int_equal(stats.waiting, 1);
	assert_int_equal(stats.granted_at_once, 1);
	assert_int_equal(stats.cancelled, 1);
	assert_int_equal(stats.level_rows, 1);
	assert_int_equal(stats.level_row[0].weight, 5);
	assert_int_equal(stats.waiter_rows, 1);
	assert_string_equal(stats.waiter[0].request.user, "cid");
	assert_int_equal(stats.lease_rows, 1);
	assert_string_equal(stats.lease[0].request.id, "r1");
	assert_true(stats.lease[0].acknowledged);
}

WITH_STORES(stats_of_a_user_find_them_behind_everybody)
{
	struct pool_stats stats = {.op = op_of(), .rows = 2, .user = "zoe"};
	int before;
	char user[16];

	configure(1, 1);
	acquire(here, "ann", "r0");
	for (int i = 0; i < 5; i++) {
		snprintf(user, sizeof(user), "ben%d", i);
		acquire(here, user, "r1");
	}
	acquire(here, "zoe", "r2");
	acquire(here, "zoe", "r3");
	acquire(here, "zoe", "r1");
	before = answers;
	here->ops->stats(here, &stats);
	wait_for(&answers, before + 1);
	assert_int_equal(stats.op.status, POOL_OK);
	assert_int_equal(stats.waiting, 8);
	assert_int_equal(stats.user_waiting, 3);
	assert_int_equal(stats.user_running, 0);
	assert_int_equal(stats.user_parked, 0);
	assert_int_equal(stats.waiter_rows, 2);
	assert_string_equal(stats.waiter[0].request.id, "r2");
	assert_int_equal(stats.waiter[0].position, 6);
	assert_string_equal(stats.waiter[1].request.id, "r3");
	assert_int_equal(
		stats.waiter[1].position, 8); /* after a turn of each of the six, and no further than all that wait */
	assert_true(stats.waiter[0].eta_us > 0);
	assert_int_equal(stats.lease_rows, 0);
	stats = (struct pool_stats){.op = op_of(), .rows = 2, .user = "ann"};
	here->ops->stats(here, &stats);
	wait_for(&answers, before + 2);
	assert_int_equal(stats.user_running, 1);
	assert_int_equal(stats.waiter_rows, 0);
	assert_int_equal(stats.lease_rows, 1);
	assert_string_equal(stats.lease[0].request.id, "r0");
}

WITH_STORES(the_subscription_comes_back_after_a_kill)
{
	redis_server_kill();
	redis_server_revive();
	wait_for(&listening, 2);
	assert_int_equal(acquire(here, "ann", "r1").op.status, POOL_ABSENT);
}

WITH_STORES(a_store_may_be_freed_with_calls_under_way)
{
	static struct pool_acquire op;
	struct redis_options options = {.loop = &loop, .url = redis_server_url()};
	struct err err;
	struct pools_store *third = redis_pools_new(&options, &err);
	int before = answers;

	op = (struct pool_acquire){
		.op = op_of(), .request = {"ann", "r1"}, .gen = 1, .priority = 1, .cap = 1, .seats = 1};
	third->ops->listen(third, on_hint, on_listening, NULL);
	third->ops->acquire(third, &op);
	redis_pools_free(third);
	assert_int_equal(answers, before + 1);
	assert_int_equal(op.op.status, POOL_FAILED);
}

static void free_store(const char *tenant, const char *pool, const struct pool_grant *grant, void *arg)
{
	struct pools_store **store = arg;

	(void)tenant;
	(void)pool;
	(void)grant;
	hints++;
	redis_pools_free(*store);
	*store = NULL;
}

/* Two grants in one message: the first one's callback frees the store, so the second reaches nobody. */
WITH_STORES(a_store_may_be_freed_by_its_own_hint)
{
	static const char message[] = "\1\0t\1\0p\2\0"
				      "\1\0a\1\0x\0\0\0\0\1\0\0\0"
				      "\1\0b\1\0y\0\0\0\0\2\0\0\0";
	struct redis_options options = {.loop = &loop, .url = redis_server_url()};
	redisContext *direct = redis_server_connect();
	struct err err;
	struct pools_store *third = redis_pools_new(&options, &err);
	char channel[8 + POOL_WORKER_ID];

	snprintf(channel, sizeof(channel), "b:g:%s", third->worker);
	third->ops->listen(third, free_store, on_listening, &third);
	wait_for(&listening, 2);
	freeReplyObject(redisCommand(direct, "PUBLISH %s %b", channel, message, sizeof(message) - 1));
	redisFree(direct);
	wait_for(&hints, 1);
	assert_int_equal(hints, 1);
	assert_null(third);
}

/* An answer that no function gives: more milliseconds than microseconds can express. */
TEST(a_time_that_cannot_be_is_refused)
{
	static const uint8_t bytes[] = {POOL_OK, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
	struct pool_op op = {.arena = &arena};
	struct cut cut = cut_of(bytes, sizeof(bytes));

	assert_false(pool_read_head(&op, &cut));
}
