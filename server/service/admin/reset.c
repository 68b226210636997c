/* A reset goes through the store and its outbox like a record, so that counters, seeding and reconciliation agree. */
#include "service/admin/reset.h"

#include <string.h>

#include "base/clock.h"
#include "base/list.h"

enum { DEADLINE_US = 5000000 };

static flow_step step_ask, step_answered, step_repaired;

FLOW_OWNER(reset_of, account_reset)

static enum flow_result fail(struct account_reset *reset, const struct err *err)
{
	snapshot_give(reset->worker, reset->snapshot);
	return flow_fail_with(&reset->flow, err);
}

static void info_make(struct account_reset *reset)
{
	const struct account_key *key = &reset->key;
	struct entry_info info = {
		.tenant = key->tenant,
		.user = key->id,
		.request_id = reset->request_id,
		.interface = "",
		.model = "",
		.tier = request_tier_name(&reset->accounts.account[0]),
		.provider = "",
		.price_model = "",
		.reason = reset->reason,
		.actor = reset->actor,
		.accounts = 1,
		.account = {{.kind = key->kind, .id = key->id}},
	};
	struct buf buf = {0};

	entry_info_pack(&info, &buf);
	reset->op.info = (const uint8_t *)arena_strndup(reset->arena, (const char *)buf.data, buf.len);
	reset->op.info_len = buf.len;
	buf_release(&buf);
}

static enum flow_result step_begin(struct flow *flow)
{
	struct account_reset *reset = reset_of(flow);

	reset->deadline_us = clock_mono_us() + DEADLINE_US;
	reset->snapshot = snapshot_take(reset->worker, &flow->err);
	if (!reset->snapshot)
		return flow_fail(flow);
	if (!accounts_init(
		    &reset->accounts, reset->worker, reset->arena, reset->snapshot, reset->key.tenant, &flow->err))
		return fail(reset, &flow->err);
	return flow_more(flow, step_ask);
}

FLOW_RESUME(op_done, limits_op, account_reset, op.op)

static enum flow_result step_ask(struct flow *flow)
{
	struct account_reset *reset = reset_of(flow);
	struct limits_store *limits = reset->worker->parts.limits;
	struct entry_account account = {.kind = reset->key.kind, .id = reset->key.id};

	if (!accounts_of_reservation(&reset->accounts, &account, 1, &flow->err))
		return fail(reset, &flow->err);
	reset->op = (struct limits_reset){
		.op = {.arena = reset->arena, .done = op_done},
		.request_id = reset->request_id,
		.expected = account_expect(&reset->accounts, 0),
	};
	info_make(reset);
	return flow_wait(flow, step_answered, limits->ops->reset(limits, &reset->op));
}

/* If a dimension has several windows, reports the shortest, which says most: "what today's counter lost". */
static int64_t lost_of(const struct account_reset *reset, enum dimension dimension)
{
	const struct policy *policy = reset->op.expected.policy;
	int best = -1;

	for (int i = 0; i < policy->count; i++) {
		const struct limit *limit = &policy->limits[i];

		if (limit->kind != KIND_CALENDAR || limit->dimension != dimension || limit->interface_hash ||
			limit->model_hash)
			continue;
		if (best < 0 || limit->unit < policy->limits[best].unit)
			best = i;
	}
	return best < 0 ? 0 : reset->op.lost[best];
}

FLOW_RESUME(repair_done, flow, account_reset, repair.flow)

static enum flow_result step_answered(struct flow *flow)
{
	struct account_reset *reset = reset_of(flow);
	enum limits_status status = reset->op.op.status;

	if (repair_can(status) && ++reset->rounds <= REPAIR_ROUNDS_MAX)
		return flow_wait(flow, step_repaired,
			repair_start(&reset->repair, &reset->accounts, &reset->op.op, reset->deadline_us, repair_done));
	if (status == LIMITS_CONFLICT) {
		err_set(&flow->err, ERR_EXISTS, "request_id: %s was already used for something else",
			reset->request_id);
		return fail(reset, &flow->err);
	}
	if (status != LIMITS_OK && status != LIMITS_REPEAT) {
		if (reset->op.op.err.code == ERR_NONE)
			err_set(&reset->op.op.err, ERR_UNAVAILABLE,
				"the account changes faster than it can be read; try again");
		return fail(reset, &reset->op.op.err);
	}
	reset->repeat = status == LIMITS_REPEAT;
	reset->lost = (struct amounts){
		.requests = lost_of(reset, DIM_REQUESTS),
		.input = lost_of(reset, DIM_TOKENS),
		.cost = lost_of(reset, DIM_COST),
	};
	snapshot_give(reset->worker, reset->snapshot);
	return flow_succeed(flow);
}

static enum flow_result step_repaired(struct flow *flow)
{
	struct account_reset *reset = reset_of(flow);

	if (!reset->repair.flow.ok)
		return fail(reset, &reset->repair.flow.err);
	return flow_more(flow, step_ask);
}

void account_reset_start(
	struct account_reset *reset, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	reset->rounds = 0;
	flow_start(reset, worker, arena, done, step_begin);
}
