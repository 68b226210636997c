/* A loop with a limits store on the test's own Redis. */
#ifndef TESTS_REDIS_BENCH_H
#define TESTS_REDIS_BENCH_H

#include <uv.h>

#include "base/arena.h"
#include "contract/redis_server.h"
#include "redis/stores.h"

struct redis_bench {
	uv_loop_t loop;
	struct limits_store *limits;
	redisContext *direct; /* in addition to the store's link */
	struct arena arena;
	struct policy policy; /* 1,000 requests a day, 100 open at once */
	struct account_profile profile;
};

/* An empty Redis, a store with this timeout; waits until it is connected. */
void redis_bench_open(struct redis_bench *bench, int64_t timeout_us);
void redis_bench_close(struct redis_bench *bench);
/* A tear_down: closes the bench that was opened last. */
int redis_bench_end(void **state);

struct expected redis_bench_expected(const struct redis_bench *bench, const char *user);
/* Makes the user's record. */
void redis_bench_seed(struct redis_bench *bench, const char *user);
/* Fills a check of one request; `done` counts. Send it with limits->ops->check. */
void redis_bench_check(struct redis_bench *bench, struct limits_check *op, const char *user, const char *request_id);
/* The `done` of an operation that redis_bench_wait counts. */
void redis_bench_came(struct limits_op *op);
/* Runs the loop until that many operations have ended since the last wait. */
void redis_bench_wait(int operations);
/* Checks and waits. */
enum limits_status redis_bench_ask(struct redis_bench *bench, const char *user, const char *request_id);
/* The state byte of a marker, read directly from Redis; 0 if there is none. */
int redis_bench_marker(struct redis_bench *bench, const char *user, const char *request_id);
/* Runs the loop until `met` returns true; fails the test after 30 s. */
void redis_bench_until(struct redis_bench *bench, bool (*met)(struct redis_bench *bench));

#endif
