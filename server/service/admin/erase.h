/* Erases a user who has nothing open: one transaction replaces their id with a pseudonym throughout PostgreSQL. */
#ifndef BURSAR_SERVICE_ADMIN_ERASE_H
#define BURSAR_SERVICE_ADMIN_ERASE_H

#include "service/worker/flow.h"
#include "service/worker/worker.h"

/* Embedded in the caller and alive until flow.done has run. Everything is in `arena`, which must outlive it. */
struct account_erasing {
	struct flow flow; /* ok: op.pseudonym. ERR_NOT_FOUND; ERR_PRECONDITION with reason NOT_DELETED or IN_USE */
	struct worker *worker;
	struct arena *arena;
	struct account_erase op; /* in: key, job.actor, job.reason, job.deadline_us */
	/* internal */
	struct account_get get;
	struct limits_erase look;
	struct policy_note note;
	struct account_confirm confirm;
	struct err refusal; /* the error to return once the store has dropped the record */
	bool ended; /* PostgreSQL has erased the user */
};

/* The caller has filled in erasing->op. `done` runs exactly once, later. */
void account_erase_start(
	struct account_erasing *erasing, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
