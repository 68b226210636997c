/* An admin's change of what every worker has in memory is answered when this process works by it. */
#ifndef BURSAR_SERVICE_WORKER_CATALOG_WAIT_H
#define BURSAR_SERVICE_WORKER_CATALOG_WAIT_H

#include "service/worker/flow.h"
#include "service/worker/worker.h"

/* Embedded by a use case. */
struct catalog_wait {
	struct flow *flow;
	struct worker *worker;
	int64_t generation, give_up_us;
	struct wait wait;
};

/* `generation` was committed: hurries the catalog's loader. 0: nothing was. */
void catalog_wait_begin(struct catalog_wait *wait, struct flow *flow, struct worker *worker, int64_t generation);

/*
 * Does the newest snapshot show it? False: the flow's step runs again in a while, and has to answer FLOW_WAIT now. True also when
 * the loader was too slow: a committed change is a success, be it that the answer comes before it is in force here.
 */
bool catalog_wait_over(struct catalog_wait *wait) __attribute__((warn_unused_result));

#endif
