/* Delays the answer to an admin's catalog change until this process has loaded the change. */
#ifndef BURSAR_SERVICE_WORKER_CATALOG_WAIT_H
#define BURSAR_SERVICE_WORKER_CATALOG_WAIT_H

#include "service/worker/flow.h"
#include "service/worker/worker.h"

/* Embedded in a use case. */
struct catalog_wait {
	struct flow *flow;
	struct worker *worker;
	int64_t generation, give_up_us;
	struct wait wait;
};

/* `generation` is the committed generation and makes the catalog's loader look at once; 0 if nothing was committed. */
void catalog_wait_begin(struct catalog_wait *wait, struct flow *flow, struct worker *worker, int64_t generation);

/*
 * True once the newest snapshot includes the change. If false, the caller's step returns FLOW_WAIT and runs again
 * later. Also true if the loader is too slow: the change is committed, so the call succeeds even if it is not yet in
 * force here.
 */
bool catalog_wait_over(struct catalog_wait *wait) __attribute__((warn_unused_result));

#endif
