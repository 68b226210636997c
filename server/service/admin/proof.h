/*
 * Sums of a tenant's running month by separate paths: ledger rows, roll-ups, roll-ups of what is shared. And each user's live counters beside
 * what the ledger has of the windows that they count, which other time zones and resets make other ones than the month of UTC.
 */
#ifndef BURSAR_SERVICE_ADMIN_PROOF_H
#define BURSAR_SERVICE_ADMIN_PROOF_H

#include "domain/record/usage.h"
#include "service/request/check.h"
#include "store/accounts.h"
#include "store/admin.h"

enum { PROOF_DIFFERENCES = 10 };

/* A counter that is not as the ledger has it. */
struct proof_difference {
	const char *user;
	char limit[LIMIT_NAME_MAX + 1];
	int64_t counted, ledger;
};

/* One calendar counter of the user at hand. */
struct proof_counter {
	char limit[LIMIT_NAME_MAX + 1];
	enum window_unit unit;
	enum dimension dimension;
	uint64_t interface_hash, model_hash;
	int64_t settled;
};

/* Embedded by the caller, alive until flow.done has run. */
struct proof {
	struct flow flow;
	struct worker *worker;
	struct arena *arena;
	/* in */
	const char *tenant;
	/* out */
	struct proof_query query; /* ledger and roll-ups */
	struct amounts counters, windows; /* of the running months, by counter and by ledger; input: all tokens */
	int64_t counted; /* users whose tier has monthly counters of requests, tokens and cost: `counters` is theirs */
	int64_t differing; /* counters that are not as the ledger has them */
	struct proof_difference difference[PROOF_DIFFERENCES]; /* the first of them */
	uint64_t undrained;
	bool equal;
	/* its own */
	struct limits_birth birth;
	struct check check;
	struct arena turn; /* of one user's question */
	int user;
	struct proof_counter counter[LIMITS_MAX];
	int count;
	struct account_lookup lookup;
};

void proof_start(struct proof *proof, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
