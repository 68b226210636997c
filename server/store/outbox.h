/*
 * What the ledger role needs of the store that decides: the outboxes of its partitions, reservations whose time is over,
 * and counters to be raised. Operations as in store/limits.h: embedded by the caller, one callback, on the caller's loop,
 * never before the call has returned.
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

/* What every operation has. */
struct outbox_op {
	/* in */
	struct arena *arena; /* answers are allocated here; owned by the caller */
	int64_t deadline_us; /* clock_mono_us; 0 = the store's default (2 s) */
	void (*done)(struct outbox_op *op);
	/* out */
	bool ok; /* false: the store did not answer, see err; nothing is known to have happened */
	struct err err;
	int64_t now_us; /* the store's clock, where the operation asks it; else 0 */
	/* the store's own */
	void *impl[4];
};

/* Which outboxes hold entries. */
struct outbox_waiting {
	struct outbox_op op;
	/* out */
	uint64_t entries; /* of all of them */
	int64_t age_us; /* of the oldest entry; 0 when there is none */
	int count; /* partitions that hold any, in rising order */
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

/* The oldest entries of one outbox. They stay until they are acknowledged: several may read the same. */
struct outbox_drain {
	struct outbox_op op;
	int partition;
	int limit;
	/* out */
	char generation[17]; /* with an entry's id unique for ever; "" when the partition has none */
	uint64_t entries; /* in this outbox */
	int count;
	struct outbox_entry *entry;
};

/* Forgets all entries up to `last` and that one: they are in the ledger, or among its rejects. */
struct outbox_ack {
	struct outbox_op op;
	int partition;
	const char *last;
	/* out */
	uint64_t forgotten;
};

/* The ledger had this entry already: its charge goes out of the counters again, and it is forgotten. Once: who comes
 * second does nothing. */
struct outbox_takeback {
	struct outbox_op op;
	int partition;
	const char *id;
	const struct entry *entry;
	/* out */
	bool taken; /* false: it was gone already */
};

/* Counts an entry on its last accounts, which the store did not know when it was made: in calendar windows that still run. */
struct outbox_charge {
	struct outbox_op op;
	int partition;
	int accounts;
	const struct entry *entry;
};

/* Ends reservations of one partition whose time is over. */
struct outbox_sweep {
	struct outbox_op op;
	int partition;
	int limit; /* at most 64 */
	/* out */
	int expired;
	bool more; /* there may be others */
};

/*
 * Raises calendar counters to what the ledger knows, where the same window runs and nothing was settled since they were read. It lowers
 * those of an account that may be above the ledger (`high` of its counters), and never another one.
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
	bool absent; /* there is no record: it will be seeded when it is needed */
	int raised, lowered;
};

/* What an account's record says now of the calendar limits that are seeded: for the reconciler and for proofs. */
struct outbox_counters {
	struct outbox_op op;
	enum account_kind kind;
	const char *tenant, *id;
	/* out */
	bool absent;
	bool high; /* limits were seeded while they moved: they may be above what the ledger knows */
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
struct outbox_store_ops {
	void (*waiting)(struct outbox_store *store, struct outbox_waiting *op);
	void (*drain)(struct outbox_store *store, struct outbox_drain *op);
	void (*ack)(struct outbox_store *store, struct outbox_ack *op);
	void (*takeback)(struct outbox_store *store, struct outbox_takeback *op);
	void (*charge)(struct outbox_store *store, struct outbox_charge *op);
	void (*sweep)(struct outbox_store *store, struct outbox_sweep *op);
	void (*raise)(struct outbox_store *store, struct outbox_raise *op);
	void (*counters)(struct outbox_store *store, struct outbox_counters *op);
};
struct outbox_store {
	const struct outbox_store_ops *ops;
};

#endif
