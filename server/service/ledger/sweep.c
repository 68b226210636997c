/*
 * Ends expired reservations (service/ledger/chores.h): one question to all partitions, mostly answered with none, and
 * then a few of those that have some at a time.
 */
#include "service/ledger/chores.h"

#include "base/list.h"
#include "base/units.h"

#define SWEEP_INTERVAL_US SECOND_US
#define SWEEP_LIMIT 64

static enum flow_result step_heard(struct flow *flow);

CHORE_OWNER(sweep_of, sweep)

static void sweep_done(struct outbox_op *op)
{
	struct sweep_part *part = container_of(container_of(op, struct outbox_sweep, op), struct sweep_part, sweep);

	if (--part->owner->pending == 0)
		flow_run(&part->owner->chore.flow);
}

static enum flow_result step_ask(struct flow *flow)
{
	struct sweep *sweep = sweep_of(flow);
	struct outbox_store *outbox = ledger_role_of(&sweep->chore)->outbox;
	int left = sweep->overdue.count - sweep->next;

	if (left == 0 || chore_stopping(&sweep->chore))
		return flow_succeed(flow);
	flow_to(flow, step_heard);
	sweep->parts = left < SWEEPS ? left : SWEEPS;
	sweep->pending = sweep->parts;
	for (int i = 0; i < sweep->parts; i++) {
		struct sweep_part *part = &sweep->part[i];
		part->owner = sweep;
		part->sweep = (struct outbox_sweep){
			.op = {.arena = &sweep->chore.arena, .done = sweep_done},
			.partition = sweep->overdue.partition[sweep->next + i],
			.limit = SWEEP_LIMIT,
		};
		outbox->ops->sweep(outbox, &part->sweep);
	}
	return FLOW_WAIT;
}

static enum flow_result step_heard(struct flow *flow)
{
	struct sweep *sweep = sweep_of(flow);
	bool more = false;

	for (int i = 0; i < sweep->parts; i++) {
		if (!sweep->part[i].sweep.op.ok)
			return flow_fail_with(flow, &sweep->part[i].sweep.op.err);
		/*
		 * If something ended and there is more, sweep the same partitions again. If nothing ended, another
		 * process is at it.
		 */
		more |= sweep->part[i].sweep.more && sweep->part[i].sweep.expired > 0;
	}
	if (!more)
		sweep->next += sweep->parts;
	arena_reset(&sweep->chore.arena);
	flow_to(flow, step_ask);
	return FLOW_MORE;
}

static enum flow_result step_found(struct flow *flow)
{
	struct sweep *sweep = sweep_of(flow);

	if (!sweep->overdue.op.ok)
		return flow_fail_with(flow, &sweep->overdue.op.err);
	sweep->next = 0;
	flow_to(flow, step_ask);
	return FLOW_MORE;
}

CHORE_RESUME(overdue_done, outbox_op, sweep, overdue.op)

static enum flow_result step_find(struct flow *flow)
{
	struct sweep *sweep = sweep_of(flow);
	struct outbox_store *outbox = ledger_role_of(&sweep->chore)->outbox;

	sweep->overdue = (struct outbox_overdue){.op = {.arena = &sweep->chore.arena, .done = overdue_done}};
	flow_to(flow, step_found);
	outbox->ops->overdue(outbox, &sweep->overdue);
	return FLOW_WAIT;
}

void sweep_init(struct sweep *sweep)
{
	sweep->chore = (struct chore){.first = step_find, .name = "expire", .interval_us = SWEEP_INTERVAL_US};
}
