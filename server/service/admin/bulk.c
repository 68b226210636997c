/* One change to many accounts: commits in PostgreSQL, writes to the store, then drops the notes that repeat it. */
#include "service/admin/bulk.h"

#include "base/list.h"
#include "base/observe/log.h"

/* The ledger role looks again at an account without a record: a worker may be seeding it with the old profile. */
#define ABSENT_AGAIN_US INT64_C(2000000)

FLOW_OWNER(bulk_of, account_bulk)

static bool apply(struct accounts_change *op, struct account_row *row, bool *differs, struct err *err)
{
	return account_patch_apply(&container_of(op, struct account_bulk, op)->patch, op->job.arena, row, differs, err);
}

static enum flow_result step_confirmed(struct flow *flow)
{
	struct account_bulk *bulk = bulk_of(flow);

	/* The store has the changes, whether or not the notes could be dropped. */
	if (!bulk->confirm.job.ok)
		log_warn("cannot confirm changes of accounts yet", F("why", bulk->confirm.job.err.text));
	return flow_succeed(flow);
}

FLOW_RESUME(confirm_done, admin_job, account_bulk, confirm.job)

static void notes_make(struct account_bulk *bulk)
{
	const struct policy_writes *writes = &bulk->writes;
	struct policy_note *notes = arena_zalloc(bulk->arena, (size_t)writes->count, sizeof(*notes));

	bulk->confirm = (struct account_confirm){.job = {.arena = bulk->arena, .done = confirm_done}, .note = notes};
	for (int i = 0; i < writes->count; i++) {
		const struct policy_write *write = &writes->write[i];

		if (write->status == LIMITS_FAILED || write->status == LIMITS_UNKNOWN) {
			bulk->pending++;
			continue;
		}
		notes[bulk->confirm.count++] = (struct policy_note){
			.key = write->key,
			.version = write->profile->version,
			.again_us = write->status == LIMITS_ABSENT ? ABSENT_AGAIN_US : 0,
		};
	}
}

static enum flow_result step_written(struct flow *flow)
{
	struct account_bulk *bulk = bulk_of(flow);
	struct admin_store *admin = bulk->worker->parts.admin;

	notes_make(bulk);
	if (bulk->writes.failed)
		log_warn("changes of accounts are committed and wait for Redis", F("tenant", bulk->op.tenant),
			F("why", bulk->writes.err.text));
	if (bulk->confirm.count == 0)
		return flow_succeed(flow);
	return flow_wait(flow, step_confirmed, admin->ops->account_confirm(admin, &bulk->confirm));
}

FLOW_RESUME(writes_done, policy_writes, account_bulk, writes)

static enum flow_result step_committed(struct flow *flow)
{
	struct account_bulk *bulk = bulk_of(flow);
	struct policy_writes *writes = &bulk->writes;

	if (!bulk->op.job.ok)
		return flow_fail_with(flow, &bulk->op.job.err);
	if (bulk->op.count == 0 || bulk->op.dry_run)
		return flow_succeed(flow);
	/* Model accounts are part of the catalog. */
	if (bulk->op.kind == ACCOUNT_MODEL)
		catalog_source_poke(bulk->worker->parts.catalog);
	*writes = (struct policy_writes){.worker = bulk->worker, .arena = bulk->arena, .done = writes_done};
	writes->write = arena_zalloc(bulk->arena, (size_t)bulk->op.count, sizeof(*writes->write));
	for (int i = 0; i < bulk->op.count; i++) {
		const struct changed_account *account = &bulk->op.account[i];

		/*
		 * If an earlier run was killed, its committed changes may not have reached the store: repeating it
		 * writes them.
		 */
		if (account->differs || account->before.pending)
			writes->write[writes->count++] = (struct policy_write){.key = account->row.key,
				.profile = account->differs ? &account->row.profile : &account->before.profile};
	}
	if (writes->count == 0)
		return flow_succeed(flow);
	flow_to(flow, step_written);
	return policy_writes_start(writes) ? FLOW_WAIT : FLOW_MORE;
}

FLOW_RESUME(change_done, admin_job, account_bulk, op.job)

static enum flow_result step_change(struct flow *flow)
{
	struct account_bulk *bulk = bulk_of(flow);
	struct admin_store *admin = bulk->worker->parts.admin;

	bulk->pending = 0;
	bulk->op.job.arena = bulk->arena;
	bulk->op.job.done = change_done;
	bulk->op.change = apply;
	bulk->op.limit = BULK_CHUNK;
	bulk->op.limits = bulk->patch.action == ACTION_OVERRIDE_LIMITS;
	bulk->op.tier = bulk->patch.tier;
	return flow_wait(flow, step_committed, admin->ops->accounts_change(admin, &bulk->op));
}

void account_bulk_start(
	struct account_bulk *bulk, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	flow_start(bulk, worker, arena, done, step_change);
}
