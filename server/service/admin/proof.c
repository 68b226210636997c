/* Reads what is still in the outboxes, then the ledger, then the counters and windows of each user in turn. */
#include "service/admin/proof.h"

#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "service/worker/seed.h"

static enum flow_result step_ledger(struct flow *flow);
static enum flow_result step_users(struct flow *flow);
static enum flow_result step_user(struct flow *flow);
static enum flow_result step_counted(struct flow *flow);
static enum flow_result step_looked(struct flow *flow);

FLOW_OWNER(proof_of, proof)

static enum flow_result end(struct proof *proof, const struct err *err)
{
	arena_release(&proof->turn);
	return err ? flow_fail_with(&proof->flow, err) : flow_succeed(&proof->flow);
}

FLOW_RESUME(birth_done, limits_op, proof, birth.op)

/* The outboxes come first: an entry that arrives later makes the sums differ, and the caller asks again. */
static enum flow_result step_outbox(struct flow *flow)
{
	struct proof *proof = proof_of(flow);
	struct limits_store *limits = proof->worker->parts.limits;

	proof->birth = (struct limits_birth){
		.op = {.arena = proof->arena, .done = birth_done},
		.kind = ACCOUNT_TENANT,
		.tenant = proof->tenant,
		.id = proof->tenant,
		.everywhere = true,
	};
	flow_to(flow, step_ledger);
	limits->ops->birth(limits, &proof->birth);
	return FLOW_WAIT;
}

FLOW_RESUME(query_done, admin_job, proof, query.job)

static enum flow_result step_ledger(struct flow *flow)
{
	struct proof *proof = proof_of(flow);
	struct admin_store *admin = proof->worker->parts.admin;

	if (proof->birth.op.status != LIMITS_OK)
		return end(proof, &proof->birth.op.err);
	proof->undrained = proof->birth.undrained;
	proof->query = (struct proof_query){
		.job = {.arena = proof->arena, .done = query_done},
		.tenant = proof->tenant,
	};
	flow_to(flow, step_users);
	admin->ops->proof(admin, &proof->query);
	return FLOW_WAIT;
}

static enum flow_result step_users(struct flow *flow)
{
	struct proof *proof = proof_of(flow);

	if (!proof->query.job.ok)
		return end(proof, &proof->query.job.err);
	proof->user = 0;
	flow_to(flow, step_user);
	return FLOW_MORE;
}

static bool use_equal(const struct amounts *a, const struct amounts *b)
{
	return a->requests == b->requests && a->input + a->output == b->input + b->output && a->cost == b->cost;
}

FLOW_RESUME(check_done, flow, proof, check.flow)

static enum flow_result step_user(struct flow *flow)
{
	struct proof *proof = proof_of(flow);

	if (proof->user == proof->query.users) {
		proof->equal = proof->undrained == 0 && proof->differing == 0 &&
			       use_equal(&proof->query.ledger, &proof->query.rollup) &&
			       use_equal(&proof->query.ledger, &proof->query.shared);
		return end(proof, NULL);
	}
	arena_reset(&proof->turn);
	proof->check.question = (struct check_question){
		.mode = CHECK_STATUS,
		.tenant = proof->tenant,
		.user = proof->query.user[proof->user],
		.request_id = "",
		.interface = "",
		.model = "",
		.deadline_us = INT64_MAX,
	};
	flow_to(flow, step_counted);
	check_start(&proof->check, proof->worker, &proof->turn, check_done);
	return FLOW_WAIT;
}

/* Reads the settled amounts of the calendar counters of the user's own account. */
static void counters_read(struct proof *proof, const struct rows *rows)
{
	proof->count = 0;
	for (int i = 0; i < rows->account[0].count && proof->count < LIMITS_MAX; i++) {
		const struct limit_row *row = &rows->row[rows->account[0].first + i];
		struct proof_counter *counter = &proof->counter[proof->count];

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
		proof->count++;
	}
}

FLOW_RESUME(lookup_done, account_lookup, proof, lookup)

static enum flow_result step_counted(struct flow *flow)
{
	struct proof *proof = proof_of(flow);
	struct check *check = &proof->check;
	struct accounts_store *accounts = proof->worker->parts.accounts;

	if (!check->flow.ok) {
		struct err err = check->flow.err;

		check_release(check);
		return end(proof, &err);
	}
	counters_read(proof, check->answer.rows);
	check_release(check);
	proof->lookup = (struct account_lookup){.arena = &proof->turn, .done = lookup_done, .count = 1};
	proof->lookup.account[0].kind = ACCOUNT_USER;
	proof->lookup.account[0].tenant = proof->tenant;
	proof->lookup.account[0].id = proof->query.user[proof->user];
	flow_to(flow, step_looked);
	accounts->ops->lookup(accounts, &proof->lookup);
	return FLOW_WAIT;
}

