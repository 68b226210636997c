/*
 * Looks the user up (PostgreSQL), asks whether they have anything open (the store, which drops their record if not),
 * runs the transaction, and drops the record again, because a check may have brought it back. Until that is confirmed,
 * policy_changes keeps the id, and the ledger role repeats it. Erasing an id that is already gone drops its record,
 * too.
 */
#include "service/admin/erase.h"

#include <inttypes.h>
#include <string.h>

#include "base/list.h"

#define AGAIN_US 2000000

static flow_step step_known, step_drop, step_dropped, step_erased, step_confirmed;

FLOW_OWNER(erasing_of, account_erasing)

FLOW_RESUME(get_done, admin_job, account_erasing, get.job)

static enum flow_result step_begin(struct flow *flow)
{
	struct account_erasing *erasing = erasing_of(flow);
	struct admin_store *admin = erasing->worker->parts.admin;

	erasing->get = (struct account_get){.job = {.arena = erasing->arena, .done = get_done},
		.key = erasing->op.key,
		.row = {.key = erasing->op.key}};
	return flow_wait(flow, step_known, admin->ops->account_get(admin, &erasing->get));
}

static enum flow_result step_known(struct flow *flow)
{
	struct account_erasing *erasing = erasing_of(flow);
	const char *id = erasing->op.key.id;

	if (!erasing->get.job.ok)
		return flow_fail_with(flow, &erasing->get.job.err);
	if (!erasing->get.row.known || strncmp(id, ERASED_PREFIX, strlen(ERASED_PREFIX)) == 0) {
		err_set(&erasing->refusal, ERR_NOT_FOUND, "ref.id: there is no user %s to erase", id);
		err_reason_of(&erasing->refusal, "ACCOUNT_NOT_FOUND", "%s", id);
	} else if (!erasing->get.row.profile.deleted) {
		err_set(&flow->err, ERR_PRECONDITION, "ref.id: %s has not been deleted: delete the account first", id);
		err_reason(&flow->err, "NOT_DELETED");
		return flow_fail(flow);
	}
	return flow_more(flow, step_drop);
}

FLOW_RESUME(look_done, limits_op, account_erasing, look.op)

static enum flow_result step_drop(struct flow *flow)
{
	struct account_erasing *erasing = erasing_of(flow);
	struct limits_store *limits = erasing->worker->parts.limits;

	erasing->look = (struct limits_erase){.op = {.arena = erasing->arena, .done = look_done},
		.tenant = erasing->op.key.tenant,
		.user = erasing->op.key.id};
	return flow_wait(flow, step_dropped, limits->ops->erase(limits, &erasing->look));
}

FLOW_RESUME(erase_done, admin_job, account_erasing, op.job)

static enum flow_result in_use(struct account_erasing *erasing)
{
	const struct limits_erase *look = &erasing->look;
	struct err *err = &erasing->flow.err;
	int64_t left_s = (look->until_us - look->op.now_us) / 1000000 + 1;

	if (look->open)
		err_set(err, ERR_PRECONDITION,
			"ref.id: %" PRId64 " reservations are open, the last for another %" PRId64
			" s: try again then, or cancel them",
			look->open, left_s);
	else
		err_set(err, ERR_PRECONDITION, "ref.id: %" PRId64 " entries wait for the ledger: try again in a moment",
			look->undrained);
	err_reason(err, "IN_USE");
	err->retry_after_us = AGAIN_US;
	return flow_fail(&erasing->flow);
}

FLOW_RESUME(confirm_done, admin_job, account_erasing, confirm.job)

/* The note contains the id, so it is dropped as soon as it is not needed. If it stays, the ledger role handles it. */
static enum flow_result confirm(struct account_erasing *erasing)
{
	const struct limits_erase *look = &erasing->look;
	struct admin_store *admin = erasing->worker->parts.admin;

	if (look->op.status != LIMITS_OK || look->open || look->undrained)
		return flow_succeed(&erasing->flow);
	erasing->note = (struct policy_note){
		.key = erasing->op.key, .version = erasing->get.row.profile.version + 1 /* of the erasure itself */};
	erasing->confirm = (struct account_confirm){
		.job = {.arena = erasing->arena, .done = confirm_done}, .count = 1, .note = &erasing->note};
	return flow_wait(&erasing->flow, step_confirmed, admin->ops->account_confirm(admin, &erasing->confirm));
}

static enum flow_result step_confirmed(struct flow *flow)
{
	return flow_succeed(flow);
}

static enum flow_result step_dropped(struct flow *flow)
{
	struct account_erasing *erasing = erasing_of(flow);
	struct admin_store *admin = erasing->worker->parts.admin;

	account_cache_forget(erasing->worker->cache, ACCOUNT_USER, erasing->op.key.tenant, erasing->op.key.id);
	if (erasing->refusal.code)
		return flow_fail_with(flow, &erasing->refusal);
	if (erasing->ended)
		return confirm(erasing);
	if (erasing->look.op.status != LIMITS_OK)
		return flow_fail_with(flow, &erasing->look.op.err);
	if (erasing->look.open || erasing->look.undrained)
		return in_use(erasing);
	erasing->op.job.arena = erasing->arena;
	erasing->op.job.done = erase_done;
	return flow_wait(flow, step_erased, admin->ops->account_erase(admin, &erasing->op));
}

static enum flow_result step_erased(struct flow *flow)
{
	struct account_erasing *erasing = erasing_of(flow);

	if (!erasing->op.job.ok)
		return flow_fail_with(flow, &erasing->op.job.err);
	/* The user's prices and keys are gone from the catalog, too. */
	catalog_source_poke(erasing->worker->parts.catalog);
	erasing->ended = true;
	return flow_more(flow, step_drop);
}

void account_erase_start(
	struct account_erasing *erasing, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	flow_start(erasing, worker, arena, done, step_begin);
}
