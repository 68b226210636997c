/* For a record that does not know what was used: what its reservation holds (service/request/settle_private.h). */
#include "base/clock.h"
#include "base/list.h"
#include "domain/usage/usage.h"
#include "service/request/settle_private.h"

static flow_step step_hold_ask, step_hold_take;

FLOW_OWNER(settle_of, settle)

FLOW_RESUME(heard, limits_op, settle, hold.op)

bool settle_is_estimated(const struct settle_question *question)
{
	return question->reading && question->reading->estimated;
}

void settle_hold(struct settle *settle, flow_step *next)
{
	settle->after_hold = next;
	if (settle_is_estimated(&settle->question) && !settle->question.cancel)
		flow_to(&settle->flow, step_hold_ask);
	else
		flow_to(&settle->flow, next);
}

static enum flow_result step_hold_ask(struct flow *flow)
{
	struct settle *settle = settle_of(flow);
	struct limits_store *limits = settle->worker->parts.limits;

	settle->hold = (struct limits_reservation){
		.op = {.arena = settle->arena, .done = heard},
		.tenant = settle->question.handle.tenant,
		.user = settle->question.handle.user,
		.request_id = settle->question.handle.request_id,
	};
	return flow_wait(flow, step_hold_take, limits->ops->reservation(limits, &settle->hold));
}

/* Nothing is known of a request that was never checked, or was cancelled: it counts, and is flagged. */
static enum flow_result step_hold_take(struct flow *flow)
{
	struct settle *settle = settle_of(flow);
	const struct reservation_row *row = &settle->hold.row;
	struct meters *meters = &settle->question.meters;

	if (settle->hold.op.status == LIMITS_FAILED) {
		flow->err = settle->hold.op.err;
		if (flow->err.code == ERR_DEADLINE)
			flow->err.code = ERR_UNAVAILABLE; /* a record is never acknowledged while the store is away */
		return flow_fail(flow);
	}
	*meters = (struct meters){{0}};
	if (settle->hold.op.status == LIMITS_OK && row->state == RESERVATION_OPEN) {
		meters->count[METER_INPUT] = row->held.input;
		meters->count[METER_OUTPUT] = row->held.output;
	} else if (settle->hold.op.status == LIMITS_OK && row->state != RESERVATION_CANCELLED) {
		/* What its expiry charged (expired_charges); or this is a repeat. */
		meters->count[METER_INPUT] = row->used.input;
		meters->count[METER_OUTPUT] = row->used.output;
	}
	flow_to(flow, settle->after_hold);
	return FLOW_MORE;
}
