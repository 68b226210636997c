/*
 * Decides what free allowances cover of new records (service/ledger/chores.h, docs/decisions/0016-allowances-behind-the-ledger.md): a re-rating of what
 * the ledger's writers have put into allowance_due, one day of a tenant at a time. A record stays there until the ledger
 * has its correction, so nothing is lost when a process ends. In one process at a time, only because two would do the
 * same work: the decision is a transaction, and a correction's id follows from the record.
 */
#include <stdio.h>

#include "base/list.h"
#include "base/units.h"
#include "service/ledger/chores.h"

#define ALLOWANCES_INTERVAL_US SECOND_US
#define LEASE_US (30 * SECOND_US)

static flow_step step_found, step_leased, step_paged;

CHORE_OWNER(allowances_of, allowances)

static void next_begin(struct allowances *allowances, const char *tenant, int64_t day)
{
	snprintf(allowances->after_tenant, sizeof(allowances->after_tenant), "%s", tenant);
	allowances->after_day = day;
}

static void page_done(struct flow *flow)
{
	struct ledger_rerate *rerate = container_of(flow, struct ledger_rerate, flow);

	flow_run(&container_of(rerate, struct allowances, rerate)->chore.flow);
}

static enum flow_result page_start(struct allowances *allowances)
{
	arena_reset(&allowances->page);
	flow_to(&allowances->chore.flow, step_paged);
	ledger_rerate_start(&allowances->rerate, allowances->chore.role->worker, &allowances->page, page_done);
	return FLOW_WAIT;
}

static enum flow_result step_paged(struct flow *flow)
{
	struct allowances *allowances = allowances_of(flow);

	if (allowances->rerate.flow.ok && allowances->rerate.more && !chore_stopping(&allowances->chore))
		return page_start(allowances);
	arena_release(&allowances->page);
	/* What fails does not hold up the others; it comes again after them. */
	if (!allowances->rerate.flow.ok)
		return flow_fail_with(flow, &allowances->rerate.flow.err);
	allowances->chore.again = true;
	return flow_succeed(flow);
}

static enum flow_result step_leased(struct flow *flow)
{
	struct allowances *allowances = allowances_of(flow);

	if (!allowances->lease.op.ok)
		return flow_fail_with(flow, &allowances->lease.op.err);
	if (!allowances->lease.held)
		return flow_succeed(flow);
	next_begin(allowances, allowances->next.tenant, allowances->next.day);
	allowances->day = (struct rerate_day){.day = allowances->next.day};
	allowances->rerate = (struct ledger_rerate){
		.tenant = allowances->next.tenant,
		.model = "",
		.resolved = "",
		.due = true,
		.actor = "bursard",
		.reason = "free allowance",
		.day = &allowances->day,
		.days = 1,
	};
	return page_start(allowances);
}

CHORE_RESUME(lease_done, ledger_op, allowances, lease.op)

static enum flow_result step_found(struct flow *flow)
{
	struct allowances *allowances = allowances_of(flow);

	if (!allowances->next.job.ok)
		return flow_fail_with(flow, &allowances->next.job.err);
	if (!allowances->next.found) {
		next_begin(allowances, "", 0);
		return flow_succeed(flow);
	}
	flow_to(flow, step_leased);
	chore_lease(&allowances->chore, &allowances->lease, "allowances", LEASE_US, lease_done);
	return FLOW_WAIT;
}

CHORE_RESUME(next_done, admin_job, allowances, next.job)

static enum flow_result step_find(struct flow *flow)
{
	struct allowances *allowances = allowances_of(flow);
	struct admin_store *admin = allowances->chore.role->worker->parts.admin;

	allowances->next = (struct allowance_next){
		.job = {.arena = &allowances->chore.arena, .done = next_done},
		.after_tenant = allowances->after_tenant,
		.after_day = allowances->after_day,
	};
	flow_to(flow, step_found);
	admin->ops->allowance_next(admin, &allowances->next);
	return FLOW_WAIT;
}

void allowances_init(struct allowances *allowances)
{
	allowances->chore =
		(struct chore){.first = step_find, .name = "allowances", .interval_us = ALLOWANCES_INTERVAL_US};
}
