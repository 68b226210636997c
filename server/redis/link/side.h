/*
 * A connection that no link manages: opened, encrypted and introduced to Redis. Its owner handles its answers and its end.
 */
#ifndef BURSAR_REDIS_LINK_SIDE_H
#define BURSAR_REDIS_LINK_SIDE_H

#include "redis/connect/adapter.h"
#include "redis/connect/tls.h"
#include "redis/connect/url.h"

/* How to connect. Embedded by the owner. */
struct redis_side {
	struct redis_flusher *flusher;
	struct redis_url url;
	const char *tls_ca; /* borrowed */
	struct redis_tls *tls; /* NULL: in the clear, or not read yet. The owner frees it */
	redisConnectCallback *connected;
	redisDisconnectCallback *disconnected;
	redisCallbackFn *introduced; /* gets the answer to AUTH; may be NULL */
	void *data; /* of the contexts */
};

/* NULL when that fails at once. The link of the same url tells of what is wrong with a certificate. */
redisAsyncContext *redis_side_open(struct redis_side *side);

#endif
