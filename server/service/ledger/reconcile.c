/*
 * Compares the counters in Redis with the ledger (service/ledger/chores.h). Both change during the comparison, so a
 * difference counts only after a closer look: the account's counters, then its outbox (empty), then the ledger, then
 * the counters again (unchanged). Everything Redis held at the first reading is in the ledger then, and nothing has
 * come since. Counters are raised if the ledger has more. They are lowered only if limits were seeded while they
 * changed (adopt.c), because that may have counted something twice.
 */
#include "service/ledger/chores.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/observe/log.h"
#include "base/observe/metrics.h"
#include "base/units.h"
#include "service/worker/seed.h"

#define RECONCILE_INTERVAL_US MINUTE_US
/* If the holder is killed, another process takes over within two intervals. Two passes at once do no harm. */
#define LEASE_US RECONCILE_INTERVAL_US

static enum flow_result step_page(struct flow *flow);
static enum flow_result step_compare(struct flow *flow);

CHORE_OWNER(reconcile_of, reconcile)

static enum flow_result next_account(struct reconcile *reconcile)
{
	reconcile->at++;
	flow_to(&reconcile->chore.flow, step_compare);
	return FLOW_MORE;
}

static void raise_done(struct outbox_op *op)
{
	struct outbox_raise *raise = container_of(op, struct outbox_raise, op);

	if (op->ok && raise->raised > 0)
		log_warn("raised counters in Redis to what the ledger has", FI("counters", raise->raised));
	if (op->ok && raise->lowered > 0)
		log_info("corrected counters in Redis that were seeded while they changed",
			FI("counters", raise->lowered));
	flow_run(&container_of(raise, struct reconcile, raise)->chore.flow);
}

static enum flow_result step_raised(struct flow *flow)
{
	return next_account(reconcile_of(flow));
}

/* Counters in Redis follow the models that names resolve to today. */
static void resolve_models(
	struct reconcile *reconcile, const struct account_key *key, struct usage_window *window, int count)
{
	struct worker *worker = reconcile->chore.role->worker;
	struct err none = {0};
	struct snapshot *snapshot = snapshot_take(worker, &none);

	if (!snapshot)
		return;
	seed_resolve_models(snapshot->catalog, key->tenant, key->kind == ACCOUNT_USER ? key->id : "", window, count);
	snapshot_give(worker, snapshot);
}

/* The ledger's amount for counter `i`. */
static int64_t ledger_of(const struct usage_window *window, int count, const struct outbox_counters *counters, int i)
{
	return usage_of(window, count, counters->window[i].unit, counters->window[i].dimension,
		counters->window[i].interface_hash, counters->window[i].model_hash, counters->window[i].window_start,
		counters->op.now_us);
}

/* True if nothing changed between the two readings. */
static bool still(const struct outbox_counters *before, const struct outbox_counters *after)
{
	if (before->count != after->count || after->absent)
		return false;
	for (int i = 0; i < before->count; i++) {
		if (before->window[i].limit_id != after->window[i].limit_id ||
			before->window[i].window_start != after->window[i].window_start ||
			before->window[i].settled != after->window[i].settled)
			return false;
	}
	return true;
}

static enum flow_result step_judge(struct flow *flow)
{
	struct reconcile *reconcile = reconcile_of(flow);
	struct outbox_store *outbox = ledger_role_of(&reconcile->chore)->outbox;
	const struct outbox_counters *now = &reconcile->again;
	struct outbox_raise *raise = &reconcile->raise;
	bool differs = false;

	if (!now->op.ok || !still(&reconcile->counters[reconcile->at].counters, now))
		return next_account(reconcile);
	resolve_models(reconcile, &reconcile->page.row[reconcile->at].key, reconcile->lookup.account[0].window,
		reconcile->lookup.account[0].windows);
	*raise = (struct outbox_raise){.op = {.arena = &reconcile->chore.arena, .done = raise_done},
		.kind = now->kind,
		.tenant = now->tenant,
		.id = now->id};
	for (int i = 0; i < now->count; i++) {
		const struct account_found *found = &reconcile->lookup.account[0];
		int64_t known = ledger_of(found->window, found->windows, now, i);
		int64_t more = known - now->window[i].settled;
		differs |= more != 0;
		if (now->window[i].dimension == DIM_COST)
			reconcile->drift_nano += more < 0 ? -more : more;
		if (more <= 0 && !now->high)
			continue;
		raise->window[raise->count].limit_id = now->window[i].limit_id;
		raise->window[raise->count].window_start = now->window[i].window_start;
		raise->window[raise->count].seen = now->window[i].settled;
		raise->window[raise->count++].known = known;
	}
	reconcile->drift_accounts += differs;
	if (raise->count == 0)
		return next_account(reconcile);
	flow_to(flow, step_raised);
	outbox->ops->raise(outbox, raise);
	return FLOW_WAIT;
}

