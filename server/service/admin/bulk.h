/* One change to many accounts, chunk by chunk: each is committed in one transaction, then written to the store. */
#ifndef BURSAR_SERVICE_ADMIN_BULK_H
#define BURSAR_SERVICE_ADMIN_BULK_H

#include "service/admin/account_patch.h"
#include "service/worker/flow.h"
#include "service/worker/policy_writes.h"

/* Accounts in a chunk: their rows stay locked for as long as PostgreSQL takes for the chunk. */
#define BULK_CHUNK 500

/*
 * Embedded in the caller and alive until flow.done has run. Everything of a chunk is in `arena` and is gone once the
 * arena is reused. A chunk that was not committed has changed nothing; one that was is in force, or `pending`.
 */
struct account_bulk {
	struct flow flow; /* ok: op.account, op.last, op.more and `pending` describe the chunk */
	struct worker *worker;
	struct arena *arena;
	struct account_patch patch;
	struct accounts_change
		op; /* in: tenant, kind, filter and after, or id and ids; dry_run, job.actor, job.reason */
	int pending; /* number of accounts whose change the store does not have yet; the ledger role repeats it */
	/* internal */
	struct policy_writes writes;
	struct account_confirm confirm;
};

/* Changes the next chunk. `done` runs exactly once, later. */
void account_bulk_start(
	struct account_bulk *bulk, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
