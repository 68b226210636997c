/* What the cases of tests/contract do not cover: reasons, figures at the edges, arithmetic at its limits. */

#include <stdlib.h>
#include <string.h>

#include "domain/limit/bucket.h"
#include "domain/limit/decision.h"
#include "lib/test.h"
#include "reference/reference.h"

#define NOW INT64_C(1795435200000000) /* 2026-11-23T12:00:00Z */
#define HOUR INT64_C(3600000000)

static struct limit limit_of(enum dimension dimension, enum limit_kind kind, int64_t amount, int64_t period_us)
{
	struct limit limit = {.dimension = dimension, .kind = kind, .amount = amount, .period_us = period_us};

	assert_true(limit_prepare(&limit, NULL));
	return limit;
}

TEST(every_limit_has_its_reason)
{
	static const struct {
		enum dimension dimension;
		enum limit_kind kind;
		enum reason reason;
	} rows[] = {{DIM_REQUESTS, KIND_CALENDAR, REASON_QUOTA}, {DIM_TOKENS, KIND_CALENDAR, REASON_QUOTA},
		{DIM_COST, KIND_CALENDAR, REASON_BUDGET}, {DIM_REQUESTS, KIND_BUCKET, REASON_REQUEST_RATE},
		{DIM_TOKENS, KIND_BUCKET, REASON_TOKEN_RATE}, {DIM_OUTPUT, KIND_BUCKET, REASON_TOKEN_RATE},
		{DIM_COST, KIND_BUCKET, REASON_COST_RATE}, {DIM_CONCURRENT, KIND_LEVEL, REASON_CONCURRENCY}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct limit limit = {.dimension = rows[i].dimension, .kind = rows[i].kind};

		assert_int_equal(reason_of(&limit), rows[i].reason);
	}
	for (int i = 0; i < REASON_COUNT; i++)
		assert_non_null(reason_name((enum reason)i));
	assert_null(reason_name(REASON_COUNT));
}

TEST(amounts_are_read_by_dimension)
{
	struct amounts amounts = {.requests = 1, .input = 20, .output = 300, .cost = 4000};

	assert_int_equal(amounts_of(&amounts, DIM_REQUESTS), 1);
	assert_int_equal(amounts_of(&amounts, DIM_TOKENS), 320);
	assert_int_equal(amounts_of(&amounts, DIM_INPUT), 20);
	assert_int_equal(amounts_of(&amounts, DIM_OUTPUT), 300);
	assert_int_equal(amounts_of(&amounts, DIM_COST), 4000);
	assert_int_equal(amounts_of(&amounts, DIM_CONCURRENT), 1);
}

TEST(debt_ends_after_a_hundred_years)
{
	struct limit limit = limit_of(DIM_TOKENS, KIND_BUCKET, 1, HOUR);
	union limit_state at = {0};

	bucket_take(&limit, &at, COUNT_MAX, NOW);
	assert_int_equal(at.bucket.full_at_us, NOW + SPAN_MAX_US);
	assert_int_equal(at.bucket.rem, 0);
	bucket_take(&limit, &at, COUNT_MAX, NOW + 5);
	assert_int_equal(at.bucket.full_at_us, NOW + 5 + SPAN_MAX_US);
	assert_false(bucket_fits(&limit, &at, 1, NOW));
	assert_int_equal(bucket_used(&limit, &at, NOW + 5), SPAN_MAX_US / HOUR);
	assert_int_equal(bucket_wait(&limit, &at, 1, NOW + 5), SPAN_MAX_US);
}

/* Taking a and then b equals taking a + b, in any parts; giving it back leaves nothing. */
TEST(parts_add_up_without_loss)
{
	unsigned seed = 3;

	for (int round = 0; round < 2000; round++) {
		struct limit limit = limit_of(
			DIM_TOKENS, KIND_BUCKET, 1 + rand_r(&seed) % 1000003, 1000 + rand_r(&seed) % 100000000);
		union limit_state whole = {0};
		union limit_state parts = {0};
		int64_t sum = 0;

		for (int i = 0; i < 20; i++) {
			int64_t n = rand_r(&seed) % 1000;

			bucket_take(&limit, &parts, n, NOW);
			sum += n;
		}
		bucket_take(&limit, &whole, sum, NOW);
		assert_int_equal(whole.bucket.full_at_us, parts.bucket.full_at_us);
		assert_int_equal(whole.bucket.rem, parts.bucket.rem);
		assert_int_equal(bucket_used(&limit, &whole, NOW), sum);
		assert_true(bucket_wait(&limit, &whole, 0, NOW) == 0 || sum > limit.amount);
		bucket_give(&limit, &parts, sum, NOW, INT64_MAX);
		assert_int_equal(parts.bucket.full_at_us, NOW);
		assert_int_equal(parts.bucket.rem, 0);
	}
}

