/* The inside of the ledger role: its chores (service/role/role.h). */
#ifndef BURSAR_SERVICE_LEDGER_CHORES_H
#define BURSAR_SERVICE_LEDGER_CHORES_H

#include "base/list.h"
#include "service/admin/account.h"
#include "service/admin/rerate.h"
#include "service/ledger/role.h"
#include "service/role/role.h"
#include "service/worker/policy_writes.h"

#define PUMPS 2 /* while one waits for PostgreSQL, the other reads from Redis */
#define SWEEPS 32
#define CHANGES_PAGE 256
#define RECONCILE_PAGE 128
#define ENDS_LANES 8

/* drain.c: one pump moves one batch from a few partitions. */
struct pump_part {
	struct outbox_drain drain;
	struct outbox_ack ack;
	struct pump *pump;
	int first; /* index of its first item */
	int prefix; /* how many of its first entries are finished */
};
struct pump {
	struct chore chore;
	int pending; /* operations in flight in this step */
	struct outbox_waiting waiting;
	int parts;
	struct pump_part *part;
	struct ledger_write write;
};
void pump_init(struct pump *pump, int64_t interval_us);

/* sweep.c: ends expired reservations, in a few partitions at a time. */
struct sweep_part {
	struct outbox_sweep sweep;
	struct sweep *owner;
};
struct sweep {
	struct chore chore;
	struct outbox_overdue overdue;
	int parts; /* in use */
	int pending, next; /* in flight; the first one of `overdue` that is not done */
	struct sweep_part part[SWEEPS];
};
void sweep_init(struct sweep *sweep);

/* changes.c: repeats changes of accounts until Redis has them. */
struct changes_lookup {
	struct account_lookup lookup;
	struct changes *owner;
};
struct changes {
	struct chore chore;
	int pending; /* lookups in flight */
	struct ledger_changes page;
	struct changes_lookup *lookup; /* each for ACCOUNTS_MAX accounts of the page */
	struct policy_writes writes;
	struct account_confirm confirm;
};
void changes_init(struct changes *changes);

/* ends.c: removes overrides that have ended, a few accounts at a time. */
struct ends_lane {
	struct account_edit edit;
	struct arena arena; /* one for each lane, because another thread reads a change into it */
	struct ends *owner;
};
struct ends {
	struct chore chore;
	struct override_ends page;
	int next, pending;
	struct err failure; /* of the last change that failed; code 0 if none did */
	struct ends_lane lane[ENDS_LANES];
};
void ends_init(struct ends *ends);

/* allowances.c: decides what free allowances cover of new records. */
struct allowances {
	struct chore chore;
	struct ledger_lease lease;
	struct allowance_next next;
	struct rerate_day day;
	struct ledger_rerate rerate;
	struct arena page;
	char after_tenant[ID_MAX + 1]; /* what was done last */
	int64_t after_day;
};
void allowances_init(struct allowances *allowances);

/* upkeep.c: creates partitions ahead of time and applies retention; only in the process that holds the lease. */
struct upkeep {
	struct chore chore;
	struct ledger_lease lease;
	struct ledger_upkeep op;
};
void upkeep_init(struct upkeep *upkeep);

/* reconcile.c: compares Redis with the ledger. */
struct page_counters {
	struct outbox_counters counters;
	struct reconcile *owner;
};
struct reconcile {
	struct chore chore;
	struct ledger_lease lease;
	struct ledger_windows page;
	int pending, at;
	struct page_counters *counters; /* one for each account of the page */
	/* A closer look at account `at`. */
	struct outbox_drain drain; /* for a user: the user's outbox */
	struct outbox_waiting waiting; /* for a shared account: all outboxes, as its entries are in its users' */
	struct account_lookup lookup;
	struct outbox_counters again;
	struct outbox_raise raise;
	/* The state of the current pass. */
	char after_tenant[ID_MAX + 1], after_id[ID_MAX + 1];
	enum account_kind after_kind;
	int64_t drift_accounts, drift_nano;
	struct alert_notes noted;
	struct alert_event drift;
};
void reconcile_init(struct reconcile *reconcile);

struct ledger_role {
	struct role_chores role;
	struct outbox_store *outbox;
	bool taken[PARTITIONS]; /* a pump is working on the partition */
	int turn; /* the partition that the next batch starts with */
	struct pump pump[PUMPS];
	struct sweep sweep;
	struct changes changes;
	struct ends ends;
	struct allowances allowances;
	struct upkeep upkeep;
	struct reconcile reconcile;
};

static inline struct ledger_role *ledger_role_of(const struct chore *chore)
{
	return container_of(chore->role, struct ledger_role, role);
}

#endif
