/* Reads the use from the roll-ups, then the account with its limits. */
#include "service/reports/forecast.h"

#include "base/list.h"
#include "base/units.h"
#include "domain/time/date.h"
#include "service/worker/accounts.h"

static flow_step step_account, step_made;

FLOW_OWNER(forecast_of, account_forecast)

FLOW_RESUME(query_done, admin_job, account_forecast, query.job)

static enum flow_result step_use(struct flow *flow)
{
	struct account_forecast *self = forecast_of(flow);
	struct admin_store *admin = self->worker->parts.admin;
	int64_t today = floor_div(self->result.now_us, DAY_US);

	self->query = (struct forecast_query){
		.job = {.arena = self->arena, .done = query_done, .actor = "", .reason = ""},
		.key = self->key,
		.today = today,
		.from_day = today - FORECAST_DAYS,
	};
	return flow_wait(flow, step_account, admin->ops->forecast(admin, &self->query));
}

FLOW_RESUME(get_done, admin_job, account_forecast, get.job)

static enum flow_result step_account(struct flow *flow)
{
	struct account_forecast *self = forecast_of(flow);
	struct admin_store *admin = self->worker->parts.admin;

	if (!self->query.job.ok)
		return flow_fail_with(flow, &self->query.job.err);
	self->get = (struct account_get){
		.job = {.arena = self->arena, .done = get_done, .actor = "", .reason = ""}, .key = self->key};
	return flow_wait(flow, step_made, admin->ops->account_get(admin, &self->get));
}

/* The budget is the lowest monthly cost limit over all requests. */
static void budget_find(struct account_forecast *self, const struct policy *policy)
{
	for (int i = 0; i < policy->count; i++) {
		const struct limit *limit = &policy->limits[i];

		if (limit->dimension != DIM_COST || limit->kind != KIND_CALENDAR || limit->unit != WINDOW_MONTH ||
			limit->interface_hash || limit->model_hash || limit->shadow)
			continue;
		if (self->budget_name[0] && limit->amount >= self->result.budget)
			continue;
		self->result.budget = limit->amount;
		self->budget_name = arena_printf(self->arena, "%s", limit->name);
	}
}

static bool budget_read(struct account_forecast *self, struct err *err)
{
	struct account_profile *profile = &self->get.row.profile;
	struct snapshot *snapshot = snapshot_take(self->worker, err);
	struct policy *policy = arena_zalloc(self->arena, 1, sizeof(*policy));
	const struct tier *tier;
	bool ok;

	if (!snapshot)
		return false;
	profile_drop_ended(profile, self->result.now_us);
	tier = account_tier(snapshot->catalog, self->key.tenant, self->key.kind, profile);
	ok = policy_merge(tier ? &tier->policy : &self->worker->no_limits, profile->overrides, profile->override_count,
		policy, err);
	if (ok)
		budget_find(self, policy);
	snapshot_give(self->worker, snapshot);
	return ok;
}

/* Only today's use if the account has no complete day yet. */
static void basis_choose(struct forecast *result, const struct forecast_query *query)
{
	result->basis_days = forecast_days(query->today, query->first_day);
	if (result->basis_days > 0) {
		result->basis = FORECAST_OF_DAYS;
		result->basis_cost = query->days.cost;
		result->basis_requests = query->days.requests;
	} else if (query->first_day >= 0) {
		result->basis = FORECAST_TODAY;
		result->basis_cost = query->of_today.cost;
		result->basis_requests = query->of_today.requests;
	} else {
		result->basis = FORECAST_NONE;
	}
}

static enum flow_result step_made(struct flow *flow)
{
	struct account_forecast *self = forecast_of(flow);

	if (!self->get.job.ok)
		return flow_fail_with(flow, &self->get.job.err);
	if (!budget_read(self, &flow->err))
		return flow_fail(flow);
	self->result.cost = self->query.month.cost;
	self->result.requests = self->query.month.requests;
	basis_choose(&self->result, &self->query);
	forecast_make(&self->result);
	return flow_succeed(flow);
}

void forecast_start(
	struct account_forecast *forecast, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	*forecast = (struct account_forecast){.flow = {.done = done},
		.worker = worker,
		.arena = arena,
		.key = forecast->key,
		.result = {.now_us = worker_now_us(worker)},
		.budget_name = ""};
	flow_to(&forecast->flow, step_use);
	flow_run(&forecast->flow);
}
