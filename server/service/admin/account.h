/* Changes an account: commits in PostgreSQL, then writes through to the store, so that the answer means "in force". */
#ifndef BURSAR_SERVICE_ADMIN_ACCOUNT_H
#define BURSAR_SERVICE_ADMIN_ACCOUNT_H

#include "service/worker/flow.h"
#include "service/worker/accounts.h"
#include "service/repair/repair.h"
#include "store/admin.h"

/* Embedded in the caller and alive until flow.done has run. Everything is in `arena`, which must outlive it. */
struct account_edit {
	struct flow flow; /* ok: op.row is what was committed; row.pending if the store does not have it yet */
	struct worker *worker;
	struct arena *arena;
	struct account_change
		op; /* in: key, change, job.actor, job.reason; op.now_us and op.unused are set before `change` runs */
	bool ask_use; /* in: `change` needs op.unused, so the store is asked first */
	/* internal */
	struct limits_check look;
	struct repair repair;
	int looks;
	struct snapshot *snapshot;
	struct accounts accounts;
	struct limits_policy policy;
	struct policy_note note;
	struct account_confirm confirm;
};

/* For a committed change, with edit->op.row and op.key filled in: only writes it through to the store. */
void account_edit_push(
	struct account_edit *edit, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

/* The caller has filled in edit->op. `done` runs exactly once, possibly before this returns. */
void account_edit_start(
	struct account_edit *edit, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