CHORE_RESUME(again_done, outbox_op, reconcile, again.op)

static enum flow_result step_again(struct flow *flow)
{
	struct reconcile *reconcile = reconcile_of(flow);
	struct outbox_store *outbox = ledger_role_of(&reconcile->chore)->outbox;
	const struct outbox_counters *first = &reconcile->counters[reconcile->at].counters;

	if (!reconcile->lookup.ok)
		return next_account(reconcile);
	reconcile->again = (struct outbox_counters){.op = {.arena = &reconcile->chore.arena, .done = again_done},
		.kind = first->kind,
		.tenant = first->tenant,
		.id = first->id};
	flow_to(flow, step_judge);
	outbox->ops->counters(outbox, &reconcile->again);
	return FLOW_WAIT;
}

CHORE_RESUME(lookup_done, account_lookup, reconcile, lookup)

static enum flow_result step_ledger(struct flow *flow)
{
	struct reconcile *reconcile = reconcile_of(flow);
	struct accounts_store *accounts = reconcile->chore.role->worker->parts.accounts;
	const struct outbox_counters *first = &reconcile->counters[reconcile->at].counters;

	if (!reconcile->drain.op.ok || reconcile->drain.entries > 0 || !reconcile->waiting.op.ok ||
		reconcile->waiting.entries > 0)
		return next_account(reconcile);
	reconcile->lookup = (struct account_lookup){.arena = &reconcile->chore.arena, .done = lookup_done, .count = 1};
	reconcile->lookup.account[0].kind = first->kind;
	reconcile->lookup.account[0].tenant = first->tenant;
	reconcile->lookup.account[0].id = first->id;
	flow_to(flow, step_again);
	accounts->ops->lookup(accounts, &reconcile->lookup);
	return FLOW_WAIT;
}

CHORE_RESUME(drain_done, outbox_op, reconcile, drain.op)

static bool same_at_first_sight(const struct ledger_window_row *row, const struct outbox_counters *counters)
{
	for (int k = 0; k < counters->count; k++)
		if (ledger_of(row->window, row->count, counters, k) != counters->window[k].settled)
			return false;
	return true;
}

CHORE_RESUME(waiting_done, outbox_op, reconcile, waiting.op)

/* Looks for undrained entries of this account. A shared account's entries are in the outboxes of its users. */
static void ask_outbox(struct reconcile *reconcile, const struct account_key *key)
{
	struct outbox_store *outbox = ledger_role_of(&reconcile->chore)->outbox;
	struct arena *arena = &reconcile->chore.arena;

	flow_to(&reconcile->chore.flow, step_ledger);
	reconcile->drain = (struct outbox_drain){.op = {.arena = arena, .done = drain_done, .ok = true}, .limit = 1};
	reconcile->waiting = (struct outbox_waiting){.op = {.arena = arena, .done = waiting_done, .ok = true}};
	if (key->kind == ACCOUNT_USER) {
		reconcile->drain.partition = partition_of(key->kind, key->tenant, key->id);
		outbox->ops->drain(outbox, &reconcile->drain);
	} else {
		outbox->ops->waiting(outbox, &reconcile->waiting);
	}
}

static enum flow_result step_compare(struct flow *flow)
{
	struct reconcile *reconcile = reconcile_of(flow);

	for (; reconcile->at < reconcile->page.count; reconcile->at++) {
		const struct ledger_window_row *row = &reconcile->page.row[reconcile->at];
		const struct outbox_counters *counters = &reconcile->counters[reconcile->at].counters;
		if (chore_stopping(&reconcile->chore))
			return flow_succeed(flow);
		if (!counters->op.ok || counters->absent || (!counters->high && same_at_first_sight(row, counters)))
			continue;
		ask_outbox(reconcile, &row->key);
		return FLOW_WAIT;
	}
	flow_to(flow, step_page);
	return FLOW_MORE;
}

static enum flow_result step_noted(struct flow *flow)
{
	const struct admin_job *job = &reconcile_of(flow)->noted.job;

	return job->ok ? flow_succeed(flow) : flow_fail_with(flow, &job->err);
}

CHORE_RESUME(note_done, admin_job, reconcile, noted.job)

/* For the alerts role. */
static enum flow_result note_drift(struct reconcile *reconcile)
{
	struct worker *worker = reconcile->chore.role->worker;
	struct admin_store *admin = worker->parts.admin;

	reconcile->drift = alert_event_of(ALERT_DRIFT, "");
	reconcile->drift.at_us = worker_now_us(worker);
	reconcile->drift.count = reconcile->drift_accounts;
	reconcile->drift.used = reconcile->drift_nano;
	reconcile->noted = (struct alert_notes){
		.job = {.arena = &reconcile->chore.arena, .done = note_done},
		.count = 1,
		.note = &reconcile->drift,
	};
	return flow_wait(&reconcile->chore.flow, step_noted, admin->ops->alert_notes(admin, &reconcile->noted));
}

