/* Inside of the ledger role: its chores, each a flow that is started again and again. */
#ifndef BURSAR_SERVICE_LEDGER_CHORES_H
#define BURSAR_SERVICE_LEDGER_CHORES_H

#include "base/arena.h"
#include "base/timers.h"
#include "service/admin/account.h"
#include "service/worker/flow.h"
#include "service/ledger/role.h"
#include "service/worker/policy_writes.h"

#define PUMPS 2 /* while one waits for PostgreSQL, the other reads from Redis */
#define SWEEPS 32
#define CHANGES_PAGE 256
#define RECONCILE_PAGE 128
#define ENDS_LANES 8

/* One chore: embeds its flow; its arena is emptied before each start. */
struct chore {
	struct flow flow;
	struct ledger_role *role;
	struct arena arena;
	enum flow_result (*first)(struct flow *flow);
	const char *name;
	int64_t interval_us; /* from the end of one run to the start of the next */
	int64_t next_us; /* clock_mono_us */
	bool busy;
	bool again; /* set by the flow: start over at once, there is more */
	bool failing; /* the last run failed: it is told once */
};
struct chore *chore_of(struct flow *flow);
bool chore_stopping(const struct chore *chore);

/* drain.c: one pump moves one batch from a few partitions. */
struct pump_part {
	struct outbox_drain drain;
	struct outbox_ack ack;
	struct pump *pump;
	int first; /* index of its first item */
	int prefix; /* so many of its entries are done with */
};
struct pump {
	struct chore chore;
	int pending; /* operations under way in this step */
	struct outbox_waiting waiting;
	int parts;
	struct pump_part *part;
	struct ledger_write write;
};
void pump_init(struct pump *pump, struct ledger_role *role, const char *name);

/* sweep.c: ends reservations whose time is over. */
struct sweep_part {
	struct outbox_sweep sweep;
	struct sweep *owner;
};
struct sweep {
	struct chore chore;
	int pending, next;
	struct sweep_part part[SWEEPS];
};
void sweep_init(struct sweep *sweep, struct ledger_role *role);

/* changes.c: repeats changes of accounts until Redis has them. */
struct changes_lookup {
	struct account_lookup lookup;
	struct changes *owner;
};
struct changes {
	struct chore chore;
	int pending; /* lookups under way */
	struct ledger_changes page;
	struct changes_lookup *lookup; /* ACCOUNTS_MAX of the page each */
	struct policy_writes writes;
	struct account_confirm confirm;
};
void changes_init(struct changes *changes, struct ledger_role *role);

/* ends.c: overrides whose end has come, some accounts at a time. */
struct ends_lane {
	struct account_edit edit;
	struct arena arena; /* of its own: a change is read into it on another thread */
	struct ends *owner;
};
struct ends {
	struct chore chore;
	struct override_ends page;
	int next, pending;
	struct err failure; /* of the last change that went wrong; code 0: none did */
	struct ends_lane lane[ENDS_LANES];
};
void ends_init(struct ends *ends, struct ledger_role *role);

/* upkeep.c: partitions ahead, retention; by whoever holds the lease. */
struct upkeep {
	struct chore chore;
	struct ledger_lease lease;
	struct ledger_upkeep op;
};
void upkeep_init(struct upkeep *upkeep, struct ledger_role *role);

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
	struct page_counters *counters; /* of the page's accounts */
	/* A closer look at account `at`. */
	struct outbox_drain drain; /* of a user's outbox */
	struct outbox_waiting waiting; /* of all outboxes: what counts on a shared account lies in those of its users */
	struct account_lookup lookup;
	struct outbox_counters again;
	struct outbox_raise raise;
	/* So far in this pass. */
	char after_tenant[ID_MAX + 1], after_id[ID_MAX + 1];
	enum account_kind after_kind;
	int64_t drift_accounts, drift_nano;
};
void reconcile_init(struct reconcile *reconcile, struct ledger_role *role);

struct ledger_role {
	struct worker *worker;
	struct outbox_store *outbox;
	struct ledger_store *ledger;
	char holder[96]; /* of leases: names this process */
	bool stopping;
	int running; /* chores under way, and the tick */
	void (*stopped)(void *arg);
	void *stopped_arg;
	struct wait tick;
	bool taken[PARTITIONS]; /* by a pump */
	int turn; /* the partition the next batch begins with */
	struct pump pump[PUMPS];
	struct sweep sweep;
	struct changes changes;
	struct ends ends;
	struct upkeep upkeep;
	struct reconcile reconcile;
};

/* chore.c: starts the chore, unless it runs or the role is stopping. */
void chore_start(struct chore *chore);
/* The role's chores by number; NULL behind the last one. */
struct chore *chore_at(struct ledger_role *role, int i);
/* One of role->running has ended: the last one ends a role that is stopping. */
void role_one_less(struct ledger_role *role);

#endif
