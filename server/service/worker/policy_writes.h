/* Writes the profiles of many accounts through to the store: a few at a time, those of one loop turn in one write. */
#ifndef BURSAR_SERVICE_WORKER_POLICY_WRITES_H
#define BURSAR_SERVICE_WORKER_POLICY_WRITES_H

#include "service/worker/accounts.h"

struct policy_write {
	struct account_key key;
	const struct account_profile *profile; /* NULL: the user was erased; the store drops what it has of them */
	/*
	 * out; LIMITS_UNKNOWN: the expected state could not be built, so the store was not asked, or an erased user
	 * still has open reservations or undrained entries
	 */
	enum limits_status status;
};

/* Embedded in a use case and alive until `done` has run. Everything is in `arena`, which must outlive it. */
struct policy_writes {
	struct worker *worker;
	struct arena *arena;
	int count;
	struct policy_write *write;
	void (*done)(struct policy_writes *writes);
	/* out */
	bool failed; /* at least one is LIMITS_FAILED: the store did not answer */
	struct err err; /* of the first failure */
	/* internal */
	int next, open;
	struct snapshot *snapshot;
	struct accounts accounts;
	struct policy_slot *slot;
};

/* False if there is nothing to wait for; `done` is not called then. */
bool policy_writes_start(struct policy_writes *writes) __attribute__((warn_unused_result));

#endif
