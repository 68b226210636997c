/* hiredis on libuv. Ours, because the one that comes with hiredis 0.14 loses connection errors. */
#ifndef BURSAR_REDIS_LINK_ADAPTER_H
#define BURSAR_REDIS_LINK_ADAPTER_H

#include <stdbool.h>

#include <hiredis/async.h>
#include <uv.h>

#include "base/list.h"

/*
 * Writes what was queued during one turn of the loop in one go, right before the loop waits: one per link, embedded by
 * it. It outlives its adapters. While Redis has not yet answered what was written before, more is gathered, for a
 * millisecond or two at most: it would wait in Redis's socket otherwise, and each write, read and wake-up would carry one
 * command. An idle link delays nothing.
 */
struct redis_flusher {
	uv_prepare_t prepare;
	uv_timer_t hold;
	bool overdue; /* what is held leaves at the end of this turn */
	struct list dirty;
};
void redis_flusher_init(struct redis_flusher *flusher, uv_loop_t *loop);

/* Attaches the context to the flusher's loop. From now on the context's end frees what this has made. False: no handle. */
bool redis_attach(redisAsyncContext *context, struct redis_flusher *flusher);

#endif
