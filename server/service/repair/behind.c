/*
 * BEHIND: our profile is newer than the record. It is written through unless PostgreSQL says otherwise: an older record
 * may also belong to a new user who took the id of an erased one (service/repair/private.h).
 */
#include "base/clock.h"
#include "base/list.h"
#include "service/repair/private.h"

static flow_step step_looked, step_policy, step_written;

/* PostgreSQL is away. The newer profile is written through anyway; a provisional record stays provisional. */
static enum flow_result go_on_without(struct repair *repair)
{
	repair->provisional = true;
	return FLOW_MORE;
}

enum flow_result repair_step_behind(struct flow *flow)
{
	struct repair *repair = repair_of(flow);

	repair_next_account(repair, 0);
	flow_to(flow, step_policy);
	if (worker_durable_away(repair->accounts->worker))
		return go_on_without(repair);
	flow_to(flow, step_looked);
	return repair_look_up(repair);
}

/*
 * If PostgreSQL disagrees, its profiles are learned and the caller asks again. If it is away, the last known limits
 * decide.
 */
static enum flow_result step_looked(struct flow *flow)
{
	struct repair *repair = repair_of(flow);
	const struct accounts *accounts = repair->accounts;
	int n = 0;

	flow_to(flow, step_policy);
	if (!repair->lookup.ok) {
		return go_on_without(repair);
	}
	repair_learn_looked(repair);
	for (int i = 0; i < accounts->count; i++)
		if (repair->mask & UINT32_C(1) << i &&
			repair->lookup.account[n++].profile.version != accounts->account[i].profile->version)
			return flow_succeed(flow);
	return FLOW_MORE;
}

FLOW_RESUME(policy_done, limits_op, repair, policy.op)

static enum flow_result step_policy(struct flow *flow)
{
	struct repair *repair = repair_of(flow);
	struct limits_store *limits = repair->accounts->worker->parts.limits;

	repair->policy = (struct limits_policy){
		.op = {.arena = repair->accounts->arena, .done = policy_done},
		.expected = account_expect(repair->accounts, repair->index),
		.profile = repair->accounts->account[repair->index].profile,
		.provisional = repair->provisional,
	};
	return flow_wait(flow, step_written, limits->ops->policy(limits, &repair->policy));
}

static enum flow_result step_written(struct flow *flow)
{
	struct repair *repair = repair_of(flow);

	if (repair->policy.op.status == LIMITS_FAILED)
		return repair_store_failed(repair, &repair->policy.op);
	flow_to(flow, step_policy);
	return repair_next_account(repair, repair->index + 1) ? FLOW_MORE : flow_succeed(flow);
}
