/*
 * The turns of batches at a worker: an item that is decided takes some kilobytes, its request only some bytes. So as many items are
 * decided at once as BATCH_ITEMS_MAX says; batches above that wait, in their order, as the bytes that came.
 */
#ifndef BURSAR_API_LIMITER_BATCH_TURNS_H
#define BURSAR_API_LIMITER_BATCH_TURNS_H

#include <stddef.h>

#include "rpc/call.h"

enum { BATCH_ITEMS_MAX = 4000 }; /* docs/security.md counts on it */

struct worker;

/* In the arena of its call. */
struct batch_turn {
	struct call *call;
	struct worker *worker;
	void (*start)(struct batch_turn *turn);
	size_t items;
	struct batch_turn *next;
};

/* `start` runs when the turn of the call has come, maybe before this returns; or the call has failed, as its deadline had passed. */
void batch_turn_wait(struct call *call, struct worker *worker, void (*start)(struct batch_turn *turn));

/* The batch is over: before the end of its call, and once. */
void batch_turn_end(struct batch_turn *turn);

#endif
