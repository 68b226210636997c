/* Profiles of many accounts, written through to the store: some at a time, those of one turn of the loop in one write. */
#ifndef BURSAR_SERVICE_WORKER_POLICY_WRITES_H
#define BURSAR_SERVICE_WORKER_POLICY_WRITES_H

#include "service/worker/accounts.h"

struct policy_write {
	struct account_key key;
	const struct account_profile *profile; /* NULL: a user who was erased; what the store has of him is dropped */
	/* out; LIMITS_UNKNOWN: no expected could be made of it, and the store was not asked, or something of an erased user is open */
	enum limits_status status;
};

/* Embedded by a use case, alive until `done` has run. Everything lies in `arena`, which outlives it. */
struct policy_writes {
	struct worker *worker;
	struct arena *arena;
	int count;
	struct policy_write *write;
	void (*done)(struct policy_writes *writes);
	/* out */
	bool failed; /* one of them, at least, is LIMITS_FAILED: the store did not answer */
	struct err err; /* of the first of those */
	/* its own */
	int next, open;
	struct snapshot *snapshot;
	struct accounts accounts;
	struct policy_slot *slot;
};

/* False: there is nothing to wait for, and `done` does not come. */
bool policy_writes_start(struct policy_writes *writes) __attribute__((warn_unused_result));

#endif
