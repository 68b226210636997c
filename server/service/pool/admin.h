/*
 * What admins do with pools: settings are committed in PostgreSQL and written through to the store at once; figures are read
 * from the store.
 */
#ifndef BURSAR_SERVICE_POOL_ADMIN_H
#define BURSAR_SERVICE_POOL_ADMIN_H

#include "service/worker/catalog_wait.h"
#include "service/pool/epoch.h"
#include "store/admin.h"
#include "store/pools.h"

/* Embedded by the caller, alive until flow.done has run. Everything lies in `arena`, which outlives it. */
struct pool_edit {
	struct flow flow; /* ok: op.row is what was committed, known here, and in force unless `pending` */
	struct worker *worker;
	struct arena *arena;
	struct pool_change
		op; /* in: tenant, name, change (which checks with pool_settings_check), job.actor, job.reason */
	bool resume; /* in: the store's learning is ended too; ERR_UNAVAILABLE when the store does not answer */
	bool pending; /* out: the store has not taken it yet; managers repeat it as soon as somebody uses the pool */
	/* its own */
	struct pool_configure configure;
	struct epoch_fetch fetch;
	struct pool_tick tick;
	struct catalog_wait wait;
};
void pool_edit_start(
	struct pool_edit *edit, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

/* The same for what is committed already: `edit->op.row`, tenant and name are filled. Only what the store is told is done. */
void pool_edit_push(
	struct pool_edit *edit, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

/* How evenly the levels were served, against their weights. Of levels that neither used nor want slots both are 0. */
struct pool_shares {
	double share[POOL_LEVELS_MAX]; /* of the slot time that all levels used; by level_row */
	double entitled[POOL_LEVELS_MAX]; /* by weight */
	double jain; /* Jain's index of share / entitled: 1 = as fair as can be */
};
void pool_shares_of(const struct pool_stats *stats, struct pool_shares *out);

/* One look at a pool. Embedded by the caller, alive until flow.done has run. */
struct pool_look {
	struct flow flow; /* ERR_NOT_FOUND: no such pool; ERR_UNAVAILABLE: the store does not answer */
	struct worker *worker;
	struct pool_stats
		stats; /* in: op.tenant, op.pool, op.arena, rows; out: zeros where nobody has used the pool yet */
	struct pool_shares shares;
	/* its own */
	struct pool_tick tick;
	int slots;
	bool paused;
};
void pool_look_start(struct pool_look *look, struct worker *worker, void (*done)(struct flow *flow));

#endif
