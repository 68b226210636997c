/* What a month will have cost at its end if use continues as before. */
#ifndef BURSAR_DOMAIN_FORECAST_H
#define BURSAR_DOMAIN_FORECAST_H

#include <stdbool.h>
#include <stdint.h>

#define FORECAST_DAYS 7 /* the average covers at most this many complete days */

/* The API uses these numbers. */
enum forecast_basis { FORECAST_NONE = 1, FORECAST_TODAY = 2, FORECAST_OF_DAYS = 3 };

/*
 * How many complete days before `today` the average covers, 0 = none. `first_day` is the day on which the account was
 * first used, -1 = never: days before it do not count; later days count even without use.
 */
int forecast_days(int64_t today, int64_t first_day);

struct forecast {
	/* In: the time, the use so far this month, and the total use in the days of the basis, which
	 * credits may have brought below 0. */
	int64_t now_us;
	int64_t cost, requests;
	enum forecast_basis basis;
	int basis_days; /* FORECAST_OF_DAYS: 1 to FORECAST_DAYS */
	int64_t basis_cost, basis_requests;
	int64_t budget; /* 0 = none */
	/* Out: amounts at the month's end, at most INT64_MAX; the UTC day on which the budget is spent, -1 = not this
	 * month. */
	int64_t projected_cost, projected_requests;
	int64_t runs_out_day;
};
/* Use so far + daily average x rest of the month (UTC), in integers, rounded up. */
void forecast_make(struct forecast *forecast);

#endif
