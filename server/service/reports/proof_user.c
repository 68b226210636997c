/* Looks at the counters and the windows of one user (service/reports/proof.h). */
#include <string.h>

#include "base/list.h"
#include "service/reports/proof.h"
#include "service/worker/seed.h"

static enum flow_result step_counted(struct flow *flow);
static enum flow_result step_looked(struct flow *flow);

FLOW_OWNER(user_of, proof_user)
FLOW_RESUME(check_done, flow, proof_user, check.flow)
FLOW_RESUME(lookup_done, account_lookup, proof_user, lookup)

static enum flow_result step_status(struct flow *flow)
{
	struct proof_user *user = user_of(flow);

	user->check.question = (struct check_question){
		.mode = CHECK_STATUS,
		.tenant = user->tenant,
		.user = user->user,
		.request_id = "",
		.interface = "",
		.model = "",
		.deadline_us = INT64_MAX,
	};
	flow_to(flow, step_counted);
	check_start(&user->check, user->worker, user->arena, check_done);
	return FLOW_WAIT;
}

/* Reads the settled amounts of the calendar counters of the user's own account. */
static void counters_read(struct proof_user *user, const struct rows *rows)
{
	user->count = 0;
	for (int i = 0; i < rows->account[0].count && user->count < LIMITS_MAX; i++) {
		const struct limit_row *row = &rows->row[rows->account[0].first + i];
		struct proof_counter *counter = &user->counter[user->count];

		if (row->limit->kind != KIND_CALENDAR)
			continue;
		*counter = (struct proof_counter){
			.unit = row->limit->unit,
			.dimension = row->limit->dimension,
			.interface_hash = row->limit->interface_hash,
			.model_hash = row->limit->model_hash,
			.settled = row->figures.used - row->figures.held,
		};
		memcpy(counter->limit, row->limit->name, sizeof(counter->limit));
		user->count++;
	}
}

static enum flow_result step_counted(struct flow *flow)
{
	struct proof_user *user = user_of(flow);
	struct check *check = &user->check;
	struct accounts_store *accounts = user->worker->parts.accounts;

	if (!check->flow.ok) {
		struct err err = check->flow.err;

		check_release(check);
		return flow_fail_with(flow, &err);
	}
	counters_read(user, check->answer.rows);
	check_release(check);
	user->lookup = (struct account_lookup){.arena = user->arena, .done = lookup_done, .count = 1};
	user->lookup.account[0].kind = ACCOUNT_USER;
	user->lookup.account[0].tenant = user->tenant;
	user->lookup.account[0].id = user->user;
	flow_to(flow, step_looked);
	accounts->ops->lookup(accounts, &user->lookup);
	return FLOW_WAIT;
}

/* The ledger's amount for the window that the counter is in. */
static int64_t ledger_of(
	const struct proof_user *user, const struct windows *windows, const struct proof_counter *counter)
{
	const struct account_found *found = &user->lookup.account[0];
	int64_t now_us = worker_now_us(user->worker);
	int64_t start = windows_start(windows, counter->unit, now_us);

	start = usage_start(found->window, found->windows, counter->unit, start, now_us);
	return usage_of(found->window, found->windows, counter->unit, counter->dimension, counter->interface_hash,
		counter->model_hash, start, now_us);
}

static void compare(struct proof_user *user, const char *what, int64_t counted, int64_t ledger)
{
	struct proof_difference *difference;

	if (counted == ledger)
		return;
	difference = &user->difference[user->differing++];
	*difference = (struct proof_difference){.user = user->user, .counted = counted, .ledger = ledger};
	memcpy(difference->limit, what, strnlen(what, LIMIT_NAME_MAX));
}

/* If the user's monthly window is exactly the month in UTC, the roll-ups cover the same time. */
static void compare_month(struct proof_user *user, const struct windows *windows)
{
	const struct account_found *found = &user->lookup.account[0];
	const struct amounts *use = user->month;
	int64_t now_us = worker_now_us(user->worker);
	int64_t begins = windows_start(windows, WINDOW_MONTH, now_us);
	const struct proof_counter month = {.unit = WINDOW_MONTH};
	struct proof_counter requests = month, tokens = month, cost = month;
	struct windows utc;
	struct err err;

	requests.dimension = DIM_REQUESTS;
	tokens.dimension = DIM_TOKENS;
	cost.dimension = DIM_COST;
	if (!windows_at(&(struct zone){0}, now_us, &utc, &err) || windows_start(&utc, WINDOW_MONTH, now_us) != begins ||
		usage_start(found->window, found->windows, WINDOW_MONTH, begins, now_us) != begins)
		return;
	compare(user, "requests of the month", ledger_of(user, windows, &requests), use->requests);
	compare(user, "tokens of the month", ledger_of(user, windows, &tokens), use->input + use->output);
	compare(user, "cost of the month", ledger_of(user, windows, &cost), use->cost);
}

/* The user's monthly counter of the dimension over all requests; NULL if the tier has none. */
static const struct proof_counter *month_of(const struct proof_user *user, enum dimension dimension)
{
	for (int i = 0; i < user->count; i++) {
		const struct proof_counter *counter = &user->counter[i];

		if (counter->unit == WINDOW_MONTH && counter->dimension == dimension && !counter->interface_hash &&
			!counter->model_hash)
			return counter;
	}
	return NULL;
}

static void sum_month(struct proof_user *user, const struct windows *windows)
{
	const struct proof_counter *requests = month_of(user, DIM_REQUESTS), *tokens = month_of(user, DIM_TOKENS);
	const struct proof_counter *cost = month_of(user, DIM_COST);

	if (!requests || !tokens || !cost)
		return;
	user->counted = true;
	user->counters.requests += requests->settled;
	user->counters.input += tokens->settled;
	user->counters.cost += cost->settled;
	user->windows.requests += ledger_of(user, windows, requests);
	user->windows.input += ledger_of(user, windows, tokens);
	user->windows.cost += ledger_of(user, windows, cost);
}

/* Counters follow the models that names resolve to today; the ledger's windows have the names used at the time. */
static bool resolve_models(struct proof_user *user, struct err *err)
{
	struct account_found *found = &user->lookup.account[0];
	struct snapshot *snapshot = snapshot_take(user->worker, err);

	if (!snapshot)
		return false;
	seed_resolve_models(snapshot->catalog, user->tenant, user->user, found->window, found->windows);
	snapshot_give(user->worker, snapshot);
	return true;
}

static enum flow_result step_looked(struct flow *flow)
{
	struct proof_user *user = user_of(flow);
	struct windows windows;
	struct err err;

	if (!user->lookup.ok)
		return flow_fail_with(flow, &user->lookup.err);
	if (!resolve_models(user, &err))
		return flow_fail_with(flow, &err);
	windows_or_utc(&user->lookup.account[0].profile.zone, worker_now_us(user->worker), &windows);
	for (int i = 0; i < user->count; i++)
		compare(user, user->counter[i].limit, user->counter[i].settled,
			ledger_of(user, &windows, &user->counter[i]));
	compare_month(user, &windows);
	sum_month(user, &windows);
	return flow_succeed(flow);
}

void proof_user_start(
	struct proof_user *user, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	flow_start(user, worker, arena, done, step_status);
}
