/* A check that the store did not answer, decided by the tier's fail policy (service/request/check_private.h). */
#include <string.h>

#include "base/observe/metrics.h"
#include "service/request/check_private.h"
#include "service/worker/local.h"

/* The mask of accounts unknown to this worker: only PostgreSQL knows their tier, and whether they are suspended. */
static uint32_t strangers(struct check *check)
{
	uint32_t mask = 0;

	if (check->question.mode != CHECK_REAL || worker_durable_away(check->worker) ||
		++check->rounds > REPAIR_ROUNDS_MAX)
		return 0;
	for (int i = 0; i < check->accounts.count; i++)
		if (!check->accounts.account[i].remembered)
			mask |= UINT32_C(1) << i;
	return mask;
}

/*
 * If the lookup succeeded, the accounts are known now (a user's team may not be yet), and the store may be back, so it
 * is asked again. If it failed, nothing more is looked up: the caller's remaining time is needed for the answer.
 */
static enum flow_result step_met(struct flow *flow)
{
	struct check *check = check_of(flow);
	bool met = check->repair->flow.ok;

	if (!met)
		check->rounds = REPAIR_ROUNDS_MAX;
	flow_to(flow, met ? check_step_resolve : check_step_away);
	return FLOW_MORE;
}

/* FAIL_OPEN never lets a suspended or deleted account pass; LOCAL denies it. */
static enum fail_policy policy_away(const struct check *check)
{
	enum fail_policy policy = check->accounts.account[0].tier->fail_policy;

	for (int i = 0; i < check->accounts.count && policy == FAIL_OPEN; i++)
		if (check->accounts.account[i].profile->suspended || check->accounts.account[i].profile->deleted)
			policy = FAIL_LOCAL;
	return policy;
}

/* The store did not answer or is full: the tier's fail policy decides. Explain and status get the error. */
enum flow_result check_step_away(struct flow *flow)
{
	struct check *check = check_of(flow);
	struct check_answer *answer = &check->answer;
	struct standing *standing[ACCOUNTS_MAX];
	enum fail_policy policy = policy_away(check);
	uint32_t unknown = strangers(check);

	if (unknown) {
		flow_to(flow, step_met);
		check_look_up(check, unknown);
		return FLOW_WAIT;
	}
	/* The store had all the time that it gets. If the caller gave it less, it is their deadline that has passed. */
	if (flow->err.code == ERR_DEADLINE && !check->op.op.deadline_us)
		flow->err.code = ERR_UNAVAILABLE;
	if (check->question.mode != CHECK_REAL || policy == FAIL_CLOSED) {
		metric_inc(METRIC_checks_uncertain_total, METRIC_CERTAINTY_CLOSED, 0);
		return flow_fail(flow);
	}
	answer->cause = arena_strndup(check->arena, flow->err.text, strlen(flow->err.text));
	answer->now_us = answer->started_at_us = worker_now_us(check->worker);
	answer->expires_at_us = answer->now_us + check->op.ttl_us;
	if (policy == FAIL_OPEN) {
		metric_inc(METRIC_checks_uncertain_total, METRIC_CERTAINTY_BLIND, 0);
		answer->quality = QUALITY_BLIND;
		answer->allowed = true;
		answer->rows = rows_make(&check->accounts, NULL, 0, NULL, 0, 0);
	} else {
		metric_inc(METRIC_checks_uncertain_total, METRIC_CERTAINTY_LOCAL, 0);
		answer->quality = QUALITY_LOCAL;
		answer->allowed = local_decide(check->worker->local, &check->accounts, &check->request,
			check->worker->parts.workers, answer->now_us, standing);
		answer->rows = rows_make(&check->accounts, (const struct standing *const *)standing,
			check->accounts.count, &check->request, 0, answer->now_us);
	}
	flow_to(flow, check_step_finish);
	return FLOW_MORE;
}
