/*
 * Creates partitions ahead of time and applies retention, in the one process that holds the lease
 * (service/ledger/chores.h).
 */
#include "service/ledger/chores.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/observe/log.h"

#define UPKEEP_INTERVAL_US INT64_C(600000000)
/* Longer than the interval, so that the same process keeps the lease while it lives. */
#define LEASE_US (2 * UPKEEP_INTERVAL_US)

CHORE_OWNER(upkeep_of, upkeep)

static enum flow_result step_kept(struct flow *flow)
{
	struct upkeep *upkeep = upkeep_of(flow);

	if (!upkeep->op.op.ok)
		return flow_fail_with(flow, &upkeep->op.op.err);
	if (upkeep->op.dropped)
		log_info("dropped days of the ledger past retention_days", FI("days", upkeep->op.dropped));
	return flow_succeed(flow);
}

CHORE_RESUME(upkeep_done, ledger_op, upkeep, op.op)

static enum flow_result step_held(struct flow *flow)
{
	struct upkeep *upkeep = upkeep_of(flow);
	struct role_chores *role = upkeep->chore.role;

	if (!upkeep->lease.op.ok)
		return flow_fail_with(flow, &upkeep->lease.op.err);
	if (!upkeep->lease.held || chore_stopping(&upkeep->chore))
		return flow_succeed(flow);
	upkeep->op = (struct ledger_upkeep){
		.op = {.arena = &upkeep->chore.arena, .done = upkeep_done},
		.retention_days = (int)role->worker->parts.conf->retention_days,
		.today_us = worker_now_us(role->worker),
	};
	flow_to(flow, step_kept);
	role->ledger->ops->upkeep(role->ledger, &upkeep->op);
	return FLOW_WAIT;
}

CHORE_RESUME(lease_done, ledger_op, upkeep, lease.op)

static enum flow_result step_lease(struct flow *flow)
{
	flow_to(flow, step_held);
	chore_lease(chore_of(flow), &upkeep_of(flow)->lease, "upkeep", LEASE_US, lease_done);
	return FLOW_WAIT;
}

void upkeep_init(struct upkeep *upkeep)
{
	upkeep->chore = (struct chore){.first = step_lease, .name = "upkeep", .interval_us = UPKEEP_INTERVAL_US};
}
