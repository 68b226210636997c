/* Changing an account: committed in PostgreSQL, then written through to the store, so that the answer means "in force". */
#ifndef BURSAR_SERVICE_ADMIN_ACCOUNT_H
#define BURSAR_SERVICE_ADMIN_ACCOUNT_H

#include "service/worker/flow.h"
#include "service/worker/accounts.h"
#include "service/repair/repair.h"
#include "store/admin.h"

/* Embedded by the caller, alive until flow.done has run. Everything lies in `arena`, which outlives it. */
struct account_edit {
	struct flow flow; /* ok: op.row is what was committed; row.pending when the store does not have it yet */
	struct worker *worker;
	struct arena *arena;
	struct account_change
		op; /* in: key, change, job.actor, job.reason; op.now_us, op.unused are filled for `change` */
	bool ask_use; /* in: `change` looks at op.unused, so the store is asked first */
	/* its own */
	struct limits_check look;
	struct repair repair;
	int looks;
	struct snapshot *snapshot;
	struct accounts accounts;
	struct limits_policy policy;
	struct policy_note note;
	struct account_confirm confirm;
};

/* The same for what is committed already: `edit->op.row` and `op.key` are filled. Only what the store is told is done. */
void account_edit_push(
	struct account_edit *edit, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

/* `edit->op` is filled; `done` comes once, later. */
void account_edit_start(
	struct account_edit *edit, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
