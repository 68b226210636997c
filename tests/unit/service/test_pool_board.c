/* The shares of a pool's levels, and the board with its figures. */

#include <string.h>

#include "lib/test.h"
#include "service/pool/board.h"

/* cmocka's own assertion compares floats, not doubles. */
static bool is_near(double a, double b)
{
	return a - b < 1e-9 && b - a < 1e-9;
}

static struct pool_stats example(void)
{
	return (struct pool_stats){
		.slots = 5,
		.running = 4,
		.oldest_wait_us = 1500000,
		.level_rows = 3,
		.level_row = {{.priority = 10, .weight = 10, .running = 3, .seat_us = 60000000},
			{.priority = 5, .weight = 5}, {.priority = 1, .weight = 2, .waiting = 7, .seat_us = 20000000}},
	};
}

TEST(shares_are_of_levels_that_use_or_want_slots)
{
	struct pool_stats stats = example();
	struct pool_shares shares;

	pool_shares_of(&stats, &shares);
	assert_true(is_near(shares.share[0], 0.75));
	assert_true(is_near(shares.entitled[0], 10.0 / 12));
	assert_true(is_near(shares.share[1] + shares.entitled[1], 0));
	assert_true(is_near(shares.entitled[2], 2.0 / 12));
	/* Ratios 0.9 and 1.5: 2.4 squared over 2 x 3.06. */
	assert_true(is_near(shares.jain, 5.76 / 6.12));
}

TEST(levels_that_got_their_entitled_share_are_perfectly_fair)
{
	struct pool_stats stats = example();
	struct pool_shares shares;

	stats.level_row[0].seat_us = 100;
	stats.level_row[2].seat_us = 20;
	pool_shares_of(&stats, &shares);
	assert_true(is_near(shares.jain, 1));
	stats.level_rows = 0;
	pool_shares_of(&stats, &shares);
	assert_true(is_near(shares.jain, 1));
}

TEST(the_board_escapes_what_tenants_are_called)
{
	struct pool_stats stats = example();
	struct pool_shares shares;
	struct buf out = {0};

	pool_board_clear();
	pool_board_print(&out);
	assert_string_equal(buf_str(&out), "");
	pool_shares_of(&stats, &shares);
	pool_board_note("a", "never-used");
	pool_board_write("x\"y\\z", "gpu", &stats, &shares);
	pool_board_print(&out);
	assert_non_null(strstr(buf_str(&out), "\nbursar_pool_slots{tenant=\"x\\\"y\\\\z\",pool=\"gpu\"} 5\n"));
	assert_non_null(
		strstr(buf_str(&out), "bursar_pool_waiting{tenant=\"x\\\"y\\\\z\",pool=\"gpu\",priority=\"1\"} 7\n"));
	assert_non_null(strstr(buf_str(&out), "pool=\"gpu\"} 1.500\n"));
	assert_null(strstr(buf_str(&out), "never-used"));
	buf_release(&out);
}
