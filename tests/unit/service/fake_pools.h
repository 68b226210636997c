/* A store of pools that answers what the test says, when the test says so. */
#ifndef TESTS_UNIT_SERVICE_FAKE_POOLS_H
#define TESTS_UNIT_SERVICE_FAKE_POOLS_H

#include "store/pools.h"

enum pools_call {
	CALL_ANY,
	CALL_CONFIGURE,
	CALL_EPOCH,
	CALL_ACQUIRE,
	CALL_RENEW,
	CALL_RELEASE,
	CALL_CANCEL,
	CALL_SYNC,
	CALL_TICK,
	CALL_RESUME,
	CALL_STATS
};

struct fake_pools {
	struct pools_store store;
	struct {
		enum pools_call call;
		struct pool_op *op;
	} pending[64];
	int count;
	int made[CALL_STATS + 1]; /* calls ever made */
	void (*hint)(const char *tenant, const char *pool, const struct pool_grant *grant, void *arg);
	void *hint_arg;
};

void fake_pools_init(struct fake_pools *fake);
/* The oldest unanswered call of that kind; NULL if there is none. */
struct pool_op *fake_pools_pending(struct fake_pools *fake, enum pools_call call);
/* Answers the call; the test has filled in the rest of the answer before. */
void fake_pools_answer(struct fake_pools *fake, struct pool_op *op, enum pool_status status);
/* The hint that the default pool of tenant "default" has granted. */
void fake_pools_hint(struct fake_pools *fake, const char *user, const char *id, struct pool_fence fence);

#endif