/* bucket_wait is exact: a microsecond earlier it does not fit, then it does. */
TEST(waits_are_exact)
{
	unsigned seed = 11;

	for (int round = 0; round < 5000; round++) {
		struct limit limit =
			limit_of(DIM_TOKENS, KIND_BUCKET, 1 + rand_r(&seed) % 5000, 1000 + rand_r(&seed) % 100000000);
		union limit_state at = {0};
		int64_t n = 1 + rand_r(&seed) % limit.amount;
		int64_t wait;

		bucket_take(&limit, &at, rand_r(&seed) % (2 * limit.amount + 1), NOW);
		wait = bucket_wait(&limit, &at, n, NOW);
		assert_true(bucket_fits(&limit, &at, n, NOW + wait));
		if (wait > 0)
			assert_false(bucket_fits(&limit, &at, n, NOW + wait - 1));
	}
}

/* An account in the middle of its day, with this much of its first limit settled and held. */
static struct account_state account_at_noon(
	const struct policy *policy, int64_t settled, int64_t held, struct windows *windows)
{
	struct account_state account = {.policy = policy, .clock_us = NOW};
	struct zone utc = {0};

	assert_true(windows_at(&utc, NOW, windows, NULL));
	state_roll(&account, windows, NOW);
	account.limits[0].calendar.settled = settled;
	account.limits[0].calendar.held = held;
	return account;
}

TEST(figures_stay_in_their_bounds)
{
	struct policy policy = {.count = 2,
		.limits = {limit_of(DIM_TOKENS, KIND_CALENDAR, 1, 0), limit_of(DIM_COST, KIND_CALENDAR, 0, 0)}};
	struct windows windows;
	struct account_state account = account_at_noon(&policy, COUNT_MAX, COUNT_MAX, &windows);
	struct figures figures;

	figures_of(&account, 0, &windows, 1, true, NOW, &figures);
	assert_int_equal(figures.used, COUNT_MAX);
	assert_int_equal(figures.used_percent, 1000000);
	assert_int_equal(figures.remaining, 0);
	assert_int_equal(figures.retry_after_us, 12 * HOUR);
	figures_of(&account, 1, &windows, 0, false, NOW, &figures);
	assert_int_equal(figures.used_percent, 0);
	assert_false(figures.warning);
	figures_of(&account, 1, &windows, 1, true, NOW, &figures);
	assert_true(figures.permanent);
	assert_int_equal(figures.retry_after_us, 0);
	/* The account's clock waits for the store's, and so does the caller. */
	account.clock_us = NOW + CLOCK_SLACK_US;
	figures_of(&account, 0, &windows, 1, true, NOW, &figures);
	assert_int_equal(figures.retry_after_us, 12 * HOUR);
	assert_int_equal(figures.resets_at_us, NOW + 12 * HOUR);
}

/* How long to wait for `n`, with this much of 100 settled and held, half a day before the window ends. */
static int64_t waits(enum dimension dimension, int64_t settled, int64_t held, int64_t n, int64_t first_end_us)
{
	struct policy policy = {.count = 1, .limits = {limit_of(dimension, KIND_CALENDAR, 100, 0)}};
	struct windows windows;
	struct account_state account = account_at_noon(&policy, settled, held, &windows);
	struct figures figures;

	figures_of(&account, 0, &windows, n, true, NOW, &figures);
	figures_first_end(&figures, first_end_us, NOW);
	assert_int_equal(figures.only_held, figures.retry_after_us > 0 && figures.retry_after_us < HOUR);
	return figures.retry_after_us;
}

