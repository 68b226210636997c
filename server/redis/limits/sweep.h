/* The outbox store, as its files share it; and what sweep.c does of it: the end of expired reservations. */
#ifndef BURSAR_REDIS_LIMITS_SWEEP_H
#define BURSAR_REDIS_LIMITS_SWEEP_H

#include "base/list.h"
#include "redis/codec/store_private.h"

struct redis_outbox {
	struct outbox_store store;
	struct redis_store redis;
	struct redis_bell *bell;
};

static inline struct redis_outbox *outbox_of(struct outbox_store *store)
{
	return container_of(store, struct redis_outbox, store);
}

void store_overdue(struct outbox_store *store, struct outbox_overdue *op);
void store_sweep(struct outbox_store *store, struct outbox_sweep *op);

#endif
