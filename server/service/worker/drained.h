/* Has the ledger writer moved what lay in an outbox when we first looked? */
#ifndef BURSAR_SERVICE_WORKER_DRAINED_H
#define BURSAR_SERVICE_WORKER_DRAINED_H

#include "store/limits.h"

/* The last entry that counts; what comes later does not matter. Zero before the first look. */
struct drain_bound {
	bool set;
	uint64_t ms, seq;
};

/* Sets the bound at the first call. True when nothing up to it is undrained in this answer of `birth`. */
bool outbox_drained(struct drain_bound *bound, const struct limits_birth *birth);

#endif
