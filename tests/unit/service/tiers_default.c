/* The shipped tiers. */
#include "tiers_default.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"

#define USD INT64_C(1000000000)

const struct tier_default tiers_default[TIERS_DEFAULT] = {
	{
		.name = "free",
		.upgrade_to = "pro",
		.pool_priority = 1,
		.pool_concurrent = 1,
		.requests_per_minute = 3,
		.tokens_per_minute = 40000,
		.requests_per_day = 50,
		.requests_per_month = 1000,
		.cost_per_day = USD / 4,
		.cost_per_month = 5 * USD,
	},
	{
		.name = "pro",
		.upgrade_to = "enterprise",
		.pool_priority = 5,
		.pool_concurrent = 3,
		.requests_per_minute = 20,
		.tokens_per_minute = 200000,
		.requests_per_day = 1000,
		.requests_per_month = 20000,
		.cost_per_day = 5 * USD,
		.cost_per_month = 100 * USD,
	},
	{
		.name = "enterprise",
		.upgrade_to = "",
		.pool_priority = 10,
		.pool_concurrent = 10,
		.requests_per_minute = 100,
		.tokens_per_minute = 1000000,
		.requests_per_day = 10000,
		.requests_per_month = 200000,
		.cost_per_day = 50 * USD,
		.cost_per_month = 1000 * USD,
	},
};

const struct tier_default *tier_default_find(const char *name)
{
	for (int i = 0; i < TIERS_DEFAULT; i++) {
		if (strcmp(tiers_default[i].name, name) == 0)
			return &tiers_default[i];
	}
	return NULL;
}

static void add_bucket(
	struct policy *policy, const char *name, enum dimension dimension, int64_t amount, int64_t period_us)
{
	struct limit *limit = &policy->limits[policy->count++];

	*limit = (struct limit){.dimension = dimension, .kind = KIND_BUCKET, .amount = amount, .period_us = period_us};
	snprintf(limit->name, sizeof(limit->name), "%s", name);
}

static void add_calendar(
	struct policy *policy, const char *name, enum dimension dimension, int64_t amount, enum window_unit unit)
{
	struct limit *limit = &policy->limits[policy->count++];

	*limit = (struct limit){
		.dimension = dimension, .kind = KIND_CALENDAR, .amount = amount, .unit = unit, .notify = true};
	snprintf(limit->name, sizeof(limit->name), "%s", name);
}

bool tier_default_policy(const struct tier_default *tier, struct policy *out, struct err *err)
{
	out->count = 0;
	add_bucket(out, "requests_per_minute", DIM_REQUESTS, tier->requests_per_minute, MINUTE_US);
	add_bucket(out, "tokens_per_minute", DIM_TOKENS, tier->tokens_per_minute, MINUTE_US);
	add_calendar(out, "requests_per_day", DIM_REQUESTS, tier->requests_per_day, WINDOW_DAY);
	add_calendar(out, "requests_per_month", DIM_REQUESTS, tier->requests_per_month, WINDOW_MONTH);
	add_calendar(out, "cost_per_day", DIM_COST, tier->cost_per_day, WINDOW_DAY);
	add_calendar(out, "cost_per_month", DIM_COST, tier->cost_per_month, WINDOW_MONTH);
	/* A shadow limit, so that requests, tokens and cost each have a monthly counter for the proof to sum up. */
	add_calendar(out, "tokens_per_month", DIM_TOKENS, COUNT_MAX, WINDOW_MONTH);
	out->limits[out->count - 1].shadow = true;
	out->limits[out->count - 1].notify = false;
	return policy_prepare(out, err);
}
