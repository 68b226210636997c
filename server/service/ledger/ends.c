/*
 * Removes overrides that have ended (service/ledger/chores.h). Each account goes back to its tier's limits by a change
 * like an admin's, with the same version, audit trail and write-through. Several processes may do this at once: the
 * second one finds nothing to remove.
 */
#include "service/ledger/chores.h"

#include "base/list.h"
#include "base/observe/log.h"
#include "base/units.h"

#define ENDS_INTERVAL_US SECOND_US
#define ENDS_PAGE 64

static enum flow_result step_listed(struct flow *flow);
static enum flow_result step_ended(struct flow *flow);
static void lane_next(struct ends_lane *lane);

CHORE_OWNER(ends_of, ends)

/* ERR_NOT_FOUND: an admin or another process has already done it, so there is nothing to change. */
static bool drop_ended(struct account_change *op, struct account_row *row, struct err *err)
{
	struct ends_lane *lane = container_of(container_of(op, struct account_edit, op), struct ends_lane, edit);

	return profile_drop_ended(&row->profile, lane->owner->page.now_us) > 0 ||
	       err_set(err, ERR_NOT_FOUND, "no override of the account has ended");
}

static void edit_done(struct flow *flow)
{
	struct ends_lane *lane = container_of(container_of(flow, struct account_edit, flow), struct ends_lane, edit);

	if (!flow->ok && flow->err.code != ERR_NOT_FOUND)
		lane->owner->failure = flow->err;
	lane_next(lane);
}

static void lane_next(struct ends_lane *lane)
{
	struct ends *ends = lane->owner;

	arena_release(&lane->arena);
	if (ends->next == ends->page.count || ends->failure.code || chore_stopping(&ends->chore)) {
		if (--ends->pending == 0)
			flow_run(&ends->chore.flow);
		return;
	}
	lane->edit = (struct account_edit){
		.op = {.job = {.actor = "bursard", .reason = "an override ended"},
			.key = ends->page.key[ends->next++],
			.change = drop_ended},
	};
	account_edit_start(&lane->edit, ends->chore.role->worker, &lane->arena, edit_done);
}

static enum flow_result step_ended(struct flow *flow)
{
	struct ends *ends = ends_of(flow);

	if (ends->failure.code)
		return flow_fail_with(flow, &ends->failure);
	ends->chore.again = ends->page.count > 0;
	return flow_succeed(flow);
}

static enum flow_result step_listed(struct flow *flow)
{
	struct ends *ends = ends_of(flow);

	if (!ends->page.job.ok)
		return flow_fail_with(flow, &ends->page.job.err);
	flow_to(flow, step_ended);
	if (ends->page.count == 0)
		return FLOW_MORE;
	ends->next = 0;
	/* One more for this loop: a lane that ends at once must not resume the flow before the others have started. */
	ends->pending = ENDS_LANES + 1;
	for (int i = 0; i < ENDS_LANES; i++) {
		ends->lane[i].owner = ends;
		lane_next(&ends->lane[i]);
	}
	return --ends->pending == 0 ? FLOW_MORE : FLOW_WAIT;
}

CHORE_RESUME(page_done, admin_job, ends, page.job)

static enum flow_result step_list(struct flow *flow)
{
	struct ends *ends = ends_of(flow);
	struct worker *worker = ends->chore.role->worker;

	ends->failure = (struct err){0};
	ends->page = (struct override_ends){
		.job = {.arena = &ends->chore.arena, .done = page_done},
		.now_us = worker_now_us(worker),
		.limit = ENDS_PAGE,
	};
	flow_to(flow, step_listed);
	worker->parts.admin->ops->override_ends(worker->parts.admin, &ends->page);
	return FLOW_WAIT;
}

void ends_init(struct ends *ends)
{
	ends->chore = (struct chore){.first = step_list, .name = "ends", .interval_us = ENDS_INTERVAL_US};
}
