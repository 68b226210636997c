/* Between pools.c (calls) and pools_listen.c (hints). */
#ifndef BURSAR_REDIS_POOLS_PRIVATE_H
#define BURSAR_REDIS_POOLS_PRIVATE_H

#include "base/list.h"
#include "redis/pools_answer.h"
#include "redis/store_private.h"

struct pools_listener;

struct redis_pools {
	struct pools_store store;
	struct redis_store redis;
	struct pools_listener *listener;
};

/* A connection that hears what is published to `worker`. It connects at the start, and again whenever it is lost. */
struct pools_listener *pools_listen_new(const struct redis_options *options, const char *worker);
void pools_listen_start(struct pools_listener *listener,
	void (*hint)(const char *tenant, const char *pool, const struct pool_grant *grant, void *arg),
	void (*listening)(void *arg), void *arg);
/* Nothing is told any more; memory goes when the loop has run once more. */
void pools_listen_free(struct pools_listener *listener);

#endif
