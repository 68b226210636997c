/* Erasing a user: nothing of him may be open, then his id becomes a pseudonym, in PostgreSQL at once and whole. */
#ifndef BURSAR_SERVICE_ADMIN_ERASE_H
#define BURSAR_SERVICE_ADMIN_ERASE_H

#include "service/worker/flow.h"
#include "service/worker/worker.h"

/* Embedded by the caller, alive until flow.done has run. Everything lies in `arena`, which outlives it. */
struct account_erasing {
	struct flow flow; /* ok: op.pseudonym. ERR_NOT_FOUND; ERR_PRECONDITION with reason NOT_DELETED or IN_USE */
	struct worker *worker;
	struct arena *arena;
	struct account_erase op; /* in: key, job.actor, job.reason, job.deadline_us */
	/* its own */
	struct account_get get;
	struct limits_erase look;
	struct policy_note note;
	struct account_confirm confirm;
	struct err refusal; /* what is told once the store has dropped the record */
	bool ended; /* PostgreSQL has answered */
};

/* `erasing->op` is filled; `done` comes once, later. */
void account_erase_start(
	struct account_erasing *erasing, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
