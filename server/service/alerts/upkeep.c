/* Deletes old events, deliveries and firings, in the one process that holds the lease (service/alerts/chores.h). */
#include "base/list.h"
#include "base/units.h"
#include "service/alerts/chores.h"

#define TIDY_INTERVAL_US HOUR_US
#define LEASE_US (2 * TIDY_INTERVAL_US)

static flow_step step_held, step_tidied;

CHORE_OWNER(tidy_of, alerts_tidy)

static enum flow_result step_tidied(struct flow *flow)
{
	struct alerts_tidy *tidy = tidy_of(flow);

	if (!tidy->op.op.ok)
		return flow_fail_with(flow, &tidy->op.op.err);
	tidy->chore.again = tidy->op.more;
	return flow_succeed(flow);
}

CHORE_RESUME(tidy_done, alerts_op, alerts_tidy, op.op)

/* What is still tried needs its events. */
static int64_t retention_us(const struct conf *conf)
{
	int64_t kept_us = conf->alert_retention_days * DAY_US, tried_us = conf->alert_give_up_s * SECOND_US + DAY_US;

	return kept_us > tried_us ? kept_us : tried_us;
}

static enum flow_result step_held(struct flow *flow)
{
	struct alerts_tidy *tidy = tidy_of(flow);
	struct alerts_role *role = alerts_role_of(&tidy->chore);

	if (!tidy->lease.op.ok)
		return flow_fail_with(flow, &tidy->lease.op.err);
	if (!tidy->lease.held || chore_stopping(&tidy->chore))
		return flow_succeed(flow);
	tidy->op = (struct alerts_upkeep){
		.op = {.arena = &tidy->chore.arena, .done = tidy_done},
		.now_us = worker_now_us(role->role.worker),
		.retention_us = retention_us(role->role.worker->parts.conf),
	};
	return flow_wait(flow, step_tidied, role->alerts->ops->upkeep(role->alerts, &tidy->op));
}

CHORE_RESUME(lease_done, ledger_op, alerts_tidy, lease.op)

static enum flow_result step_lease(struct flow *flow)
{
	return flow_wait(flow, step_held,
		chore_lease(chore_of(flow), &tidy_of(flow)->lease, "alerts-upkeep", LEASE_US, lease_done));
}

void tidy_init(struct alerts_tidy *tidy)
{
	tidy->chore = (struct chore){.first = step_lease, .name = "upkeep", .interval_us = TIDY_INTERVAL_US};
}
