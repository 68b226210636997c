/*
 * Sums up a tenant's current month along separate paths: ledger rows, roll-ups by user, and shared roll-ups. Also
 * compares each user's live counters with the ledger's amounts for the windows that they count, which differ from the
 * month in UTC for users in other time zones and after resets.
 */
#ifndef BURSAR_SERVICE_REPORTS_PROOF_H
#define BURSAR_SERVICE_REPORTS_PROOF_H

#include "domain/record/usage.h"
#include "service/request/check.h"
#include "store/accounts.h"
#include "store/admin.h"

enum { PROOF_DIFFERENCES = 10, PROOF_LANES = 32 };

/* A counter that differs from the ledger. */
struct proof_difference {
	const char *user;
	char limit[LIMIT_NAME_MAX + 1];
	int64_t counted, ledger;
};

/* One calendar counter of the current user. */
struct proof_counter {
	char limit[LIMIT_NAME_MAX + 1];
	enum window_unit unit;
	enum dimension dimension;
	uint64_t interface_hash, model_hash;
	int64_t settled;
};

/* proof_user.c: one user. Embedded in the caller and alive until flow.done has run. */
struct proof_user {
	struct flow flow;
	struct worker *worker;
	struct arena *arena;
	/* in */
	const char *tenant, *user;
	const struct amounts *month; /* what the roll-ups have for the running month in UTC */
	/* out */
	bool counted; /* has monthly counters of requests, tokens and cost */
	struct amounts counters, windows; /* those, and the ledger's amounts of their windows; `input` is all tokens */
	int differing; /* number of counters that differ from the ledger */
	struct proof_difference difference[LIMITS_MAX + 3];
	/* internal */
	struct check check;
	struct proof_counter counter[LIMITS_MAX];
	int count;
	struct account_lookup lookup;
};

void proof_user_start(
	struct proof_user *user, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

struct proof_lane {
	struct proof_user user;
	struct proof *proof;
	struct arena own; /* reset for each user */
};

/* Embedded in the caller and alive until flow.done has run. */
struct proof {
	struct flow flow;
	struct worker *worker;
	struct arena *arena;
	/* in */
	const char *tenant;
	/* out */
	struct proof_query query; /* ledger and roll-ups */
	struct amounts counters, windows; /* sums of the current months: counters and ledger; `input` is all tokens */
	int64_t counted; /* users with monthly counters of requests, tokens and cost: `counters` sums theirs */
	int64_t differing; /* number of counters that differ from the ledger */
	struct proof_difference difference[PROOF_DIFFERENCES]; /* the first ones */
	uint64_t undrained;
	bool equal;
	/* internal */
	struct limits_birth birth;
	int user; /* the first one of those in the lanes */
	int lanes, pending; /* lanes in use, and those whose user is not done */
	struct proof_lane *lane;
};

void proof_start(struct proof *proof, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
