/* One change of many accounts: a chunk after another, each committed in one transaction and then written through to the store. */
#ifndef BURSAR_SERVICE_ADMIN_BULK_H
#define BURSAR_SERVICE_ADMIN_BULK_H

#include "service/admin/account_patch.h"
#include "service/worker/flow.h"
#include "service/worker/policy_writes.h"

/* Accounts of a chunk: their rows are locked for as long as that takes in PostgreSQL. */
#define BULK_CHUNK 500

/*
 * Embedded by the caller, alive until flow.done has run. Everything of a chunk lies in `arena`: what it says of the accounts is gone
 * with its next use. A chunk that has not been committed has changed nothing; one that has is in force, or `pending`.
 */
struct account_bulk {
	struct flow flow; /* ok: op.account, op.last, op.more and `pending` tell of the chunk */
	struct worker *worker;
	struct arena *arena;
	struct account_patch patch;
	struct accounts_change
		op; /* in: tenant, kind, filter and after, or id and ids; dry_run, job.actor, job.reason */
	int pending; /* accounts whose change the store does not have yet; the ledger role repeats it */
	/* its own */
	struct policy_writes writes;
	struct account_confirm confirm;
};

/* Changes the next chunk; `done` comes once, later. */
void account_bulk_start(
	struct account_bulk *bulk, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
