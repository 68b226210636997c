/* Keeps a reservation open for longer (service/request/settle.h). */
#include <inttypes.h>

#include "base/list.h"
#include "base/observe/metrics.h"
#include "service/request/settle.h"

static enum flow_result step_answered(struct flow *flow)
{
	struct renew *renew = container_of(flow, struct renew, flow);

	switch (renew->op.op.status) {
	case LIMITS_OK:
		renew->expires_at_us = renew->op.expires_at_us;
		metric_inc(METRIC_renewals_total, 0, 0);
		return flow_succeed(flow);
	case LIMITS_UNKNOWN:
		err_set(&flow->err, ERR_NOT_FOUND, "request %s has no known reservation", renew->request_id);
		err_reason(&flow->err, "RESERVATION_NOT_FOUND");
		return flow_fail(flow);
	case LIMITS_CLOSED:
		err_set(&flow->err, ERR_PRECONDITION, "the reservation of request %s is no longer open",
			renew->request_id);
		return flow_fail(flow);
	default:
		flow->err = renew->op.op.err;
		if (flow->err.code == ERR_DEADLINE)
			flow->err.code = ERR_UNAVAILABLE;
		return flow_fail(flow);
	}
}

FLOW_RESUME(op_done, limits_op, renew, op.op)

void renew_start(struct renew *renew, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	renew->worker = worker;
	renew->arena = arena;
	renew->flow = (struct flow){.done = done};
	renew->op = (struct limits_renew){
		.op = {.arena = arena, .done = op_done},
		.tenant = renew->tenant,
		.user = renew->user,
		.request_id = renew->request_id,
		.ttl_us = renew->ttl_us ? renew->ttl_us : worker->parts.conf->reservation_ttl_s * 1000000,
	};
	flow_to(&renew->flow, step_answered);
	worker->parts.limits->ops->renew(worker->parts.limits, &renew->op);
}
