/*
 * The ledger as its writer needs it: batches in, exactly once; upkeep; what the reconciler compares; leases for
 * singletons. Operations work as in store/limits.h: embedded by the caller, one callback, on the caller's loop.
 */
#ifndef BURSAR_STORE_LEDGER_H
#define BURSAR_STORE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "domain/record/entry.h"
#include "domain/record/usage.h"
#include "store/admin.h"

/* The common part of all operations. `ok` false: the outcome is unknown, try again later. */
struct ledger_op {
	struct arena *arena; /* answers are allocated here; the store's thread uses it until `done` */
	int64_t deadline_us; /* clock_mono_us; 0 = the store's default (30 s) */
	void (*done)(struct ledger_op *op);
	bool ok;
	struct err err;
	void *impl[6];
};

enum ledger_fate {
	LEDGER_WRITTEN, /* now in the ledger and in the roll-ups: acknowledge */
	LEDGER_REPEAT, /* was there already, from the same origin: acknowledge */
	LEDGER_DOUBLE, /* its key was there from another origin: reverse its charge, then forget it */
	LEDGER_REJECTED, /* not an entry, or refused by PostgreSQL: now in ledger_rejects: acknowledge */
	LEDGER_BUSY /* another writer is working on this partition: leave it */
};

struct ledger_item {
	/* in; owned by the caller, alive until `done` */
	int partition;
	const char *origin; /* generation ":" entry id: globally unique, at most 80 bytes */
	const uint8_t *bytes;
	size_t len;
	/* out */
	enum ledger_fate fate;
	struct entry *entry; /* decoded, in the arena; NULL when the bytes are not an entry */
	int late_accounts; /* how many of its accounts, the last ones, the ledger found itself: the store has not counted on them */
};

/* One transaction (more when PostgreSQL refuses an entry). All fates are filled when ok; none is valid otherwise. */
struct ledger_write {
	struct ledger_op op;
	int count;
	struct ledger_item *item;
};

/* Creates the partitions of today-8 to today+3, drops those older than `retention_days` (0: none), and deletes windows
 * that are no longer needed. For the holder of the lease "upkeep". */
struct ledger_upkeep {
	struct ledger_op op;
	int retention_days;
	int64_t today_us; /* any time of today */
	int made, dropped;
};

/* The windows that may be running at now_us, of the accounts after `after`, in the order of keys: what the reconciler
 * compares. Only accounts with recent use. */
struct ledger_window_row {
	struct account_key key;
	int count;
	struct usage_window *window;
};
struct ledger_windows {
	struct ledger_op op;
	struct account_key after; /* kind 0: from the beginning */
	int64_t now_us;
	int limit; /* accounts */
	int count;
	struct ledger_window_row *row;
	bool more;
};

/* Accounts with due changes that Redis has not confirmed, newest first; see account_confirm (store/admin.h). */
struct ledger_changes {
	struct ledger_op op;
	int limit; /* changes */
	int count; /* accounts */
	struct {
		struct account_key key;
		uint32_t version; /* of its newest change; the age too */
		int64_t age_us;
	} * change;
	bool more;
};

/* Gives `holder` the lease until now + ttl, unless another holder has it. */
struct ledger_lease {
	struct ledger_op op;
	const char *name, *holder;
	int64_t ttl_us;
	bool held;
	int64_t fence; /* increases with each new holder */
};

struct ledger_store;
struct ledger_store_ops {
	void (*write)(struct ledger_store *store, struct ledger_write *op);
	void (*upkeep)(struct ledger_store *store, struct ledger_upkeep *op);
	void (*windows)(struct ledger_store *store, struct ledger_windows *op);
	void (*changes)(struct ledger_store *store, struct ledger_changes *op);
	void (*lease)(struct ledger_store *store, struct ledger_lease *op);
};
struct ledger_store {
	const struct ledger_store_ops *ops;
};

#endif
