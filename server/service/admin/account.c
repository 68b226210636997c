/*
 * An admin's change to one account: commits it in PostgreSQL, writes it to the store, then drops the note that repeats
 * it.
 */
#include "service/admin/account.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/observe/log.h"

/* How often, and how long each time, to read a record that keeps changing; then it counts as used, by our clock. */
enum { LOOKS_MAX = 3 };
#define LEARN_US INT64_C(500000)

static flow_step step_look, step_looked, step_change, step_committed, step_written, step_confirmed;

FLOW_OWNER(edit_of, account_edit)

FLOW_RESUME(change_done, admin_job, account_edit, op.job)

static enum flow_result finish(struct account_edit *edit)
{
	snapshot_give(edit->worker, edit->snapshot);
	return flow_succeed(&edit->flow);
}

/* A committed change takes effect eventually: the ledger role repeats what could not be written through. */
static enum flow_result finish_pending(struct account_edit *edit, const struct err *err)
{
	log_warn("an account's change is committed and waits for Redis", F("tenant", edit->op.key.tenant),
		F("account", edit->op.key.id), F("why", err->text));
	edit->op.row.pending = true;
	return finish(edit);
}

FLOW_RESUME(look_done, limits_op, account_edit, look.op)

static bool accounts_of_one(struct account_edit *edit, const struct account_profile *profile, struct err *err)
{
	struct entry_account account = {.kind = edit->op.key.kind, .id = edit->op.key.id};

	if (!accounts_init(&edit->accounts, edit->worker, edit->arena, edit->snapshot, edit->op.key.tenant, err))
		return false;
	if (profile)
		accounts_learn(&edit->accounts, account.kind, account.id, profile);
	return accounts_of_reservation(&edit->accounts, &account, 1, err);
}

static enum flow_result step_begin(struct flow *flow)
{
	struct account_edit *edit = edit_of(flow);

	edit->snapshot = snapshot_take(edit->worker, &flow->err);
	if (!edit->snapshot)
		return flow_fail(flow);
	/* A team, org, model or tenant that nobody has created has no limits, so nothing has been counted for it. */
	edit->op.unused = edit->op.key.kind != ACCOUNT_USER;
	if (edit->ask_use && !edit->op.unused)
		return flow_more(flow, step_look);
	return flow_more(flow, step_change);
}

/*
 * Asks the store whether the user has a record, and how far its clock has come. A first request between this look and
 * the commit goes unnoticed: it is counted in a UTC window that may end at once.
 */
static enum flow_result step_look(struct flow *flow)
{
	struct account_edit *edit = edit_of(flow);
	struct limits_store *limits = edit->worker->parts.limits;
	struct err err;

	if (!accounts_of_one(edit, NULL, &err))
		return flow_more(flow, step_change);
	edit->look = (struct limits_check){
		.op = {.arena = edit->arena, .done = look_done},
		.tenant = edit->op.key.tenant,
		.user = edit->op.key.id,
		.count = 1,
		.expected = {account_expect(&edit->accounts, 0)},
		.dry_run = true,
		.provisional_ok = true,
	};
	return flow_wait(flow, step_looked, limits->ops->check(limits, &edit->look));
}

FLOW_RESUME(learned, flow, account_edit, repair.flow)

static enum flow_result step_looked(struct flow *flow)
{
	struct account_edit *edit = edit_of(flow);
	const struct limits_op *op = &edit->look.op;

	if (op->status != LIMITS_FAILED)
		worker_clock_is(edit->worker, op->now_us);
	if (op->status != LIMITS_ABSENT && repair_can(op->status) && edit->looks++ < LOOKS_MAX)
		return flow_wait(flow, step_look,
			repair_start(&edit->repair, &edit->accounts, op, clock_mono_us() + LEARN_US, learned));
	edit->op.unused = op->status == LIMITS_ABSENT;
	if (op->standings > 0)
		edit->op.seen_us = op->standing[0]->state.clock_us;
	return flow_more(flow, step_change);
}

static enum flow_result step_change(struct flow *flow)
{
	struct account_edit *edit = edit_of(flow);
	struct admin_store *admin = edit->worker->parts.admin;

	edit->op.now_us = worker_now_us(edit->worker);
	if (edit->op.now_us < edit->op.seen_us)
		edit->op.now_us = edit->op.seen_us; /* a clock that was ahead has rolled its windows */
	edit->op.job.arena = edit->arena;
	edit->op.job.done = change_done;
	return flow_wait(flow, step_committed, admin->ops->account_change(admin, &edit->op));
}

FLOW_RESUME(policy_done, limits_op, account_edit, policy.op)

static enum flow_result step_committed(struct flow *flow)
{
	struct account_edit *edit = edit_of(flow);
	struct limits_store *limits = edit->worker->parts.limits;
	struct err err;

	if (!edit->op.job.ok) {
		snapshot_give(edit->worker, edit->snapshot);
		return flow_fail_with(flow, &edit->op.job.err);
	}
	/* Model and tenant accounts are part of the catalog. */
	if (edit->op.key.kind == ACCOUNT_MODEL || edit->op.key.kind == ACCOUNT_TENANT)
		catalog_source_poke(edit->worker->parts.catalog);
	if (!accounts_of_one(edit, &edit->op.row.profile, &err))
		return finish_pending(edit, &err);
	edit->policy = (struct limits_policy){
		.op = {.arena = edit->arena, .done = policy_done},
		.expected = account_expect(&edit->accounts, 0),
		.profile = &edit->op.row.profile,
	};
	return flow_wait(flow, step_written, limits->ops->policy(limits, &edit->policy));
}

FLOW_RESUME(confirm_done, admin_job, account_edit, confirm.job)

static enum flow_result step_written(struct flow *flow)
{
	struct account_edit *edit = edit_of(flow);
	struct admin_store *admin = edit->worker->parts.admin;

	if (edit->policy.op.status == LIMITS_FAILED)
		return finish_pending(edit, &edit->policy.op.err);
	/* A record made from now on includes the change, except a provisional one, made by a worker that cannot reach
	 * PostgreSQL; for that one, the ledger role repeats the change for a while. */
	if (edit->policy.op.status == LIMITS_ABSENT) {
		edit->op.row.pending = false;
		return finish(edit);
	}
	edit->note = (struct policy_note){.key = edit->op.key, .version = edit->op.row.profile.version};
	edit->confirm = (struct account_confirm){
		.job = {.arena = edit->arena, .done = confirm_done},
		.count = 1,
		.note = &edit->note,
	};
	return flow_wait(flow, step_confirmed, admin->ops->account_confirm(admin, &edit->confirm));
}

/* The store has the change, whether or not the note could be dropped. */
static enum flow_result step_confirmed(struct flow *flow)
{
	struct account_edit *edit = edit_of(flow);

	edit->op.row.pending = false;
	return finish(edit);
}

void account_edit_start(
	struct account_edit *edit, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	flow_start(edit, worker, arena, done, step_begin);
}

static enum flow_result step_push(struct flow *flow)
{
	struct account_edit *edit = edit_of(flow);

	edit->snapshot = snapshot_take(edit->worker, &flow->err);
	if (!edit->snapshot)
		return flow_fail(flow);
	edit->op.job.ok = true;
	return flow_more(flow, step_committed);
}

void account_edit_push(
	struct account_edit *edit, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	flow_start(edit, worker, arena, done, step_push);
}
