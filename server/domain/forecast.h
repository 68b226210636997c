/* What a month will have cost at its end, if things go on as they did. */
#ifndef BURSAR_DOMAIN_FORECAST_H
#define BURSAR_DOMAIN_FORECAST_H

#include <stdbool.h>
#include <stdint.h>

#define FORECAST_DAYS 7 /* at most so many complete days make the mean */

/* The numbers are the API's. */
enum forecast_basis { FORECAST_NONE = 1, FORECAST_TODAY = 2, FORECAST_OF_DAYS = 3 };

/*
 * The complete days that the mean is made of: from how many days before `today` on, 0 = none. `first_day` is the day on which the
 * account was first used, -1 = never: days before it say nothing, later ones without use do.
 */
int forecast_days(int64_t today, int64_t first_day);

struct forecast {
	/* In: now, and what was used so far in its month, and in the days of the basis in all. Amounts are 0 or more. */
	int64_t now_us;
	int64_t cost, requests;
	enum forecast_basis basis;
	int basis_days; /* FORECAST_OF_DAYS: 1 to FORECAST_DAYS */
	int64_t basis_cost, basis_requests;
	int64_t budget; /* 0 = none */
	/* Out: at the month's end, at most INT64_MAX; and the UTC day on which the budget is spent, -1 = not in this month. */
	int64_t projected_cost, projected_requests;
	int64_t runs_out_day;
};
/* So far + mean a day x what is left of the month (UTC), in whole numbers, rounded up. */
void forecast_make(struct forecast *forecast);

#endif
