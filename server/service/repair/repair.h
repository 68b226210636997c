/*
 * What to do when the store could not decide because it and the worker disagree about an account: ABSENT (seed it from
 * PostgreSQL), UNSEEDED (add what the ledger knows of limits that are new to it, or of a record that was made without PostgreSQL), STALE
 * (learn the newer profile), BEHIND (write ours through), CLOCK (other windows). Afterwards the caller renews its expected and asks again.
 */
#ifndef BURSAR_SERVICE_REPAIR_REPAIR_H
#define BURSAR_SERVICE_REPAIR_REPAIR_H

#include "service/worker/drained.h"
#include "service/worker/flow.h"
#include "service/worker/accounts.h"

/* How often one request asks the store before it gives up. */
#define REPAIR_ROUNDS_MAX 6

struct repair {
	struct flow flow;
	struct accounts *accounts;
	int64_t deadline_us; /* clock_mono_us */
	bool store_away; /* failed because the store did not answer: the tier's fail policy is to decide */
	bool user_unknown; /* PostgreSQL has no row for the user */
	bool provisional; /* PostgreSQL did not answer: what is in the store is to decide, though not exactly */
	/* its own */
	uint32_t mask;
	int index;
	bool lookup_only, behind;
	int64_t catalog_until_us;
	int64_t give_up_us;
	struct drain_bound bound; /* entries up to here have to be drained before the ledger is read */
	struct {
		char generation[17];
		int64_t now_us;
	} born[ACCOUNTS_MAX];
	struct wait wait;
	struct limits_birth birth;
	struct limits_seed seed;
	struct limits_policy policy;
	struct limits_adopt adopt;
	const struct unseeded *unseeded; /* NULL: ABSENT */
	int unseeded_count;
	struct account_lookup lookup;
	int64_t asked_us; /* clock_mono_us: the lookup */
	/* What the lookup answers: of use until the seeds are made, so it does not grow the request's own arena. Given back
	 * before `told`. */
	struct arena looked;
	void (*told)(struct flow *flow);
};

/* Is this an answer that repair_start knows to mend? */
bool repair_can(enum limits_status status);

/* `op` is the answer, whose accounts were those of `accounts`. `done` of the flow comes later or at once. */
void repair_start(struct repair *repair, struct accounts *accounts, const struct limits_op *op, int64_t deadline_us,
	void (*done)(struct flow *flow));

/* Only asks PostgreSQL who these accounts are (bit 0: the user), and learns it. */
void repair_lookup(struct repair *repair, struct accounts *accounts, uint32_t mask, int64_t deadline_us,
	void (*done)(struct flow *flow));

#endif
