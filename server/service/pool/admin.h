/*
 * Administration of pools: settings are committed in PostgreSQL and written through to the store at once; figures are
 * read from the store.
 */
#ifndef BURSAR_SERVICE_POOL_ADMIN_H
#define BURSAR_SERVICE_POOL_ADMIN_H

#include "service/worker/catalog_wait.h"
#include "service/pool/epoch.h"
#include "store/admin.h"
#include "store/pools.h"

/* Embedded in the caller and alive until flow.done has run. Everything is in `arena`, which must outlive it. */
struct pool_edit {
	struct flow flow; /* ok: op.row is what was committed, known here, and in force unless `pending` */
	struct worker *worker;
	struct arena *arena;
	struct pool_change
		op; /* in: tenant, name, change (which checks with pool_settings_check), job.actor, job.reason */
	bool resume; /* in: also ends the store's learning; ERR_UNAVAILABLE if the store does not answer */
	bool pending; /* out: the store does not have it yet; managers repeat it as soon as somebody uses the pool */
	/* internal */
	struct pool_configure configure;
	struct epoch_fetch fetch;
	struct pool_tick tick;
	struct catalog_wait wait;
};
void pool_edit_start(
	struct pool_edit *edit, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

/* For a change that is already committed, with op.row, op.tenant and op.name filled in: only writes it to the store. */
void pool_edit_push(
	struct pool_edit *edit, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

/* How fairly the levels were served, by weight. Both values are 0 for a level that neither used nor wants slots. */
struct pool_shares {
	double share[POOL_LEVELS_MAX]; /* of the slot time that all levels used; indexed like level_row */
	double entitled[POOL_LEVELS_MAX]; /* by weight */
	double jain; /* Jain's index of share / entitled: 1 = perfectly fair */
};
void pool_shares_of(const struct pool_stats *stats, struct pool_shares *out);

/* One look at a pool. Embedded in the caller and alive until flow.done has run. */
struct pool_look {
	struct flow flow; /* ERR_NOT_FOUND: no such pool; ERR_UNAVAILABLE: the store does not answer */
	struct worker *worker;
	struct pool_stats
		stats; /* in: op.tenant, op.pool, op.arena, rows; out: zeros if nobody has used the pool yet */
	struct pool_shares shares;
	/* internal */
	struct pool_tick tick;
	int slots;
	bool paused;
};
void pool_look_start(struct pool_look *look, struct worker *worker, void (*done)(struct flow *flow));

#endif
