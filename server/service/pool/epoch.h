/*
 * Epochs of pools: the greater half of a fence. PostgreSQL allots them, each one once and greater than all before; a state in Redis that is
 * new, or may have lost its last writes, grants nothing before it was given one. So fences rise whatever Redis forgets and
 * whatever its clock says, and a grant costs PostgreSQL nothing.
 */
#ifndef BURSAR_SERVICE_POOL_EPOCH_H
#define BURSAR_SERVICE_POOL_EPOCH_H

#include "service/worker/flow.h"
#include "service/worker/worker.h"

/* Embedded by the caller, alive until flow.done has run. */
struct epoch_fetch {
	struct flow flow; /* ok: the pool wants no epoch (any more); else it is to be tried again */
	struct worker *worker;
	struct arena *arena; /* the caller's */
	const char *tenant, *pool;
	/* its own */
	struct pool_epoch ask;
	struct pool_open open;
};
void epoch_fetch_start(struct epoch_fetch *fetch, void (*done)(struct flow *flow));

#endif
