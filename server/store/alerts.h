/*
 * What the alerts role needs of the durable store. Operations work as in store/ledger.h: embedded by the caller, one callback, on the
 * caller's loop. What admins read and change is in store/admin_alerts.h.
 */
#ifndef BURSAR_STORE_ALERTS_H
#define BURSAR_STORE_ALERTS_H

#include "base/arena.h"
#include "base/err.h"
#include "domain/alert/judge.h"
#include "domain/alert/lanes.h"
#include "store/admin_accounts.h"

/* The common part of all operations. `ok` false: nothing was changed, or the outcome is unknown; try again later. */
struct alerts_op {
	struct arena *arena; /* answers are allocated here; the store's thread uses it until `done` */
	int64_t deadline_us; /* clock_mono_us; 0 = the store's default (30 s) */
	void (*done)(struct alerts_op *op);
	bool ok;
	struct err err;
	void *impl[6];
};

/*
 * The channels that are enabled, and the rules, of all tenants, by tenant and name. Tenants' disabled rules are among them: each
 * switches off the shipped rule of its name.
 */
struct alerts_setup {
	struct alerts_op op;
	struct alert_setup setup; /* channels without secrets */
};

/*
 * One transaction: takes rows of alert_due for about `limit` accounts, and up to `limit` of alert_notes, reads the accounts, calls
 * `judge` on the store's thread (pure, it may not touch the loop), and stores what it lists. Any number of processes may do this side
 * by side: each row is taken by one, and a firing that another has stored is left out.
 */
struct alerts_evaluate {
	struct alerts_op op;
	int limit;
	int64_t now_us;
	int64_t catalog_stored; /* the generation of the catalog by which the judge judges */
	unsigned daily_kinds; /* alert_daily_kinds */
	int64_t daily_minimum_nano;
	bool (*judge)(struct alerts_evaluate *op, struct err *err);
	/* For judge: in. Accounts, those of notes too, are sorted by tenant, kind and id; their tier and policy are the judge's to find. */
	int accounts, notes;
	struct alert_account *account;
	struct alert_event *note;
	bool stale; /* the catalog has changed since */
	/* For judge: out, in op.arena. */
	int firings, rearms;
	struct alert_firing *firing;
	struct alert_rearm *rearm;
	/* Out. */
	int stored; /* events */
	bool more; /* there may be more to take */
};

/* Stores firings of the looks (ledger lag, keys, prices, ...), with the same guarantee. */
struct alerts_store_firings {
	struct alerts_op op;
	int firings;
	struct alert_firing *firing;
	int stored;
};

/* What the looks need. */
struct alerts_facts {
	struct alerts_op op;
	int64_t now_us, keys_until_us;
	bool prices; /* ask for the next, too */
	int64_t newest_price_us; /* when the newest source of a price in force was read; 0: no price, or not asked */
	int keys;
	struct {
		const char *tenant, *label; /* or its prefix */
		int64_t id, expires_at_us;
	} * key; /* valid ones that expire before keys_until_us, the first 1,000 */
	int64_t due, waiting; /* rows of alert_due; events and messages on their way */
};

/* Numbers new events (alert_events.seq). Processes that do so at the same time wait for each other. */
struct alerts_number {
	struct alerts_op op;
	int limit;
	int numbered;
	bool more;
};

/* A message to be sent, and its channel with secrets. */
struct alerts_message {
	int64_t id;
	const char *message_id;
	int attempts; /* that have ended */
	int64_t give_up_at_us;
	struct alert_channel channel;
	int events;
	struct alert_event *event; /* 1 .. ALERT_DIGEST_EVENTS_MAX */
	int64_t more; /* events that did not fit; other messages follow with them */
};
/*
 * Makes messages of pending events whose time has come, and claims up to `limit` messages that are due, until now + claim_us: if nobody
 * finishes them by then, they are due again. What the lanes in use leave no room for is not claimed.
 */
struct alerts_claim {
	struct alerts_op op;
	int limit;
	struct alert_lanes lanes; /* those in use */
	int64_t now_us, claim_us;
	int64_t give_up_us; /* how long new ones are tried */
	int count;
	struct alerts_message *message;
	bool more;
	bool crowded; /* a tenant, or the channels that are not prompt, have all their lanes: there may be more once one is free */
	int64_t next_us; /* when the next one is due; 0: none is known */
};
/*
 * What became of an attempt. Moves the channel's circuit along. A message that cannot be tried again before it is given up is dead.
 * ABORTED: this process stops, which says nothing of the destination, and the message is due at once.
 */
struct alerts_finish {
	struct alerts_op op;
	int64_t id;
	int64_t claimed_until_us; /* now_us + claim_us of the claim: after it, the message may be somebody else's */
	int64_t now_us, took_us;
	int status;
	const char *error;
	enum alerts_fate { FINISH_DELIVERED, FINISH_LATER, FINISH_DEAD, FINISH_ABORTED } what;
	int64_t pause_us; /* FINISH_LATER: until the next attempt */
	uint64_t random; /* for the circuit's pause */
};

/* Deletes what is older than retention_us, and rows of alert_fired that have expired; a bounded number at a time. */
struct alerts_upkeep {
	struct alerts_op op;
	int64_t now_us, retention_us;
	int64_t deleted;
	bool more;
};

struct alerts_store;
struct alerts_store_ops {
	void (*setup)(struct alerts_store *store, struct alerts_setup *op);
	void (*evaluate)(struct alerts_store *store, struct alerts_evaluate *op);
	void (*store_firings)(struct alerts_store *store, struct alerts_store_firings *op);
	void (*facts)(struct alerts_store *store, struct alerts_facts *op);
	void (*number)(struct alerts_store *store, struct alerts_number *op);
	void (*claim)(struct alerts_store *store, struct alerts_claim *op);
	void (*finish)(struct alerts_store *store, struct alerts_finish *op);
	void (*upkeep)(struct alerts_store *store, struct alerts_upkeep *op);
};
struct alerts_store {
	const struct alerts_store_ops *ops;
};

#endif
