/*
 * Turns for the batches of a worker. An item takes kilobytes while it is being decided, but only a few bytes as a
 * request. At most BATCH_ITEMS_MAX items are therefore decided at once; later batches wait in order, still packed.
 */
#ifndef BURSAR_API_LIMITER_BATCH_TURNS_H
#define BURSAR_API_LIMITER_BATCH_TURNS_H

#include <stddef.h>

#include "rpc/call.h"

enum { BATCH_ITEMS_MAX = 4000 }; /* docs/security.md relies on this number */

struct worker;

/* Lives in the arena of its call. */
struct batch_turn {
	struct call *call;
	struct worker *worker;
	void (*start)(struct batch_turn *turn);
	size_t items;
	struct batch_turn *next;
};

/*
 * Runs `start` when the call's turn comes, possibly before this returns; fails the call instead if its deadline has
 * passed by then.
 */
void batch_turn_wait(struct call *call, struct worker *worker, void (*start)(struct batch_turn *turn));

/* The batch is over: to be called exactly once, before its call ends. */
void batch_turn_end(struct batch_turn *turn);

#endif
