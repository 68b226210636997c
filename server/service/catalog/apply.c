/* Commits one transaction, waits until the catalog has the tiers, then writes each pool and account to the store. */
#include "service/catalog/apply.h"

#include "base/list.h"
#include "service/catalog/document.h"

static flow_step step_committed, step_look, step_next;

FLOW_OWNER(edit_of, document_edit)

FLOW_RESUME(apply_done, admin_job, document_edit, op.job)

static enum flow_result step_apply(struct flow *flow)
{
	struct document_edit *edit = edit_of(flow);
	struct admin_store *admin = edit->worker->parts.admin;

	edit->op.compare = document_compare;
	edit->op.now_us = worker_now_us(edit->worker);
	edit->op.job.arena = edit->arena;
	edit->op.job.done = apply_done;
	return flow_wait(flow, step_committed, admin->ops->document_apply(admin, &edit->op));
}

static enum flow_result step_committed(struct flow *flow)
{
	struct document_edit *edit = edit_of(flow);

	if (!edit->op.job.ok)
		return flow_fail_with(flow, &edit->op.job.err);
	if (!edit->op.job.generation)
		return flow_succeed(flow);
	catalog_wait_begin(&edit->wait, flow, edit->worker, edit->op.job.generation);
	return flow_more(flow, step_look);
}

static enum flow_result step_look(struct flow *flow)
{
	if (!catalog_wait_over(&edit_of(flow)->wait))
		return FLOW_WAIT;
	return flow_more(flow, step_next);
}

static void pool_done(struct flow *flow)
{
	struct pool_edit *pool = container_of(flow, struct pool_edit, flow);
	struct document_edit *edit = container_of(pool, struct document_edit, pool);

	edit->pending = edit->pending || !flow->ok || pool->pending;
	flow_run(&edit->flow);
}

static void account_done(struct flow *flow)
{
	struct account_edit *account = container_of(flow, struct account_edit, flow);
	struct document_edit *edit = container_of(account, struct document_edit, account);

	edit->pending = edit->pending || !flow->ok || account->op.row.pending;
	flow_run(&edit->flow);
}

/* Writes the next change to the store; one at a time. */
static enum flow_result step_next(struct flow *flow)
{
	struct document_edit *edit = edit_of(flow);

	while (edit->at < edit->op.changes) {
		const struct document_change *change = &edit->op.change[edit->at++];

		if (change->pool_after) {
			edit->pool = (struct pool_edit){.op = {.job = {.generation = edit->op.job.generation},
								.tenant = change->pool.tenant,
								.name = change->pool.settings.name,
								.row = change->pool}};
			pool_edit_push(&edit->pool, edit->worker, edit->arena, pool_done);
			return FLOW_WAIT;
		}
		if (change->account_after) {
			edit->account =
				(struct account_edit){.op = {.key = change->account.key, .row = change->account}};
			account_edit_push(&edit->account, edit->worker, edit->arena, account_done);
			return FLOW_WAIT;
		}
	}
	return flow_succeed(flow);
}

void document_edit_start(
	struct document_edit *edit, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	flow_start(edit, worker, arena, done, step_apply);
}
