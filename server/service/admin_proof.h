/* Three sums of a tenant's running month by three paths: ledger rows, roll-ups, and the live counters of its users. */
#ifndef BURSAR_SERVICE_ADMIN_PROOF_H
#define BURSAR_SERVICE_ADMIN_PROOF_H

#include "service/check.h"
#include "store/admin.h"

/* Embedded by the caller, alive until flow.done has run. */
struct proof {
	struct flow flow;
	struct worker *worker;
	struct arena *arena;
	/* in */
	const char *tenant;
	/* out */
	struct proof_query query; /* ledger and roll-ups */
	struct use counters; /* input: all tokens */
	int64_t counted; /* users whose counters were read */
	int64_t uncounted; /* users whose tier has no monthly counter of requests, tokens and cost */
	uint64_t undrained;
	bool equal;
	/* its own */
	struct limits_birth birth;
	struct check check;
	struct arena turn; /* of one user's question */
	int user;
};

void proof_start(struct proof *proof, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
