/* Tells whether the ledger writer has moved everything that was in an outbox at the first look. */
#ifndef BURSAR_SERVICE_REPAIR_DRAINED_H
#define BURSAR_SERVICE_REPAIR_DRAINED_H

#include "store/limits.h"

/* The last entry to wait for; later entries do not matter. Initialize to zero. */
struct drain_bound {
	bool set;
	uint64_t ms, seq;
};

/* The first call sets the bound. True if, by this answer of `birth`, every entry up to the bound has been drained. */
bool outbox_drained(struct drain_bound *bound, const struct limits_birth *birth);

#endif
