/*
 * Evaluates what has become due (service/alerts/chores.h): the store takes it, and has it judged here, on one of its threads, by this
 * snapshot of the catalog.
 */
#include "base/clock.h"
#include "base/list.h"
#include "base/observe/log.h"
#include "base/units.h"
#include "domain/alert/judge.h"
#include "service/alerts/chores.h"
#include "service/worker/accounts.h"
#include "service/worker/seed.h"

#define EVALUATE_INTERVAL_US SECOND_US
/* Of one evaluation. Few, because the ledger's writer wants the same CPUs. */
enum { EVALUATE_ACCOUNTS = 500 };

static flow_step step_read, step_evaluate, step_evaluated;

CHORE_OWNER(evaluate_of, evaluate)

/* Finds the limits in force and what models are called today. `merged` is room for a policy of its own. */
static void resolve(const struct catalog *catalog, struct alert_account *account, struct policy *merged, int64_t now_us)
{
	static const struct policy none;
	struct account_profile *profile = &account->profile;
	const char *user = account->kind == ACCOUNT_USER ? account->id : "";
	const struct tier *tier = account_tier(catalog, account->tenant, account->kind, profile);
	struct err err;

	account->tier = tier ? tier->name : profile->tier;
	account->policy = tier ? &tier->policy : NULL;
	seed_resolve_models(catalog, account->tenant, user, account->window, account->windows);
	profile_drop_ended(profile, now_us);
	if (!profile->override_count)
		return;
	catalog_limits_resolve(catalog, account->tenant, user, profile->overrides, profile->override_count);
	if (policy_merge(tier ? &tier->policy : &none, profile->overrides, profile->override_count, merged, &err))
		account->policy = merged;
	else
		log_error("ignored the limits of an account, which do not fit its tier", F("why", err.text));
}

/* On a thread of the store. */
static bool judge(struct alerts_evaluate *op, struct err *err)
{
	struct evaluate *evaluate = container_of(op, struct evaluate, op);
	struct policy *merged = arena_alloc(op->op.arena, sizeof(*merged));
	struct alert_judge judge = {
		.setup = &evaluate->setup.read.setup, .arena = op->op.arena, .now_us = op->now_us, .stale = op->stale};

	(void)err;
	for (int i = 0; i < op->accounts; i++) {
		resolve(evaluate->snapshot->catalog, &op->account[i], merged, op->now_us);
		alert_judge_account(&judge, &op->account[i]);
	}
	for (int i = 0; i < op->notes; i++) {
		const struct alert_event *note = &op->note[i];

		alert_judge_note(&judge, note,
			alert_account_find(op->account, op->accounts, note->tenant, note->account_kind, note->account),
			"");
	}
	op->firing = judge.firing;
	op->firings = judge.firings;
	op->rearm = judge.rearm;
	op->rearms = judge.rearms;
	return true;
}

/* While much is due, evaluating takes at most half of the time: alerts may be late, the ledger should not be. */
static int64_t pause_us(const struct evaluate *evaluate)
{
	int64_t took_us = clock_mono_us() - evaluate->begun_us;

	return took_us < EVALUATE_INTERVAL_US ? took_us : EVALUATE_INTERVAL_US;
}

static enum flow_result step_evaluated(struct flow *flow)
{
	struct evaluate *evaluate = evaluate_of(flow);

	snapshot_give(evaluate->chore.role->worker, evaluate->snapshot);
	evaluate->snapshot = NULL;
	if (!evaluate->op.op.ok)
		return flow_fail_with(flow, &evaluate->op.op.err);
	evaluate->chore.interval_us = evaluate->op.more ? pause_us(evaluate) : EVALUATE_INTERVAL_US;
	if (evaluate->op.stored)
		alerts_role_stored(alerts_role_of(&evaluate->chore));
	return flow_succeed(flow);
}

CHORE_RESUME(evaluate_done, alerts_op, evaluate, op.op)

static enum flow_result step_evaluate(struct flow *flow)
{
	struct evaluate *evaluate = evaluate_of(flow);
	struct alerts_role *role = alerts_role_of(&evaluate->chore);
	struct worker *worker = role->role.worker;
	struct err err;

	evaluate->snapshot = snapshot_take(worker, &err);
	if (!evaluate->snapshot)
		return flow_succeed(flow); /* the process has just started: next time */
	evaluate->op = (struct alerts_evaluate){
		.op = {.arena = &evaluate->chore.arena, .done = evaluate_done},
		.limit = EVALUATE_ACCOUNTS,
		.now_us = worker_now_us(worker),
		.catalog_stored = catalog_stored(evaluate->snapshot->catalog),
		.judge = judge,
	};
	evaluate->begun_us = clock_mono_us();
	evaluate->op.daily_kinds = alert_daily_kinds(&evaluate->setup.read.setup, &evaluate->op.daily_minimum_nano);
	return flow_wait(flow, step_evaluated, role->alerts->ops->evaluate(role->alerts, &evaluate->op));
}

static enum flow_result step_read(struct flow *flow)
{
	return setup_taken(&evaluate_of(flow)->setup, flow, step_evaluate);
}

CHORE_RESUME(setup_done, alerts_op, evaluate, setup.read.op)

static enum flow_result step_begin(struct flow *flow)
{
	struct evaluate *evaluate = evaluate_of(flow);

	if (setup_is_current(&evaluate->setup, &evaluate->chore))
		return flow_more(flow, step_evaluate);
	return flow_wait(flow, step_read, setup_read(&evaluate->setup, &evaluate->chore, setup_done));
}

void evaluate_init(struct evaluate *evaluate)
{
	evaluate->chore = (struct chore){.first = step_begin, .name = "evaluate", .interval_us = EVALUATE_INTERVAL_US};
}
