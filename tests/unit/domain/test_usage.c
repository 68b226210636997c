/* What the ledger's windows add up to. */

#include "domain/record/usage.h"
#include "lib/test.h"

#define DAY INT64_C(86400000000)
#define NOW (100 * DAY + DAY / 2)

enum { WEB = 1, BOT = 2, BIG = 7, SMALL = 8 };

static const struct usage_window windows[] = {
	{WINDOW_DAY, 99 * DAY, false, NULL, WEB, BIG, {.requests = 100}}, /* yesterday */
	{WINDOW_DAY, 100 * DAY, false, NULL, WEB, BIG, {.requests = 1, .input = 10, .output = 5, .cost = 1000}},
	{WINDOW_DAY, 100 * DAY, false, NULL, BOT, BIG, {.requests = 2, .input = 20, .output = 5, .cost = 2000}},
	{WINDOW_DAY, 100 * DAY, false, NULL, BOT, SMALL, {.requests = 4, .input = 40, .output = 5, .cost = 4000}},
	{WINDOW_DAY, 101 * DAY, false, NULL, BOT, BIG, {.requests = 64}}, /* begun by a clock that was ahead */
	{WINDOW_MONTH, 90 * DAY, false, NULL, WEB, BIG, {.requests = 1000}},
};
enum { COUNT = sizeof(windows) / sizeof(windows[0]) };

static int64_t used(enum dimension dimension, uint64_t interface, uint64_t model)
{
	return usage_of(windows, COUNT, WINDOW_DAY, dimension, interface, model, 100 * DAY, NOW);
}

TEST(rows_of_the_running_window_are_summed_by_what_a_limit_selects)
{
	assert_int_equal(used(DIM_REQUESTS, 0, 0), 7);
	assert_int_equal(used(DIM_TOKENS, 0, 0), 85);
	assert_int_equal(used(DIM_COST, BOT, 0), 6000);
	assert_int_equal(used(DIM_REQUESTS, 0, BIG), 3);
	assert_int_equal(used(DIM_OUTPUT, BOT, BIG), 5);
	assert_int_equal(used(DIM_REQUESTS, WEB, SMALL), 0);
	assert_int_equal(usage_of(windows, COUNT, WINDOW_MONTH, DIM_REQUESTS, 0, 0, 90 * DAY, NOW), 1000);
	assert_int_equal(usage_of(windows, COUNT, WINDOW_WEEK, DIM_REQUESTS, 0, 0, 90 * DAY, NOW), 0);
}

TEST(a_reset_begins_the_window)
{
	const struct usage_window rows[] = {
		{WINDOW_DAY, 100 * DAY, false, NULL, WEB, BIG, {.requests = 5}},
		{WINDOW_DAY, 100 * DAY + 10, true, NULL, 0, 0, {0}},
		{WINDOW_DAY, 100 * DAY + 10, false, NULL, WEB, BIG, {.requests = 1}},
		{WINDOW_DAY, NOW + 1, true, NULL, 0, 0, {0}}, /* by a clock that was ahead */
	};
	int64_t start = usage_start(rows, 4, WINDOW_DAY, 100 * DAY, NOW);

	assert_int_equal(start, 100 * DAY + 10);
	assert_int_equal(usage_of(rows, 4, WINDOW_DAY, DIM_REQUESTS, 0, 0, start, NOW), 1);
	assert_int_equal(usage_start(rows, 4, WINDOW_MONTH, 90 * DAY, NOW), 90 * DAY);
	assert_int_equal(usage_start(rows, 1, WINDOW_DAY, 100 * DAY, NOW), 100 * DAY);
}

TEST(windows_of_a_clock_that_was_ahead_are_known_for_when_they_come_again)
{
	assert_int_equal(usage_ahead(windows, COUNT, NOW), 101 * DAY);
	assert_int_equal(usage_ahead(windows, 4, NOW), 0);
}

TEST(sums_stay_within_what_a_counter_holds)
{
	const struct usage_window rows[] = {
		{WINDOW_DAY, 0, false, NULL, 0, 0, {.cost = COUNT_MAX}},
		{WINDOW_DAY, 0, false, NULL, 0, 0, {.cost = COUNT_MAX}},
	};

	assert_int_equal(usage_of(rows, 2, WINDOW_DAY, DIM_COST, 0, 0, 0, NOW), COUNT_MAX);
}

TEST(rows_are_read_as_long_as_a_window_may_run)
{
	assert_true(usage_since_us(WINDOW_DAY, NOW) <= NOW - 2 * DAY);
	assert_true(usage_since_us(WINDOW_WEEK, NOW) <= NOW - 14 * DAY);
	assert_true(usage_since_us(WINDOW_MONTH, NOW) <= NOW - 62 * DAY);
}
