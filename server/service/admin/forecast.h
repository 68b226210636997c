/* Where an account's running month is going: its use, its budget, and when they meet. */
#ifndef BURSAR_SERVICE_ADMIN_FORECAST_H
#define BURSAR_SERVICE_ADMIN_FORECAST_H

#include "domain/forecast.h"
#include "service/worker/flow.h"
#include "service/worker/worker.h"

/* Embedded by the caller, alive until flow.done has run. Everything lies in `arena`, which outlives it. */
struct account_forecast {
	struct flow flow; /* ok: result is made */
	struct worker *worker;
	struct arena *arena;
	struct account_key key; /* in: a user, team, org or tenant */
	struct forecast result;
	const char *budget_name; /* "" = there is none */
	/* its own */
	struct forecast_query query;
	struct account_get get;
};

/* `forecast->key` is filled; `done` comes once, later. */
void forecast_start(
	struct account_forecast *forecast, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
