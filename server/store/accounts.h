/*
 * Accounts in the durable store: looked up before the first decision, with all that seeding needs; and the ledger's
 * memory of old requests. Operations work as in store/limits.h: embedded by the caller, one callback, on the caller's
 * loop.
 */
#ifndef BURSAR_STORE_ACCOUNTS_H
#define BURSAR_STORE_ACCOUNTS_H

#include "base/arena.h"
#include "base/observe/spans.h"
#include "domain/limit/account.h"
#include "domain/limit/decision.h"
#include "domain/record/entry.h"
#include "domain/record/usage.h"

/* What was left in a bucket. */
struct bucket_level {
	uint32_t limit_id;
	int64_t full_at_us, rem, num, den, as_of_us;
};

struct account_found {
	/* in */
	enum account_kind kind;
	const char *tenant, *id;
	/* out */
	bool known; /* a row exists; else profile is that of an unknown account (version 0) */
	struct account_profile profile;
	int windows, buckets;
	struct usage_window *window; /* of windows that may still be running */
	struct bucket_level *bucket;
};
/* One snapshot (REPEATABLE READ) of up to ACCOUNTS_MAX accounts. Lookups made in one loop turn share a query. */
struct account_lookup {
	struct arena *arena;
	int64_t deadline_us; /* clock_mono_us; 0 = the store's default (2 s) */
	void (*done)(struct account_lookup *op);
	int count;
	struct account_found account[ACCOUNTS_MAX];
	bool ok;
	struct err err;
	void *impl[4];
	struct asked asked; /* for a store whose answers come later */
};

/* Was this request settled before? For records older than the idempotency window or the store's birth. */
struct ledger_lookup {
	struct arena *arena;
	int64_t deadline_us;
	void (*done)(struct ledger_lookup *op);
	const char *tenant, *user, *request_id;
	int64_t started_at_us;
	int attempt;
	/* out */
	bool found; /* this attempt's row */
	bool late; /* it was recorded after its reservation had ended */
	bool counted; /* there is a row of an expiry or another attempt: the request itself is in the ledger already */
	struct amounts amounts;
	struct entry_usage usage;
	bool ok;
	struct err err;
	void *impl[4];
};

struct accounts_store;
struct accounts_store_ops {
	void (*lookup)(struct accounts_store *store, struct account_lookup *op);
	void (*ledger)(struct accounts_store *store, struct ledger_lookup *op);
};
struct accounts_store {
	const struct accounts_store_ops *ops;
};

#endif
