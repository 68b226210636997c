/* For a record that does not know what was used: what its reservation holds (service/request/settle_private.h). */
#include "base/list.h"
#include "service/request/settle_private.h"

/* In the arena, because few records need it. */
struct hold {
	struct limits_reservation op;
	struct settle *settle;
	flow_step *next;
	int64_t cost;
};

static flow_step step_hold_ask, step_hold_take;

FLOW_OWNER(settle_of, settle)

bool settle_is_estimated(const struct settle_question *question)
{
	return question->reading && question->reading->estimated;
}

void settle_hold(struct settle *settle, flow_step *next)
{
	if (!settle_is_estimated(&settle->question) || settle->question.cancel) {
		flow_to(&settle->flow, next);
		return;
	}
	settle->hold = arena_zalloc(settle->arena, 1, sizeof(*settle->hold));
	settle->hold->settle = settle;
	settle->hold->next = next;
	flow_to(&settle->flow, step_hold_ask);
}

static void heard(struct limits_op *op)
{
	flow_run(&container_of(op, struct hold, op.op)->settle->flow);
}

static enum flow_result step_hold_ask(struct flow *flow)
{
	struct settle *settle = settle_of(flow);
	struct limits_store *limits = settle->worker->parts.limits;
	struct limits_reservation *op = &settle->hold->op;

	op->op.arena = settle->arena;
	op->op.done = heard;
	op->tenant = settle->question.handle.tenant;
	op->user = settle->question.handle.user;
	op->request_id = settle->question.handle.request_id;
	return flow_wait(flow, step_hold_take, limits->ops->reservation(limits, op));
}

/*
 * What is known of the use that was not told. After an expiry that is what it charged, together with the attempts before
 * it. Nothing is known of a cancelled request: it counts, and is flagged.
 */
static struct amounts estimate_of(const struct settle *settle, const struct reservation_row *row)
{
	bool charged = !row->attempts || settle->worker->parts.conf->expired_charges == conf_expired_charges_estimate;

	if (row->state == RESERVATION_OPEN)
		return row->held;
	if (row->state == RESERVATION_CANCELLED || (row->state == RESERVATION_EXPIRED && !charged))
		return (struct amounts){0};
	return row->used; /* a repeat is answered with what was recorded */
}

static enum flow_result step_hold_take(struct flow *flow)
{
	struct settle *settle = settle_of(flow);
	const struct limits_reservation *op = &settle->hold->op;
	struct amounts amounts = {0};

	if (op->op.status == LIMITS_FAILED) { /* a record is never acknowledged while the store is away */
		flow->err = op->op.err;
		if (flow->err.code == ERR_DEADLINE)
			flow->err.code = ERR_UNAVAILABLE;
		return flow_fail(flow);
	}
	if (op->op.status == LIMITS_OK)
		amounts = estimate_of(settle, &op->row);
	settle->question.meters =
		(struct meters){.count = {[METER_INPUT] = amounts.input, [METER_OUTPUT] = amounts.output}};
	settle->hold->cost = amounts.cost;
	flow_to(flow, settle->hold->next);
	return FLOW_MORE;
}

int64_t settle_held_cost(const struct settle *settle)
{
	return settle->hold ? settle->hold->cost : 0;
}
