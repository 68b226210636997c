/*
 * Epochs of pools: the upper half of a fence. PostgreSQL allots each one once, greater than all before. A pool state in
 * Redis that is new, or may have lost its last writes, grants nothing until it gets a new epoch. So fences always rise,
 * whatever Redis forgets and whatever its clock says, and grants cost PostgreSQL nothing.
 */
#ifndef BURSAR_SERVICE_POOL_EPOCH_H
#define BURSAR_SERVICE_POOL_EPOCH_H

#include "service/worker/flow.h"
#include "service/worker/worker.h"

/* Embedded in the caller and alive until flow.done has run. */
struct epoch_fetch {
	struct flow flow; /* ok: the pool does not need an epoch (any more); otherwise try again */
	struct worker *worker;
	struct arena *arena; /* the caller's */
	const char *tenant, *pool;
	/* internal */
	struct pool_epoch ask;
	struct pool_open open;
};
void epoch_fetch_start(struct epoch_fetch *fetch, void (*done)(struct flow *flow));

#endif
