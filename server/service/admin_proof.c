/* First what is still on its way, then the ledger, then every user's counters, one after the other. */
#include "service/admin_proof.h"

#include "base/clock.h"
#include "base/list.h"

static enum flow_result step_ledger(struct flow *flow);
static enum flow_result step_users(struct flow *flow);
static enum flow_result step_user(struct flow *flow);
static enum flow_result step_counted(struct flow *flow);

static struct proof *proof_of(struct flow *flow)
{
	return container_of(flow, struct proof, flow);
}

static enum flow_result end(struct proof *proof, const struct err *err)
{
	arena_release(&proof->turn);
	return err ? flow_fail_with(&proof->flow, err) : flow_succeed(&proof->flow);
}

static void birth_done(struct limits_op *op)
{
	flow_run(&container_of(container_of(op, struct limits_birth, op), struct proof, birth)->flow);
}

/* Asked first: an entry that comes later makes the sums differ, and the caller asks again. */
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

static void query_done(struct admin_job *job)
{
	struct proof_query *query = container_of(job, struct proof_query, job);

	flow_run(&container_of(query, struct proof, query)->flow);
}

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

static bool use_equal(const struct use *a, const struct use *b)
{
	return a->requests == b->requests && a->input + a->output == b->input + b->output && a->cost == b->cost;
}

static void check_done(struct flow *flow)
{
	flow_run(&container_of(container_of(flow, struct check, flow), struct proof, check)->flow);
}

static enum flow_result step_user(struct flow *flow)
{
	struct proof *proof = proof_of(flow);

	if (proof->user == proof->query.users) {
		proof->equal = proof->undrained == 0 && proof->uncounted == 0 &&
			       use_equal(&proof->query.ledger, &proof->query.rollup) &&
			       use_equal(&proof->query.ledger, &proof->query.shared) &&
			       use_equal(&proof->query.ledger, &proof->counters);
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

/* What the user's counter of the running month has settled; -1 when his tier has none. */
static int64_t month_of(const struct rows *rows, enum dimension dimension)
{
	for (int i = 0; i < rows->account[0].count; i++) {
		const struct limit_row *row = &rows->row[rows->account[0].first + i];
		const struct limit *limit = row->limit;

		if (limit->kind == KIND_CALENDAR && limit->unit == WINDOW_MONTH && limit->dimension == dimension &&
			!limit->interface_hash && !limit->model_hash)
			return row->figures.used - row->figures.held;
	}
	return -1;
}

static enum flow_result step_counted(struct flow *flow)
{
	struct proof *proof = proof_of(flow);
	struct check *check = &proof->check;

	if (!check->flow.ok) {
		struct err err = check->flow.err;

		check_release(check);
		return end(proof, &err);
	}
	int64_t requests = month_of(check->answer.rows, DIM_REQUESTS);
	int64_t tokens = month_of(check->answer.rows, DIM_TOKENS);
	int64_t cost = month_of(check->answer.rows, DIM_COST);

	check_release(check);
	if (requests < 0 || tokens < 0 || cost < 0) {
		proof->uncounted++;
	} else {
		proof->counted++;
		proof->counters.requests += requests;
		proof->counters.input += tokens;
		proof->counters.cost += cost;
	}
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
