/* A pool's figures as people see them, byte for byte. */
#include <string.h>

#include "cli/live/pool_watch.h"
#include "lib/test.h"

/* cmocka's own assertion compares floats, not doubles. */
static bool is_near(double a, double b)
{
	return a - b < 1e-9 && b - a < 1e-9;
}

static Bursar__V1__PoolRef ref = BURSAR__V1__POOL_REF__INIT;
static Bursar__V1__PoolLevelStats high = BURSAR__V1__POOL_LEVEL_STATS__INIT;
static Bursar__V1__PoolLevelStats low = BURSAR__V1__POOL_LEVEL_STATS__INIT;
static Bursar__V1__PoolLevelStats *levels[] = {&high, &low};
static Bursar__V1__PoolWaiter waiter = BURSAR__V1__POOL_WAITER__INIT;
static Bursar__V1__PoolWaiter *waiters[] = {&waiter};

static Bursar__V1__Tier free_tier = BURSAR__V1__TIER__INIT;
static Bursar__V1__Tier trial = BURSAR__V1__TIER__INIT;
static Bursar__V1__Tier *tier_list[] = {&free_tier, &trial};
static Bursar__V1__ListTiersResponse tiers = BURSAR__V1__LIST_TIERS_RESPONSE__INIT;

static Bursar__V1__PoolStats example(void)
{
	free_tier.name = (char *)"free";
	trial.name = (char *)"trial";
	free_tier.pool_priority = trial.pool_priority = 1;
	tiers.tiers = tier_list;
	tiers.n_tiers = 2;

	Bursar__V1__PoolStats stats = BURSAR__V1__POOL_STATS__INIT;

	ref.name = (char *)"gpu";
	high.priority = high.weight = 10;
	high.running = 3;
	high.granted = 40;
	high.share = 0.75;
	high.entitled_share = 10.0 / 11;
	low.priority = low.weight = 1;
	low.waiting = 2;
	low.running = 1;
	low.oldest_wait_us = 90000000;
	low.granted = 2;
	low.share = 0.25;
	low.entitled_share = 1.0 / 11;
	waiter.user = (char *)"ann";
	waiter.request_id = (char *)"r1";
	waiter.priority = waiter.seats = 1;
	waiter.waited_us = 90000000;
	waiter.reason = BURSAR__V1__WAIT_REASON__WAIT_REASON_LEVEL_SHARE;
	stats.ref = &ref;
	stats.slots = 5;
	stats.running = 4;
	stats.waiting = 2;
	stats.oldest_wait_us = 90000000;
	stats.granted_at_once = 30;
	stats.granted_waited = 12;
	stats.mean_hold_us = 30000000;
	stats.jain_index = 0.5;
	stats.n_levels = 2;
	stats.levels = levels;
	stats.n_waiters = 1;
	stats.waiters = waiters;
	return stats;
}

TEST(a_line_has_what_matters_most)
{
	Bursar__V1__PoolStats stats = example();
	struct buf out = {0};

	stats.paused = true;
	stats.starving = 1;
	pool_put_line(&out, &stats, 1.25, &tiers);
	assert_string_equal(buf_str(&out), "gpu 4/5 running, 2 waiting (10: 0, 1 free, trial: 2), oldest 1 min 30 s, "
					   "1.2 grants/s, paused, 1 starving");
	buf_release(&out);
}

TEST(a_screen_has_bar_levels_and_waiters)
{
	Bursar__V1__PoolStats stats = example();
	struct cli cli = {0};

	pool_view_stats(&cli, &stats, 2, &tiers);
	assert_string_equal(buf_str(&cli.out),
		"  slots        [################################........] 4 of 5\n"
		"  waiting      2, oldest 1 min 30 s\n"
		"  grants       2.0 per second; 30 at once, 12 after waiting, 0 aged\n"
		"  mean hold    30 s\n"
		"  refused      0 by predicted wait, 0 by full queues, 0 timed out\n"
		"  fairness     0.500 (Jain)\n"
		"PRIORITY TIERS       WEIGHT WAITING RUNNING     OLDEST GRANTED SHARE ENTITLED\n"
		"      10 -               10       0       3        0 s      40 75.0%    90.9%\n"
		"       1 free, trial      1       2       1 1 min 30 s       2 25.0%     9.1%\n"
		"\n"
		"LONGEST WAITS REQUEST PRIORITY SEATS     WAITED WHY\n"
		"ann           r1             1     1 1 min 30 s level_share\n");
	buf_release(&cli.out);
}

TEST(a_priority_that_nobody_asks_for_has_no_share)
{
	Bursar__V1__PoolStats stats = example();
	struct cli cli = {0};

	high.running = 0;
	pool_view_stats(&cli, &stats, 2, NULL);
	assert_non_null(strstr(
		buf_str(&cli.out), "\n      10 -         10       0       0        0 s      40     -        -\n"));
	buf_release(&cli.out);
}

TEST(grants_a_second_are_between_two_looks)
{
	Bursar__V1__PoolStats before = example(), now = example();

	before.now_us = 1000000;
	now.now_us = 3000000;
	now.granted_waited += 3;
	assert_true(is_near(pool_grant_rate(&before, &now), 1.5));
	assert_true(is_near(pool_grant_rate(NULL, &now), 0));
	/* The pool's state was replaced, so its counters started over. */
	assert_true(is_near(pool_grant_rate(&now, &before), 0));
}
