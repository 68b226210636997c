/*
 * What to do if the store could not decide because it and the worker disagree about an account: ABSENT (seed it from
 * PostgreSQL), UNSEEDED (add the ledger's amounts for limits that are new to the account, or for a record that was made
 * without PostgreSQL), STALE (learn the newer profile), BEHIND (write ours through), CLOCK (other windows). The caller
 * then builds its expected state again and repeats the call.
 */
#ifndef BURSAR_SERVICE_REPAIR_REPAIR_H
#define BURSAR_SERVICE_REPAIR_REPAIR_H

#include "service/repair/drained.h"
#include "service/worker/flow.h"
#include "service/worker/accounts.h"

/* How many times one request asks the store before it gives up. */
#define REPAIR_ROUNDS_MAX 6

struct repair {
	struct flow flow;
	struct accounts *accounts;
	int64_t deadline_us; /* clock_mono_us */
	bool store_away; /* failed because the store did not answer; the tier's fail policy decides */
	bool user_unknown; /* PostgreSQL has no row for the user */
	bool provisional; /* PostgreSQL did not answer: what is in the store decides, though not exactly */
	/* internal */
	uint32_t mask;
	int index;
	bool lookup_only, behind;
	int64_t catalog_until_us;
	int64_t give_up_us;
	struct drain_bound bound; /* entries up to here must be drained before the ledger is read */
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
	int64_t asked_us; /* clock_mono_us: when the lookup was sent */
	/*
	 * The lookup's answer, needed only until the seeds are made and so kept out of the request's arena. Released
	 * before `told` is called.
	 */
	struct arena looked;
	void (*told)(struct flow *flow);
};

/* True if repair_start can repair this answer. */
bool repair_can(enum limits_status status);

/* `op` is the store's answer for exactly `accounts`. `done` runs exactly once, possibly before this returns. */
void repair_start(struct repair *repair, struct accounts *accounts, const struct limits_op *op, int64_t deadline_us,
	void (*done)(struct flow *flow));

/* Only looks these accounts up in PostgreSQL (bit 0 of `mask`: the first account) and learns them. */
void repair_lookup(struct repair *repair, struct accounts *accounts, uint32_t mask, int64_t deadline_us,
	void (*done)(struct flow *flow));

#endif
