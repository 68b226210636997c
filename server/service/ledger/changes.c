/*
 * Repeats changes of accounts that Redis may not have (service/ledger/chores.h): a page at a time, the accounts are
 * read as they are now, written through and confirmed. An account that no longer exists was erased, so Redis drops it.
 * A change that cannot be written is retried after a pause that grows with its age; it holds up nothing else.
 */
#include "service/ledger/chores.h"

#include "base/list.h"
#include "base/observe/log.h"
#include "base/units.h"

#define CHANGES_INTERVAL_US SECOND_US
/* How long to look for a provisional record of an absent account, made by a worker that cannot reach PostgreSQL. */
#define SEED_SPAN_US INT64_C(10000000)
#define PAUSE_MIN_US SECOND_US
#define PAUSE_MAX_US MINUTE_US

static enum flow_result step_written(struct flow *flow);

CHORE_OWNER(changes_of, changes)

static const struct account_found *found_at(const struct changes *changes, int i)
{
	return &changes->lookup[i / ACCOUNTS_MAX].lookup.account[i % ACCOUNTS_MAX];
}

static enum flow_result step_confirmed(struct flow *flow)
{
	struct changes *changes = changes_of(flow);

	if (!changes->confirm.job.ok)
		return flow_fail_with(flow, &changes->confirm.job.err);
	/* Redis is away, so the other changes would fail too. */
	if (changes->writes.failed)
		return flow_fail_with(flow, &changes->writes.err);
	changes->chore.again = changes->page.more && !chore_stopping(&changes->chore);
	return flow_succeed(flow);
}

static void confirm_done(struct admin_job *job)
{
	struct changes *changes = container_of(container_of(job, struct account_confirm, job), struct changes, confirm);

	flow_run(&changes->chore.flow);
}

/* When to try again, in microseconds from now; 0 if the change is in Redis. */
static int64_t again_us(const struct policy_write *write, int64_t age_us)
{
	int64_t pause_us = age_us + PAUSE_MIN_US;

	if (write->status == LIMITS_OK || write->status == LIMITS_NOTHING)
		return 0;
	if (write->status == LIMITS_ABSENT && age_us > SEED_SPAN_US)
		return 0;
	if (pause_us < PAUSE_MIN_US) /* the clock was set back */
		return PAUSE_MIN_US;
	if (write->status == LIMITS_ABSENT && age_us + pause_us > SEED_SPAN_US)
		return SEED_SPAN_US - age_us + 1; /* the last time */
	return pause_us < PAUSE_MAX_US ? pause_us : PAUSE_MAX_US;
}

/* A change that Redis did not answer stays due as before, so that it is written as soon as Redis is back. */
static void notes_make(struct changes *changes, struct account_confirm *confirm)
{
	struct policy_note *notes = arena_zalloc(&changes->chore.arena, (size_t)changes->page.count, sizeof(*notes));
	const struct policy_write *write = changes->writes.write;

	for (int i = 0; i < changes->page.count; i++) {
		struct policy_note *note = &notes[confirm->count];

		*note = (struct policy_note){.key = write[i].key,
			.version = write[i].profile ? write[i].profile->version : changes->page.change[i].version,
			.again_us = again_us(&write[i], changes->page.change[i].age_us)};
		if (write[i].status != LIMITS_FAILED)
			confirm->count++;
	}
	confirm->note = notes;
}

static enum flow_result step_written(struct flow *flow)
{
	struct changes *changes = changes_of(flow);
	struct admin_store *admin = changes->chore.role->worker->parts.admin;

	changes->confirm = (struct account_confirm){.job = {.arena = &changes->chore.arena, .done = confirm_done}};
	notes_make(changes, &changes->confirm);
	flow_to(flow, step_confirmed);
	admin->ops->account_confirm(admin, &changes->confirm);
	return FLOW_WAIT;
}

CHORE_RESUME(writes_done, policy_writes, changes, writes)

static enum flow_result step_found(struct flow *flow)
{
	struct changes *changes = changes_of(flow);
	struct policy_writes *writes = &changes->writes;

	for (int i = 0; i * ACCOUNTS_MAX < changes->page.count; i++)
		if (!changes->lookup[i].lookup.ok)
			return flow_fail_with(flow, &changes->lookup[i].lookup.err);
	*writes = (struct policy_writes){
		.worker = changes->chore.role->worker, .arena = &changes->chore.arena, .done = writes_done};
	writes->write = arena_zalloc(writes->arena, (size_t)changes->page.count, sizeof(*writes->write));
	writes->count = changes->page.count;
	for (int i = 0; i < writes->count; i++)
		writes->write[i] = (struct policy_write){.key = changes->page.change[i].key,
			.profile = found_at(changes, i)->known ? &found_at(changes, i)->profile : NULL};
	flow_to(flow, step_written);
	return policy_writes_start(writes) ? FLOW_WAIT : FLOW_MORE;
}

static void lookup_done(struct account_lookup *op)
{
	struct changes *changes = container_of(op, struct changes_lookup, lookup)->owner;

	if (--changes->pending == 0)
		flow_run(&changes->chore.flow);
}

static void lookup_start(struct changes *changes, struct changes_lookup *lookup, int first)
{
	struct accounts_store *accounts = changes->chore.role->worker->parts.accounts;

	lookup->owner = changes;
	lookup->lookup.arena = &changes->chore.arena;
	lookup->lookup.done = lookup_done;
	for (int i = first; i < changes->page.count && i < first + ACCOUNTS_MAX; i++) {
		const struct account_key *key = &changes->page.change[i].key;

		lookup->lookup.account[i - first].kind = key->kind;
		lookup->lookup.account[i - first].tenant = key->tenant;
		lookup->lookup.account[i - first].id = key->id;
		lookup->lookup.count++;
	}
	changes->pending++;
	accounts->ops->lookup(accounts, &lookup->lookup);
}

static enum flow_result step_listed(struct flow *flow)
{
	struct changes *changes = changes_of(flow);
	int count = changes->page.count, lookups = (count + ACCOUNTS_MAX - 1) / ACCOUNTS_MAX;

	if (!changes->page.op.ok)
		return flow_fail_with(flow, &changes->page.op.err);
	if (count == 0)
		return flow_succeed(flow);
	changes->lookup = arena_zalloc(&changes->chore.arena, (size_t)lookups, sizeof(*changes->lookup));
	flow_to(flow, step_found);
	for (int i = 0; i < lookups; i++)
		lookup_start(changes, &changes->lookup[i], i * ACCOUNTS_MAX);
	return FLOW_WAIT;
}

CHORE_RESUME(page_done, ledger_op, changes, page.op)

static enum flow_result step_list(struct flow *flow)
{
	struct changes *changes = changes_of(flow);
	struct ledger_store *ledger = changes->chore.role->ledger;

	changes->page = (struct ledger_changes){
		.op = {.arena = &changes->chore.arena, .done = page_done},
		.limit = CHANGES_PAGE,
	};
	flow_to(flow, step_listed);
	ledger->ops->changes(ledger, &changes->page);
	return FLOW_WAIT;
}

void changes_init(struct changes *changes)
{
	changes->chore = (struct chore){.first = step_list, .name = "changes", .interval_us = CHANGES_INTERVAL_US};
}
