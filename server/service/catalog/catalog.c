/* Commits a change, makes the catalog's loader look at once, and waits until the snapshot includes the change. */
#include "service/catalog/catalog.h"

#include "base/list.h"

static flow_step step_committed, step_look;

FLOW_OWNER(edit_of, catalog_edit)

FLOW_RESUME(job_done, admin_job, catalog_edit, op.job)

static void submit(struct catalog_edit *edit, struct admin_store *admin)
{
	switch (edit->kind) {
#define EDIT(KIND, member, operation) \
	case EDIT_##KIND: \
		admin->ops->operation(admin, &edit->op.member); \
		break;
		CATALOG_EDITS(EDIT)
#undef EDIT
	}
}

static enum flow_result step_put(struct flow *flow)
{
	struct catalog_edit *edit = edit_of(flow);

	edit->op.job.arena = edit->arena;
	edit->op.job.done = job_done;
	return flow_wait(flow, step_committed, submit(edit, edit->worker->parts.admin));
}

static enum flow_result step_committed(struct flow *flow)
{
	struct catalog_edit *edit = edit_of(flow);

	if (!edit->op.job.ok)
		return flow_fail_with(flow, &edit->op.job.err);
	catalog_wait_begin(&edit->wait, flow, edit->worker, edit->op.job.generation);
	return flow_more(flow, step_look);
}

static enum flow_result step_look(struct flow *flow)
{
	return catalog_wait_over(&edit_of(flow)->wait) ? flow_succeed(flow) : FLOW_WAIT;
}

void catalog_edit_start(
	struct catalog_edit *edit, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	flow_start(edit, worker, arena, done, step_put);
}
