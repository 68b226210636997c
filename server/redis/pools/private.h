/* The internals of the pools on Redis; the watch shares their link. */
#ifndef BURSAR_REDIS_POOLS_PRIVATE_H
#define BURSAR_REDIS_POOLS_PRIVATE_H

#include "base/list.h"
#include "redis/link/listener.h"
#include "redis/pools/answer.h"
#include "redis/codec/store_private.h"

struct redis_pools {
	struct pools_store store;
	struct redis_store redis;
	struct redis_listener *listener;
	bool *freed; /* while a hint is delivered: its receiver may free the store */
	void (*hint)(const char *tenant, const char *pool, const struct pool_grant *grant, void *arg);
	void (*listening)(void *arg);
	void *arg;
};

#endif
