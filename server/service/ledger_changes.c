/*
 * Changes of accounts that Redis may not have: read as they are now, written through, confirmed. A change that fails stays
 * and does not hold up those behind it.
 */
#include "service/ledger_chores.h"

#include "base/list.h"
#include "base/log.h"

#define CHANGES_INTERVAL_US INT64_C(1000000)
/* Whoever seeds an absent record has read PostgreSQL shortly before: for so long a change may meet an older seed. */
#define SEED_SPAN_US INT64_C(10000000)

static enum flow_result step_next(struct flow *flow);
static enum flow_result step_found(struct flow *flow);
static enum flow_result step_written(struct flow *flow);

static struct changes *changes_of(struct flow *flow)
{
	return container_of(chore_of(flow), struct changes, chore);
}

static void give_snapshot(struct changes *changes)
{
	snapshot_give(changes->chore.role->worker, changes->snapshot);
	changes->snapshot = NULL;
}

static void confirm_done(struct admin_job *job)
{
	struct changes *changes = container_of(container_of(job, struct account_confirm, job), struct changes, confirm);

	if (!job->ok)
		log_warn("a change of an account could not be confirmed yet", F("why", job->err.text));
	flow_run(&changes->chore.flow);
}

static enum flow_result confirm(struct changes *changes)
{
	struct admin_store *admin = changes->chore.role->worker->parts.admin;

	changes->confirm = (struct account_confirm){
		.job = {.arena = &changes->chore.arena, .done = confirm_done},
		.key = changes->page.change[changes->at].key,
		.version = changes->lookup.account[0].profile.version,
	};
	changes->at++;
	flow_to(&changes->chore.flow, step_next);
	admin->ops->account_confirm(admin, &changes->confirm);
	return FLOW_WAIT;
}

static enum flow_result skip(struct changes *changes)
{
	changes->at++;
	flow_to(&changes->chore.flow, step_next);
	return FLOW_MORE;
}

static enum flow_result step_written(struct flow *flow)
{
	struct changes *changes = changes_of(flow);

	give_snapshot(changes);
	switch (changes->policy.op.status) {
	case LIMITS_OK:
	case LIMITS_NOTHING:
		return confirm(changes);
	case LIMITS_ABSENT:
		return changes->page.change[changes->at].age_us > SEED_SPAN_US ? confirm(changes) : skip(changes);
	case LIMITS_FAILED:
		/* Redis is away: so it is for the others. */
		return flow_fail_with(flow, &changes->policy.op.err);
	default:
		return skip(changes);
	}
}

static void policy_done(struct limits_op *op)
{
	flow_run(&container_of(container_of(op, struct limits_policy, op), struct changes, policy)->chore.flow);
}

static bool believe(struct changes *changes, struct err *err)
{
	struct worker *worker = changes->chore.role->worker;
	const struct account_key *key = &changes->page.change[changes->at].key;
	const struct entry_account account = {.kind = key->kind, .id = key->id};

	changes->snapshot = snapshot_take(worker, err);
	if (!changes->snapshot)
		return false;
	if (!parties_init(&changes->parties, worker, &changes->chore.arena, changes->snapshot, key->tenant, err))
		return false;
	parties_learn(&changes->parties, key->kind, key->id, &changes->lookup.account[0].profile);
	return parties_of_accounts(&changes->parties, &account, 1, err);
}

static enum flow_result step_found(struct flow *flow)
{
	struct changes *changes = changes_of(flow);
	struct limits_store *limits = changes->chore.role->worker->parts.limits;
	struct err err;

	if (!changes->lookup.ok)
		return flow_fail_with(flow, &changes->lookup.err);
	if (!changes->lookup.account[0].known)
		return confirm(changes);
	if (!believe(changes, &err)) {
		give_snapshot(changes);
		log_warn("a change of an account cannot be written through", F("why", err.text));
		return skip(changes);
	}
	changes->policy = (struct limits_policy){
		.op = {.arena = &changes->chore.arena, .done = policy_done},
		.belief = parties_belief(&changes->parties, 0),
		.profile = changes->parties.party[0].profile,
	};
	flow_to(flow, step_written);
	limits->ops->policy(limits, &changes->policy);
	return FLOW_WAIT;
}

static void lookup_done(struct account_lookup *op)
{
	flow_run(&container_of(op, struct changes, lookup)->chore.flow);
}

static enum flow_result step_next(struct flow *flow)
{
	struct changes *changes = changes_of(flow);
	struct accounts_store *accounts = changes->chore.role->worker->parts.accounts;

	if (changes->at == changes->page.count || chore_stopping(&changes->chore))
		return flow_succeed(flow);
	const struct account_key *key = &changes->page.change[changes->at].key;
	changes->lookup = (struct account_lookup){.arena = &changes->chore.arena, .done = lookup_done, .count = 1};
	changes->lookup.account[0].kind = key->kind;
	changes->lookup.account[0].tenant = key->tenant;
	changes->lookup.account[0].id = key->id;
	flow_to(flow, step_found);
	accounts->ops->lookup(accounts, &changes->lookup);
	return FLOW_WAIT;
}

static enum flow_result step_listed(struct flow *flow)
{
	struct changes *changes = changes_of(flow);
	const struct ledger_changes *page = &changes->page;

	if (!page->op.ok)
		return flow_fail_with(flow, &page->op.err);
	/* A full page may hold nothing but what fails: the next run begins behind it. */
	changes->after = page->count == page->limit ? page->change[page->count - 1].last : 0;
	changes->at = 0;
	flow_to(flow, step_next);
	return FLOW_MORE;
}

static void page_done(struct ledger_op *op)
{
	flow_run(&container_of(container_of(op, struct ledger_changes, op), struct changes, page)->chore.flow);
}

static enum flow_result step_list(struct flow *flow)
{
	struct changes *changes = changes_of(flow);
	struct ledger_store *ledger = changes->chore.role->ledger;

	changes->page = (struct ledger_changes){
		.op = {.arena = &changes->chore.arena, .done = page_done},
		.limit = CHANGES_PAGE,
		.after = changes->after,
	};
	flow_to(flow, step_listed);
	ledger->ops->changes(ledger, &changes->page);
	return FLOW_WAIT;
}

void changes_init(struct changes *changes, struct ledger_role *role)
{
	changes->chore =
		(struct chore){.role = role, .first = step_list, .name = "changes", .interval_us = CHANGES_INTERVAL_US};
}
