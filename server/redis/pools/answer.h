/* Reads the answers of the pool's functions into the operations of store/pools.h. */
#ifndef BURSAR_REDIS_POOLS_ANSWER_H
#define BURSAR_REDIS_POOLS_ANSWER_H

#include "base/buf.h"
#include "store/pools.h"

/* Status and time, at the beginning of every answer: false when they are missing. */
bool pool_read_head(struct pool_op *op, struct cut *cut);

/* The rest, by function. False when the bytes are not such an answer; the op is half filled then. Strings go to the
 * op's arena. */
bool pool_read_configure(struct pool_configure *op, struct cut *cut);
bool pool_read_epoch(struct pool_epoch *op, struct cut *cut);
bool pool_read_acquire(struct pool_acquire *op, struct cut *cut);
bool pool_read_renew(struct pool_renew *op, struct cut *cut);
bool pool_read_release(struct pool_end *op, struct cut *cut);
bool pool_read_cancel(struct pool_end *op, struct cut *cut);
bool pool_read_sync(struct pool_sync *op, struct cut *cut);
bool pool_read_tick(struct pool_tick *op, struct cut *cut);
bool pool_read_stats(struct pool_stats *op, struct cut *cut);

/* A hint: tenant and pool, then a tail. */
struct pool_hint {
	const char *tenant, *pool;
	int grants;
	struct pool_grant *grant;
};
bool pool_read_hint(struct pool_hint *hint, struct arena *arena, struct cut *cut);

#endif