TEST(what_is_only_held_is_waited_for_a_little_and_what_is_used_up_until_the_window_ends)
{
	assert_int_equal(waits(DIM_COST, 50, 50, 50, 0), HELD_RETRY_US);
	assert_int_equal(waits(DIM_TOKENS, 0, 100, 1, 0), HELD_RETRY_US);
	assert_int_equal(waits(DIM_OUTPUT, 99, 1, 1, 0), HELD_RETRY_US);
	assert_int_equal(waits(DIM_COST, 50, 50, 51, 0), 12 * HOUR);
	assert_int_equal(waits(DIM_COST, 100, 0, 1, 0), 12 * HOUR);
	assert_int_equal(waits(DIM_COST, 0, 100, 101, 0), 0); /* never */
	assert_int_equal(
		waits(DIM_REQUESTS, 0, 100, 1, 0), 12 * HOUR); /* a request counts even if it is still running */
	/* No longer than until the first reservation expires. */
	assert_int_equal(waits(DIM_COST, 50, 50, 50, NOW + HOUR), HELD_RETRY_US);
	assert_int_equal(waits(DIM_COST, 50, 50, 50, NOW + 2500000), 2500000);
	assert_int_equal(waits(DIM_COST, 50, 50, 50, NOW - 5), 1000000);
	assert_int_equal(waits(DIM_COST, 100, 0, 1, NOW + 1), 12 * HOUR);
}

TEST(a_window_ends_when_it_would_have_and_not_before)
{
	struct policy policy = {.count = 1, .limits = {limit_of(DIM_REQUESTS, KIND_CALENDAR, 5, 0)}};
	struct account_state account = {.policy = &policy, .clock_us = NOW};
	struct zone utc = {0};
	struct windows windows;

	assert_true(windows_at(&utc, NOW, &windows, NULL));
	account.window_start[WINDOW_DAY] = NOW - 1; /* later than midnight: begun by a reset, or in another zone */
	account.window_end[WINDOW_DAY] = windows.at[WINDOW_DAY][2] + HOUR;
	account.limits[0].calendar.settled = 3;
	state_roll(&account, &windows, NOW);
	assert_int_equal(account.window_start[WINDOW_DAY], NOW - 1);
	assert_int_equal(account.limits[0].calendar.settled, 3);
	assert_int_equal(account.window_start[WINDOW_MONTH], windows.at[WINDOW_MONTH][1]);
	state_roll(&account, &windows, windows.at[WINDOW_DAY][2]);
	assert_int_equal(account.limits[0].calendar.settled, 3); /* it ends when it would have */
	state_roll(&account, &windows, windows.at[WINDOW_DAY][2] + HOUR);
	assert_int_equal(account.limits[0].calendar.settled, 0);
}

TEST(a_bucket_is_full_at_a_whole_microsecond)
{
	struct policy policy = {.count = 1, .limits = {limit_of(DIM_REQUESTS, KIND_BUCKET, 7, 60000000)}};
	struct account_state account = {.policy = &policy, .clock_us = NOW};
	struct windows windows = {0};
	struct figures figures;

	bucket_take(&policy.limits[0], &account.limits[0], 1, NOW);
	figures_of(&account, 0, &windows, 1, false, NOW, &figures);
	assert_int_equal(figures.resets_at_us, NOW + 8571429); /* 8,571,428 4/7, rounded up */
	assert_int_equal(figures.remaining, 6);
}

TEST(absent_accounts_are_skipped)
{
	struct policy policy = {.count = 1, .limits = {limit_of(DIM_TOKENS, KIND_BUCKET, 10, HOUR)}};
	struct account_state a = {.policy = &policy};
	struct account_state b = {.policy = &policy};
	struct account_state *both[] = {&a, &b};
	struct account_state *one[] = {NULL, &b};
	struct request request = {.estimate = {.requests = 1, .input = 4}};
	struct settlement settlement = {.used = {.input = 1}, .final = true, .becomes = RESERVATION_RECORDED};
	struct verdict verdicts[2] = {0};
	struct reservation reservation;
	struct settled settled;

	decision_take(both, 2, &request, NOW, HOUR, &reservation, verdicts);
	decision_settle(one, &reservation, &settlement, NOW, &settled, verdicts);
	assert_int_equal(settled.released.input, 3);
	assert_int_equal(bucket_used(&policy.limits[0], &a.limits[0], NOW), 4);
	assert_int_equal(bucket_used(&policy.limits[0], &b.limits[0], NOW), 1);
	assert_int_equal(reservation.state, RESERVATION_RECORDED);
	assert_int_equal(a.open, 1);
	assert_int_equal(b.open, 0);
}
