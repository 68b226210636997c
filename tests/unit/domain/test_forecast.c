/* Forecasts: whole numbers, rounded up; first days, no data, leap years. */
#include <string.h>

#include "base/units.h"
#include "domain/time/date.h"
#include "domain/forecast.h"
#include "lib/test.h"

static struct forecast at(int year, int month, int day, int64_t time_us)
{
	return (struct forecast){.now_us = date_days(year, month, day) * DAY_US + time_us, .basis = FORECAST_NONE};
}

TEST(the_rest_of_the_month_costs_the_mean_of_the_days)
{
	struct forecast forecast = at(2026, 11, 21, DAY_US / 2); /* 9.5 days are left */

	forecast.cost = 1000;
	forecast.requests = 10;
	forecast.basis = FORECAST_OF_DAYS;
	forecast.basis_days = 7;
	forecast.basis_cost = 700;
	forecast.basis_requests = 8;
	forecast_make(&forecast);
	assert_int_equal(forecast.projected_cost, 1000 + 950);
	assert_int_equal(forecast.projected_requests, 10 + 11); /* 10.86 is rounded up */
	assert_int_equal(forecast.runs_out_day, -1);
}

TEST(a_part_of_a_nano_dollar_is_a_whole_one)
{
	struct forecast forecast = at(2026, 11, 30, DAY_US - 1);

	forecast.cost = 5;
	forecast.basis = FORECAST_OF_DAYS;
	forecast.basis_days = 7;
	forecast.basis_cost = 1;
	forecast_make(&forecast);
	assert_int_equal(forecast.projected_cost, 6);
}

TEST(nothing_used_means_nothing_expected)
{
	struct forecast forecast = at(2026, 11, 1, 0);

	forecast.budget = 100;
	forecast_make(&forecast);
	assert_int_equal(forecast.projected_cost, 0);
	assert_int_equal(forecast.runs_out_day, -1);
}

TEST(on_the_first_day_of_use_today_counts_as_a_day)
{
	struct forecast forecast = at(2026, 11, 1, DAY_US / 4); /* 29.75 days are left */

	forecast.cost = forecast.basis_cost = 40;
	forecast.requests = forecast.basis_requests = 4;
	forecast.basis = FORECAST_TODAY;
	forecast_make(&forecast);
	assert_int_equal(forecast.projected_cost, 40 + 1190);
	assert_int_equal(forecast.projected_requests, 4 + 119);
}

TEST(on_the_first_of_a_month_the_mean_is_of_the_month_before)
{
	struct forecast forecast = at(2026, 12, 1, 0); /* 31 days are left */

	forecast.basis = FORECAST_OF_DAYS;
	forecast.basis_days = 7;
	forecast.basis_cost = 70;
	forecast_make(&forecast);
	assert_int_equal(forecast.projected_cost, 310);
}

TEST(february_has_29_days_in_a_leap_year)
{
	struct forecast leap = at(2028, 2, 28, 0), common = at(2027, 2, 28, 0);

	leap.basis = common.basis = FORECAST_OF_DAYS;
	leap.basis_days = common.basis_days = 1;
	leap.basis_cost = common.basis_cost = 10;
	forecast_make(&leap);
	forecast_make(&common);
	assert_int_equal(leap.projected_cost, 20);
	assert_int_equal(common.projected_cost, 10);
}

TEST(a_budget_runs_out_on_the_day_of_its_last_nano_dollar)
{
	struct forecast forecast = at(2026, 11, 20, 0);

	forecast.cost = 1000;
	forecast.basis = FORECAST_OF_DAYS;
	forecast.basis_days = 2;
	forecast.basis_cost = 200;
	forecast.budget = 1799; /* 7.99 days */
	forecast_make(&forecast);
	assert_int_equal(forecast.runs_out_day, date_days(2026, 11, 27));
	forecast.budget = 1800;
	forecast_make(&forecast);
	assert_int_equal(forecast.runs_out_day, date_days(2026, 11, 28));
	forecast.budget = 2100; /* lasts until the end of the month */
	forecast_make(&forecast);
	assert_int_equal(forecast.runs_out_day, -1);
	assert_int_equal(forecast.projected_cost, 2100);
	forecast.budget = 1000;
	forecast_make(&forecast);
	assert_int_equal(forecast.runs_out_day, date_days(2026, 11, 20));
}

TEST(amounts_that_pass_the_largest_number_end_there)
{
	struct forecast forecast = at(2026, 11, 1, 0);

	forecast.cost = INT64_MAX - 5;
	forecast.basis = FORECAST_OF_DAYS;
	forecast.basis_days = 1;
	forecast.basis_cost = INT64_MAX;
	forecast.budget = INT64_MAX;
	forecast_make(&forecast);
	assert_int_equal(forecast.projected_cost, INT64_MAX);
	assert_int_equal(forecast.runs_out_day, date_days(2026, 11, 1));
}

TEST(days_before_the_first_use_say_nothing)
{
	assert_int_equal(forecast_days(100, -1), 0);
	assert_int_equal(forecast_days(100, 100), 0);
	assert_int_equal(forecast_days(100, 101), 0); /* the store's clock is ahead */
	assert_int_equal(forecast_days(100, 99), 1);
	assert_int_equal(forecast_days(100, 94), 6);
	assert_int_equal(forecast_days(100, 20), 7);
}

TEST(dates_are_read_strictly_and_written_back)
{
	static const char *const wrong[] = {"", "2026-11", "2026-02-29", "2026-13-01", "2026-00-10", "2026-11-00",
		"2026-11-31", "2026-11-1", "2026-11-011", "x026-11-01", "1969-12-31", "2026/11/01"};
	static const char *const no_months[] = {"", "2026", "2026-13", "2026-00", "2026-1", "2026-11-01", "1969-01"};
	char text[DATE_TEXT];
	struct err err;
	int64_t day;

	assert_true(date_parse("2028-02-29", "day", &day, &err));
	assert_int_equal(day, date_days(2028, 2, 29));
	assert_string_equal(date_format(day, text), "2028-02-29");
	assert_int_equal(date_next_month(day), date_days(2028, 3, 1));
	assert_int_equal(date_month(day), date_days(2028, 2, 1));
	assert_true(date_parse_month("2026-12", "month", &day, &err));
	assert_int_equal(date_next_month(day + 30), date_days(2027, 1, 1));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(date_parse(wrong[i], "from_day", &day, &err));
		assert_string_equal(err.field, "from_day");
	}
	for (size_t i = 0; i < sizeof(no_months) / sizeof(no_months[0]); i++)
		assert_false(date_parse_month(no_months[i], "month", &day, &err));
}

/* An admin gives back more than was used. */
TEST(credits_are_below_zero_and_do_not_go_on)
{
	struct forecast forecast = at(2026, 11, 21, DAY_US / 2);

	forecast.cost = forecast.basis_cost = -250;
	forecast.requests = forecast.basis_requests = -3;
	forecast.basis = FORECAST_OF_DAYS;
	forecast.basis_days = 7;
	forecast.budget = 1000;
	forecast_make(&forecast);
	assert_int_equal(forecast.projected_cost, -250);
	assert_int_equal(forecast.projected_requests, -3);
	assert_int_equal(forecast.runs_out_day, -1);
	forecast.basis_cost = 700;
	forecast_make(&forecast);
	assert_int_equal(forecast.projected_cost, -250 + 950);
}
