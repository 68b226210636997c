/*
 * Turns for the items of a worker's batches and streams. An item takes kilobytes while it is being decided, but only a
 * few bytes as a request. At most BATCH_ITEMS_MAX items are therefore decided at once; further ones wait in order, still
 * packed.
 */
#ifndef BURSAR_API_LIMITER_BATCH_TURNS_H
#define BURSAR_API_LIMITER_BATCH_TURNS_H

#include <stddef.h>

enum { BATCH_ITEMS_MAX = 4000 }; /* docs/security.md relies on this number */

struct worker;

/* Embedded by who waits; must stay where it is until `start` runs. */
struct batch_turn {
	struct worker *worker;
	size_t items;
	void (*start)(struct batch_turn *turn);
	struct batch_turn *next;
};

/* Runs `start` when so many items may be decided, possibly before this returns. */
void batch_turn_wait(struct batch_turn *turn);

/* So many items whose turn had come are over. */
void batch_turn_end(size_t items);

#endif
