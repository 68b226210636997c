/* hiredis on libuv. Our own adapter, because the one that comes with hiredis 0.14 loses connection errors. */
#ifndef BURSAR_REDIS_CONNECT_ADAPTER_H
#define BURSAR_REDIS_CONNECT_ADAPTER_H

#include <stdbool.h>

#include <hiredis/async.h>
#include <uv.h>

#include "base/list.h"

/*
 * Writes everything queued during one turn of the loop at once, right before the loop waits: one per link, embedded in
 * it. It outlives its adapters. While Redis has not answered what was written before, it gathers more, for a
 * millisecond or two at most: the commands would only wait in Redis's socket otherwise, and each write, read and
 * wake-up would carry one command. On an idle link nothing is delayed.
 */
struct redis_flusher {
	uv_prepare_t prepare;
	uv_timer_t hold;
	bool overdue; /* what is held back leaves at the end of this turn */
	struct list dirty;
};
void redis_flusher_init(struct redis_flusher *flusher, uv_loop_t *loop);

/* Attaches the context to the flusher's loop. From now on the end of the context frees what this allocates. False: no
 * handle. */
bool redis_attach(redisAsyncContext *context, struct redis_flusher *flusher);

#endif
