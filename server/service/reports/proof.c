/*
 * Reads what is still in the outboxes, then the ledger, then the counters and windows of the users: many at a time, so
 * that their questions to Redis leave in one write and those to PostgreSQL in one transaction.
 */
#include "service/reports/proof.h"

#include <string.h>

#include "base/clock.h"
#include "base/list.h"

static flow_step step_ledger, step_users, step_gather;

FLOW_OWNER(proof_of, proof)

static enum flow_result end(struct proof *proof, const struct err *err)
{
	for (int i = 0; i < PROOF_LANES; i++)
		arena_release(&proof->lane[i].own);
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
	return flow_wait(flow, step_ledger, limits->ops->birth(limits, &proof->birth));
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
	return flow_wait(flow, step_users, admin->ops->proof(admin, &proof->query));
}

static bool use_equal(const struct amounts *a, const struct amounts *b)
{
	return a->requests == b->requests && a->input + a->output == b->input + b->output && a->cost == b->cost;
}

static void user_done(struct flow *flow)
{
	struct proof *proof = container_of(container_of(flow, struct proof_user, flow), struct proof_lane, user)->proof;

	if (--proof->pending == 0)
		flow_run(&proof->flow);
}

static void lane_start(struct proof *proof, int i)
{
	struct proof_lane *lane = &proof->lane[i];
	int number = proof->user + i;

	arena_reset(&lane->own);
	lane->proof = proof;
	lane->user = (struct proof_user){
		.tenant = proof->tenant, .user = proof->query.user[number], .month = &proof->query.of_user[number]};
	proof_user_start(&lane->user, proof->worker, &lane->own, user_done);
}

static enum flow_result step_users(struct flow *flow)
{
	struct proof *proof = proof_of(flow);

	if (!proof->query.job.ok)
		return end(proof, &proof->query.job.err);
	if (proof->user == proof->query.users) {
		proof->equal = proof->undrained == 0 && proof->differing == 0 &&
			       use_equal(&proof->query.ledger, &proof->query.rollup) &&
			       use_equal(&proof->query.ledger, &proof->query.shared);
		return end(proof, NULL);
	}
	proof->lanes = proof->query.users - proof->user;
	if (proof->lanes > PROOF_LANES)
		proof->lanes = PROOF_LANES;
	flow_to(flow, step_gather);
	/* One more for this loop: a user who is done at once must not resume the flow before the others have started. */
	proof->pending = proof->lanes + 1;
	for (int i = 0; i < proof->lanes; i++)
		lane_start(proof, i);
	return --proof->pending == 0 ? FLOW_MORE : FLOW_WAIT;
}

static void gather(struct proof *proof, const struct proof_user *user)
{
	for (int i = 0; i < user->differing; i++, proof->differing++) {
		if (proof->differing < PROOF_DIFFERENCES)
			proof->difference[proof->differing] = user->difference[i];
	}
	proof->counted += user->counted;
	proof->counters = amounts_plus(&proof->counters, &user->counters);
	proof->windows = amounts_plus(&proof->windows, &user->windows);
}

/* In the order of the users, whoever was done first. */
static enum flow_result step_gather(struct flow *flow)
{
	struct proof *proof = proof_of(flow);

	for (int i = 0; i < proof->lanes; i++) {
		if (!proof->lane[i].user.flow.ok)
			return end(proof, &proof->lane[i].user.flow.err);
		gather(proof, &proof->lane[i].user);
	}
	proof->user += proof->lanes;
	flow_to(flow, step_users);
	return FLOW_MORE;
}

void proof_start(struct proof *proof, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	*proof = (struct proof){.flow = {.done = done}, .worker = worker, .arena = arena, .tenant = proof->tenant};
	proof->lane = arena_zalloc(arena, PROOF_LANES, sizeof(*proof->lane));
	flow_to(&proof->flow, step_outbox);
	flow_run(&proof->flow);
}
