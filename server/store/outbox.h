/*
 * What the ledger role needs from the store that decides: the outboxes of its partitions, reservations that have
 * expired, and counters to raise. Operations work as in store/limits.h: embedded by the caller, one callback, on the
 * caller's loop, never before the call has returned.
 */
#ifndef BURSAR_STORE_OUTBOX_H
#define BURSAR_STORE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "domain/limit/account.h"
#include "domain/record/entry.h"
#include "domain/record/partition.h"

#define OUTBOX_ID_MAX 48

/* The common part of all operations. */
struct outbox_op {
	/* in */
	struct arena *arena; /* answers are allocated here; owned by the caller */
	int64_t deadline_us; /* clock_mono_us; 0 = the store's default (2 s) */
	void (*done)(struct outbox_op *op);
	/* out */
	bool ok; /* false: the store did not answer, see err; the outcome is unknown */
	struct err err;
	int64_t now_us; /* the store's clock, for operations that read it; else 0 */
	/* the store's own */
	void *impl[4];
};

/* Which outboxes hold entries. */
struct outbox_waiting {
	struct outbox_op op;
	/* out */
	uint64_t entries; /* in all of them */
	int64_t age_us; /* of the oldest entry; 0 when there is none */
	int count; /* partitions that have any, in ascending order */
	struct {
		int partition;
		uint64_t entries;
		char oldest[OUTBOX_ID_MAX];
	} waiting[PARTITIONS];
};

struct outbox_entry {
	char id[OUTBOX_ID_MAX];
	const uint8_t *bytes; /* entry_unpack (domain/record/entry.h) */
	size_t len;
};

/* The oldest entries of one outbox. They stay until they are acknowledged: several readers may get the same ones. */
struct outbox_drain {
	struct outbox_op op;
	int partition;
	int limit;
	/* out */
	char generation[17]; /* globally unique together with an entry's id; "" when the partition has none */
	uint64_t entries; /* in this outbox */
	int count;
	struct outbox_entry *entry;
};

/* Drops all entries up to and including `last`: they are in the ledger, or among its rejects. */
struct outbox_ack {
	struct outbox_op op;
	int partition;
	const char *last;
	/* out */
	uint64_t forgotten;
};

/* The ledger had this entry already: its charge is removed from the counters, and the entry is dropped. Happens once: a
 * second call does nothing. */
struct outbox_takeback {
	struct outbox_op op;
	int partition;
	const char *id;
	const struct entry *entry;
	/* out */
	bool taken; /* false: the entry was gone already */
};

/* Counts an entry on its last accounts, unknown to the store when the entry was made, in calendar windows that still
 * run. */
struct outbox_charge {
	struct outbox_op op;
	int partition;
	int accounts;
	const struct entry *entry;
};

/* Which partitions have expired reservations. */
struct outbox_overdue {
	struct outbox_op op;
	/* out */
	int count;
	int partition[PARTITIONS];
};

/* Ends expired reservations of one partition. */
struct outbox_sweep {
	struct outbox_op op;
	int partition;
	int limit; /* at most 64 */
	/* out */
	int expired;
	bool more; /* there may be more of them */
};

/*
 * Raises calendar counters to what the ledger knows, if the same window runs and nothing was settled since they were
 * read. It lowers only counters of accounts that may be above the ledger (`high` of outbox_counters).
 */
struct outbox_raise {
	struct outbox_op op;
	enum account_kind kind;
	const char *tenant, *id;
	int count;
	struct {
		uint32_t limit_id;
		int64_t window_start, seen, known;
	} window[LIMITS_MAX];
	/* out */
	bool absent; /* Redis has no record of the account; the next check seeds it */
	int raised, lowered;
};

/* What an account's record currently says about its seeded calendar limits: for the reconciler and for proofs. */
struct outbox_counters {
	struct outbox_op op;
	enum account_kind kind;
	const char *tenant, *id;
	/* out */
	bool absent;
	bool high; /* limits were seeded while they changed: they may be above what the ledger knows */
	int count;
	struct {
		uint32_t limit_id;
		enum dimension dimension;
		enum window_unit unit;
		uint64_t interface_hash, model_hash; /* of its selectors; 0 = all */
		int64_t window_start, settled, held;
	} window[LIMITS_MAX];
};

struct outbox_store;
#define OP(name, operation) void (*name)(struct outbox_store * store, struct operation * op)
struct outbox_store_ops {
	OP(waiting, outbox_waiting);
	OP(drain, outbox_drain);
	OP(ack, outbox_ack);
	OP(takeback, outbox_takeback);
	OP(charge, outbox_charge);
	OP(overdue, outbox_overdue);
	OP(sweep, outbox_sweep);
	OP(raise, outbox_raise);
	OP(counters, outbox_counters);
	/*
	 * Calls `rung` once, after this has returned, as soon as an outbox holds an entry, which may be now. It replaces the
	 * callback of an earlier call; NULL only cancels that. False: the store cannot tell at the moment, so poll as usual.
	 * True promises nothing: an entry may still be missed, so keep polling, but less often.
	 */
	bool (*when_any)(struct outbox_store *store, void (*rung)(void *arg), void *arg);
};
#undef OP
struct outbox_store {
	const struct outbox_store_ops *ops;
};

#endif
