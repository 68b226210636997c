/* Passes finished tags from a completion-queue thread to a loop. */
#ifndef BURSAR_RPC_INBOX_H
#define BURSAR_RPC_INBOX_H

#include <stdatomic.h>
#include <stdbool.h>

/* What gRPC receives as a tag. `done` runs on the loop thread with the event's `ok`. */
struct tag {
	struct tag *next;
	void (*done)(struct tag *tag, bool ok);
	bool ok;
	atomic_bool lent;
};

/*
 * Call tag_lend() before gRPC receives a tag, and tag_return() after gRPC returns it on another thread. gRPC's own
 * locks order the two as well, but neither the C memory model nor ThreadSanitizer sees inside a library, so this makes
 * the order explicit.
 */
static inline void tag_lend(struct tag *tag)
{
	atomic_store_explicit(&tag->lent, true, memory_order_release);
}

static inline void tag_return(struct tag *tag)
{
	(void)atomic_load_explicit(&tag->lent, memory_order_acquire);
}

/* `struct inbox inbox = {0}` is empty. Many threads may push, one takes. */
struct inbox {
	_Atomic(struct tag *) newest;
};

/* Adds a tag; true when the inbox was empty, so that the taker must be woken. */
bool inbox_push(struct inbox *inbox, struct tag *tag);

/* True when there is a tag to take. Sequentially consistent, as the push is: see worker_hand_over. */
bool inbox_waits(struct inbox *inbox);

/* Takes all tags, oldest first, linked by `next`; NULL when there are none. */
struct tag *inbox_take(struct inbox *inbox);

#endif
