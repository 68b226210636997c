/* The inside of the alerts role: its chores (service/role/role.h). */
#ifndef BURSAR_SERVICE_ALERTS_CHORES_H
#define BURSAR_SERVICE_ALERTS_CHORES_H

#include "base/list.h"
#include "service/alerts/role.h"
#include "service/role/role.h"

/* setup.c: the rules and channels as of a generation of the catalog. Each chore that judges has its own, so that it may read them again. */
struct setup {
	struct alerts_setup read;
	struct arena arena; /* what `read` has found */
	uint64_t generation; /* catalog_source_generation; 0: never read */
};
/* Is there nothing newer? */
bool setup_is_current(const struct setup *setup, const struct chore *chore);
void setup_read(struct setup *setup, struct chore *chore, void (*done)(struct alerts_op *op));
/* After setup_read: goes on with `next`, or fails, so that it is read again. */
enum flow_result setup_taken(struct setup *setup, struct flow *flow, flow_step *next);

/* evaluate.c: what has been used, and what was noted. */
struct evaluate {
	struct chore chore;
	struct setup setup;
	struct alerts_evaluate op;
	struct snapshot *snapshot; /* while the judge runs */
	int64_t begun_us; /* clock_mono_us: when the store was asked */
};
void evaluate_init(struct evaluate *evaluate);

/*
 * look.c: what nobody notes: the ledger's lag, keys that expire, the age of prices. In one process at a time, the one that has the lease
 * "alerts"; it also says to those who note things that somebody reads them.
 */
struct look {
	struct chore chore;
	struct setup setup;
	struct ledger_lease lease;
	struct outbox_waiting waiting;
	struct alerts_facts facts;
	struct alerts_store_firings firings;
	int64_t prices_at_us; /* clock_mono_us: when prices are to be looked at again */
};
void look_init(struct look *look);

/* number.c: gives events the order in which readers see them. */
struct number {
	struct chore chore;
	struct alerts_number op;
};
void number_init(struct number *number);

/*
 * dispatch.c: claims messages that are due, and sends them. The chore only claims, for the lanes that are free; a lane sends one message
 * and stores what became of it, however long that takes the others.
 */
struct dispatch_batch {
	struct arena arena; /* what the claim has found */
	struct alerts_claim claim;
	int lanes; /* that work on it; 0: it is free */
	struct dispatch *owner;
};
struct dispatch_lane {
	struct deliver_job job;
	struct alert_message text;
	struct alerts_finish finish;
	struct arena arena; /* of `text` and `finish` */
	const struct alerts_message *message;
	struct dispatch_batch *batch; /* NULL: the lane is free */
	struct dispatch *owner;
};
struct dispatch {
	struct chore chore;
	struct dispatch_batch *claiming;
	bool more; /* there may be more than there were lanes for */
	struct dispatch_batch batch[ALERT_LANES];
	struct dispatch_lane lane[ALERT_LANES];
};
void dispatch_init(struct dispatch *dispatch);

/* upkeep.c: deletes what is old. In one process at a time. */
struct alerts_tidy {
	struct chore chore;
	struct ledger_lease lease;
	struct alerts_upkeep op;
};
void tidy_init(struct alerts_tidy *tidy);

struct alerts_role {
	struct role_chores role;
	struct outbox_store *outbox;
	struct alerts_store *alerts;
	struct deliverer *deliverer;
	struct evaluate evaluate;
	struct look look;
	struct number number;
	struct dispatch dispatch;
	struct alerts_tidy tidy;
};

static inline struct alerts_role *alerts_role_of(const struct chore *chore)
{
	return container_of(chore->role, struct alerts_role, role);
}

/* Events have been stored. They are numbered, and what is due of them is sent, without waiting for the clock. */
static inline void alerts_role_stored(struct alerts_role *role)
{
	chore_start(&role->number.chore);
	chore_start(&role->dispatch.chore);
}

#endif