static enum flow_result end_of_pass(struct reconcile *reconcile)
{
	metric_set(METRIC_reconcile_drift_accounts, 0, 0, reconcile->drift_accounts);
	metric_set(METRIC_reconcile_drift_nano_usd, 0, 0, reconcile->drift_nano);
	if (!reconcile->drift_accounts)
		return flow_succeed(&reconcile->chore.flow);
	log_warn("counters in Redis differ from the ledger", FI("accounts", reconcile->drift_accounts),
		FI("nano_usd", reconcile->drift_nano));
	return note_drift(reconcile);
}

static void counters_done(struct outbox_op *op)
{
	struct outbox_counters *counters = container_of(op, struct outbox_counters, op);
	struct reconcile *reconcile = container_of(counters, struct page_counters, counters)->owner;

	if (--reconcile->pending == 0)
		flow_run(&reconcile->chore.flow);
}

static enum flow_result step_read(struct flow *flow)
{
	struct reconcile *reconcile = reconcile_of(flow);
	struct outbox_store *outbox = ledger_role_of(&reconcile->chore)->outbox;
	const struct ledger_windows *page = &reconcile->page;

	if (!page->op.ok)
		return flow_fail_with(flow, &page->op.err);
	if (page->count == 0)
		return end_of_pass(reconcile);
	reconcile->counters = arena_zalloc(&reconcile->chore.arena, (size_t)page->count, sizeof(*reconcile->counters));
	reconcile->at = 0;
	reconcile->pending = page->count;
	flow_to(flow, step_compare);
	for (int i = 0; i < page->count; i++) {
		struct page_counters *one = &reconcile->counters[i];
		resolve_models(reconcile, &page->row[i].key, page->row[i].window, page->row[i].count);
		one->owner = reconcile;
		one->counters =
			(struct outbox_counters){.op = {.arena = &reconcile->chore.arena, .done = counters_done},
				.kind = page->row[i].key.kind,
				.tenant = page->row[i].key.tenant,
				.id = page->row[i].key.id};
		outbox->ops->counters(outbox, &one->counters);
	}
	return FLOW_WAIT;
}

CHORE_RESUME(page_done, ledger_op, reconcile, page.op)

/* Reads the next accounts, after the last one of the previous page. */
static enum flow_result step_page(struct flow *flow)
{
	struct reconcile *reconcile = reconcile_of(flow);
	struct role_chores *role = reconcile->chore.role;

	if (reconcile->page.count) {
		const struct account_key *last = &reconcile->page.row[reconcile->page.count - 1].key;
		snprintf(reconcile->after_tenant, sizeof(reconcile->after_tenant), "%s", last->tenant);
		snprintf(reconcile->after_id, sizeof(reconcile->after_id), "%s", last->id);
		reconcile->after_kind = last->kind;
		if (!reconcile->page.more)
			return end_of_pass(reconcile);
	}
	arena_reset(&reconcile->chore.arena);
	reconcile->page = (struct ledger_windows){
		.op = {.arena = &reconcile->chore.arena, .done = page_done},
		.after = {.kind = reconcile->after_kind, .tenant = reconcile->after_tenant, .id = reconcile->after_id},
		.now_us = worker_now_us(role->worker),
		.limit = RECONCILE_PAGE,
	};
	flow_to(flow, step_read);
	role->ledger->ops->windows(role->ledger, &reconcile->page);
	return FLOW_WAIT;
}

static enum flow_result step_held(struct flow *flow)
{
	struct reconcile *reconcile = reconcile_of(flow);

	if (!reconcile->lease.op.ok)
		return flow_fail_with(flow, &reconcile->lease.op.err);
	if (!reconcile->lease.held || chore_stopping(&reconcile->chore))
		return flow_succeed(flow);
	reconcile->page.count = 0;
	reconcile->after_tenant[0] = reconcile->after_id[0] = '\0';
	reconcile->after_kind = 0;
	reconcile->drift_accounts = reconcile->drift_nano = 0;
	flow_to(flow, step_page);
	return FLOW_MORE;
}

CHORE_RESUME(lease_done, ledger_op, reconcile, lease.op)

static enum flow_result step_lease(struct flow *flow)
{
	flow_to(flow, step_held);
	chore_lease(chore_of(flow), &reconcile_of(flow)->lease, "reconcile", LEASE_US, lease_done);
	return FLOW_WAIT;
}

void reconcile_init(struct reconcile *reconcile)
{
	reconcile->chore =
		(struct chore){.first = step_lease, .name = "reconcile", .interval_us = RECONCILE_INTERVAL_US};
}
