/*
 * Creates partitions ahead of time and applies retention, in the one process that holds the lease
 * (service/ledger/chores.h).
 */
#include "service/ledger/chores.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"

#define UPKEEP_INTERVAL_US INT64_C(600000000)
/* Longer than the interval, so that the same process keeps the lease while it lives. */
#define LEASE_US (2 * UPKEEP_INTERVAL_US)

static struct upkeep *upkeep_of(struct flow *flow)
{
	return container_of(chore_of(flow), struct upkeep, chore);
}

static enum flow_result step_kept(struct flow *flow)
{
	struct upkeep *upkeep = upkeep_of(flow);

	if (!upkeep->op.op.ok)
		return flow_fail_with(flow, &upkeep->op.op.err);
	if (upkeep->op.dropped)
		log_info("dropped days of the ledger past retention_days", FI("days", upkeep->op.dropped));
	return flow_succeed(flow);
}

static void upkeep_done(struct ledger_op *op)
{
	flow_run(&container_of(container_of(op, struct ledger_upkeep, op), struct upkeep, op)->chore.flow);
}

static enum flow_result step_held(struct flow *flow)
{
	struct upkeep *upkeep = upkeep_of(flow);
	struct ledger_role *role = upkeep->chore.role;

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

static void lease_done(struct ledger_op *op)
{
	flow_run(&container_of(container_of(op, struct ledger_lease, op), struct upkeep, lease)->chore.flow);
}

static enum flow_result step_lease(struct flow *flow)
{
	struct upkeep *upkeep = upkeep_of(flow);
	struct ledger_role *role = upkeep->chore.role;

	upkeep->lease = (struct ledger_lease){
		.op = {.arena = &upkeep->chore.arena, .done = lease_done},
		.name = "upkeep",
		.holder = role->holder,
		.ttl_us = LEASE_US,
	};
	flow_to(flow, step_held);
	role->ledger->ops->lease(role->ledger, &upkeep->lease);
	return FLOW_WAIT;
}

void upkeep_init(struct upkeep *upkeep, struct ledger_role *role)
{
	upkeep->chore =
		(struct chore){.role = role, .first = step_lease, .name = "upkeep", .interval_us = UPKEEP_INTERVAL_US};
}
