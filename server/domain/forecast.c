/* Daily averages, extrapolated to the month's end in microseconds. */
#include "domain/forecast.h"

#include <assert.h>

#include "base/units.h"
#include "domain/time/date.h"

int forecast_days(int64_t today, int64_t first_day)
{
	int64_t days = first_day < 0 ? 0 : today - first_day;

	return days < 0 ? 0 : days < FORECAST_DAYS ? (int)days : FORECAST_DAYS;
}

/* Adds to `so_far` what `left_us` more will bring at the rate of `sum` per `span_us`: days of credits bring nothing. */
static int64_t project(int64_t so_far, int64_t sum, int64_t span_us, int64_t left_us)
{
	__int128 more = span_us && sum > 0 ? ((__int128)sum * left_us + span_us - 1) / span_us : 0;

	more += so_far;
	return more > INT64_MAX ? INT64_MAX : (int64_t)more;
}

/* The day on which the rest of the budget is spent. Its last nano-dollar counts, so the time is rounded up. */
static int64_t runs_out(const struct forecast *forecast, int64_t span_us, int64_t end_us)
{
	__int128 rest = (__int128)forecast->budget - forecast->cost; /* a credit may be larger than any budget */
	__int128 needed_us;

	if (!forecast->budget)
		return -1;
	if (rest <= 0)
		return floor_div(forecast->now_us, DAY_US);
	if (!span_us || forecast->basis_cost <= 0)
		return -1;
	needed_us = (rest * span_us + forecast->basis_cost - 1) / forecast->basis_cost;
	if (needed_us >= end_us - forecast->now_us)
		return -1;
	return floor_div(forecast->now_us + (int64_t)needed_us, DAY_US);
}

void forecast_make(struct forecast *forecast)
{
	int64_t end_us = date_next_month(floor_div(forecast->now_us, DAY_US)) * DAY_US;
	int64_t left_us = end_us - forecast->now_us;
	int64_t span_us = forecast->basis == FORECAST_OF_DAYS ? forecast->basis_days * DAY_US
			  : forecast->basis == FORECAST_TODAY ? DAY_US
							      : 0;

	assert(forecast->basis != FORECAST_OF_DAYS || forecast->basis_days > 0);
	forecast->projected_cost = project(forecast->cost, forecast->basis_cost, span_us, left_us);
	forecast->projected_requests = project(forecast->requests, forecast->basis_requests, span_us, left_us);
	forecast->runs_out_day = runs_out(forecast, span_us, end_us);
}