/* The ledger's amount for the window that the counter is in. */
static int64_t ledger_of(const struct proof *proof, const struct windows *windows, const struct proof_counter *counter)
{
	const struct account_found *found = &proof->lookup.account[0];
	int64_t now_us = worker_now_us(proof->worker);
	int64_t start = windows_start(windows, counter->unit, now_us);

	start = usage_start(found->window, found->windows, counter->unit, start, now_us);
	return usage_of(found->window, found->windows, counter->unit, counter->dimension, counter->interface_hash,
		counter->model_hash, start, now_us);
}

static void compare(struct proof *proof, const char *what, int64_t counted, int64_t ledger)
{
	if (counted == ledger)
		return;
	if (proof->differing < PROOF_DIFFERENCES) {
		struct proof_difference *difference = &proof->difference[proof->differing];

		*difference = (struct proof_difference){
			.user = proof->query.user[proof->user], .counted = counted, .ledger = ledger};
		memcpy(difference->limit, what, strnlen(what, LIMIT_NAME_MAX));
	}
	proof->differing++;
}

/* If the user's monthly window is exactly the month in UTC, the roll-ups cover the same time. */
static void compare_month(struct proof *proof, const struct windows *windows)
{
	const struct account_found *found = &proof->lookup.account[0];
	const struct amounts *use = &proof->query.of_user[proof->user];
	int64_t now_us = worker_now_us(proof->worker);
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
	compare(proof, "requests of the month", ledger_of(proof, windows, &requests), use->requests);
	compare(proof, "tokens of the month", ledger_of(proof, windows, &tokens), use->input + use->output);
	compare(proof, "cost of the month", ledger_of(proof, windows, &cost), use->cost);
}

/* The user's monthly counter of the dimension over all requests; NULL if the tier has none. */
static const struct proof_counter *month_of(const struct proof *proof, enum dimension dimension)
{
	for (int i = 0; i < proof->count; i++) {
		const struct proof_counter *counter = &proof->counter[i];

		if (counter->unit == WINDOW_MONTH && counter->dimension == dimension && !counter->interface_hash &&
			!counter->model_hash)
			return counter;
	}
	return NULL;
}

static void sum_month(struct proof *proof, const struct windows *windows)
{
	const struct proof_counter *requests = month_of(proof, DIM_REQUESTS), *tokens = month_of(proof, DIM_TOKENS);
	const struct proof_counter *cost = month_of(proof, DIM_COST);

	if (!requests || !tokens || !cost)
		return;
	proof->counted++;
	proof->counters.requests += requests->settled;
	proof->counters.input += tokens->settled;
	proof->counters.cost += cost->settled;
	proof->windows.requests += ledger_of(proof, windows, requests);
	proof->windows.input += ledger_of(proof, windows, tokens);
	proof->windows.cost += ledger_of(proof, windows, cost);
}

/* Counters follow the models that names resolve to today; the ledger's windows have the names used at the time. */
static bool resolve_models(struct proof *proof, struct err *err)
{
	struct account_found *found = &proof->lookup.account[0];
	struct snapshot *snapshot = snapshot_take(proof->worker, err);

	if (!snapshot)
		return false;
	seed_resolve_models(
		snapshot->catalog, proof->tenant, proof->query.user[proof->user], found->window, found->windows);
	snapshot_give(proof->worker, snapshot);
	return true;
}

static enum flow_result step_looked(struct flow *flow)
{
	struct proof *proof = proof_of(flow);
	struct windows windows;
	struct err err;

	if (!proof->lookup.ok)
		return end(proof, &proof->lookup.err);
	if (!resolve_models(proof, &err))
		return end(proof, &err);
	windows_or_utc(&proof->lookup.account[0].profile.zone, worker_now_us(proof->worker), &windows);
	for (int i = 0; i < proof->count; i++)
		compare(proof, proof->counter[i].limit, proof->counter[i].settled,
			ledger_of(proof, &windows, &proof->counter[i]));
	compare_month(proof, &windows);
	sum_month(proof, &windows);
	proof->user++;
	flow_to(flow, step_user);
	return FLOW_MORE;
}

void proof_start(struct proof *proof, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	*proof = (struct proof){.flow = {.done = done}, .worker = worker, .arena = arena, .tenant = proof->tenant};
	flow_to(&proof->flow, step_outbox);
	flow_run(&proof->flow);
}
