/* Runs the steps of a use case. */
#include "service/worker/flow.h"

void flow_run(struct flow *flow)
{
	enum flow_result result;
	struct trace *trace, *outer;

	if (!flow->begun) {
		flow->begun = true;
		flow->trace = trace_keep(trace_now);
	}
	trace = flow->trace;
	outer = trace_enter(trace);
	do
		result = flow->step(flow);
	while (result == FLOW_MORE);
	if (result == FLOW_DONE) {
		flow->done(flow); /* may free it */
		trace_drop(trace);
	}
	trace_leave(outer);
}

enum flow_result flow_succeed(struct flow *flow)
{
	flow->ok = true;
	return FLOW_DONE;
}

enum flow_result flow_fail(struct flow *flow)
{
	flow->ok = false;
	return FLOW_DONE;
}

enum flow_result flow_fail_with(struct flow *flow, const struct err *err)
{
	flow->err = *err;
	return flow_fail(flow);
}
