/* Ends expired reservations. */
#ifndef BURSAR_REDIS_LIMITS_SWEEP_H
#define BURSAR_REDIS_LIMITS_SWEEP_H

#include "redis/codec/store_private.h"

void sweep_start(struct redis_store *redis, struct outbox_sweep *op);

#endif
