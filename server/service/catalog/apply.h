/*
 * Applies a document: commits it in PostgreSQL as a whole; when it is answered, it is in force here and written
 * through.
 */
#ifndef BURSAR_SERVICE_CATALOG_APPLY_H
#define BURSAR_SERVICE_CATALOG_APPLY_H

#include "service/admin/account.h"
#include "service/pool/admin.h"
#include "store/document.h"

/* Embedded in the caller and alive until flow.done has run. */
struct document_edit {
	struct flow flow; /* ok: op.change is what was done, or what a dry run would do */
	struct worker *worker;
	struct arena *arena;
	struct document_apply op; /* in: wanted, dry_run, prune, expected, job.actor, job.reason */
	bool pending; /* out: committed, but the store does not have all of it yet; the rest is repeated */
	/* internal */
	struct catalog_wait wait;
	struct pool_edit pool;
	struct account_edit account;
	int at;
};
void document_edit_start(
	struct document_edit *edit, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
