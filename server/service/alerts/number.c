/*
 * Gives new events their numbers (service/alerts/chores.h). Whoever has stored some asks for it at once; besides, every process looks
 * now and then for what others have left: the store lets one at a time do it, and does nothing where there is nothing new.
 */
#include "base/list.h"
#include "base/units.h"
#include "service/alerts/chores.h"

#define NUMBER_INTERVAL_US (2 * SECOND_US)
enum { NUMBER_EVENTS = 1000 };

CHORE_OWNER(number_of, number)

static enum flow_result step_numbered(struct flow *flow)
{
	struct number *number = number_of(flow);

	if (!number->op.op.ok)
		return flow_fail_with(flow, &number->op.op.err);
	number->chore.again = number->op.more;
	return flow_succeed(flow);
}

CHORE_RESUME(number_done, alerts_op, number, op.op)

static enum flow_result step_number(struct flow *flow)
{
	struct number *number = number_of(flow);
	struct alerts_store *alerts = alerts_role_of(&number->chore)->alerts;

	number->op = (struct alerts_number){
		.op = {.arena = &number->chore.arena, .done = number_done}, .limit = NUMBER_EVENTS};
	return flow_wait(flow, step_numbered, alerts->ops->number(alerts, &number->op));
}

void number_init(struct number *number)
{
	number->chore = (struct chore){.first = step_number, .name = "number", .interval_us = NUMBER_INTERVAL_US};
}
