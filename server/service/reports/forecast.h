/* Forecasts an account's current month: its use, its budget, and when the budget runs out. */
#ifndef BURSAR_SERVICE_REPORTS_FORECAST_H
#define BURSAR_SERVICE_REPORTS_FORECAST_H

#include "domain/forecast.h"
#include "service/worker/flow.h"
#include "service/worker/worker.h"

/* Embedded in the caller and alive until flow.done has run. Everything is in `arena`, which must outlive it. */
struct account_forecast {
	struct flow flow; /* ok: `result` is filled in */
	struct worker *worker;
	struct arena *arena;
	struct account_key key; /* in: a user, team, org or tenant */
	struct forecast result;
	const char *budget_name; /* "" = no budget */
	/* internal */
	struct forecast_query query;
	struct account_get get;
};

/* The caller has filled in forecast->key. `done` runs exactly once, later. */
void forecast_start(
	struct account_forecast *forecast, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
