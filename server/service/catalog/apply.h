/* Applying a document: committed in PostgreSQL as a whole, in force here and written through when it is answered. */
#ifndef BURSAR_SERVICE_CATALOG_APPLY_H
#define BURSAR_SERVICE_CATALOG_APPLY_H

#include "service/admin/account.h"
#include "service/pool/admin.h"
#include "store/document.h"

/* Embedded by the caller, alive until flow.done has run. */
struct document_edit {
	struct flow flow; /* ok: op.change is what was done, or what a dry run would do */
	struct worker *worker;
	struct arena *arena;
	struct document_apply op; /* in: wanted, dry_run, prune, expected, job.actor, job.reason */
	bool pending; /* out: committed, and the store does not have all of it yet; it is repeated */
	/* its own */
	struct catalog_wait wait;
	struct pool_edit pool;
	struct account_edit account;
	int at;
};
void document_edit_start(
	struct document_edit *edit, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
