/*
 * A stack of tags: pushed one by one, taken whole with one exchange, and reversed. Only a push onto an empty stack may
 * have to wake the taker.
 */
#include "rpc/inbox.h"

#include <stddef.h>

bool inbox_push(struct inbox *inbox, struct tag *tag)
{
	struct tag *newest = atomic_load_explicit(&inbox->newest, memory_order_relaxed);

	do
		tag->next = newest;
	while (!atomic_compare_exchange_weak_explicit(
		&inbox->newest, &newest, tag, memory_order_seq_cst, memory_order_relaxed));
	return newest == NULL;
}

bool inbox_waits(struct inbox *inbox)
{
	return atomic_load(&inbox->newest) != NULL;
}

struct tag *inbox_take(struct inbox *inbox)
{
	struct tag *tag = atomic_exchange_explicit(&inbox->newest, NULL, memory_order_acquire);
	struct tag *oldest = NULL;

	while (tag) {
		struct tag *next = tag->next;

		tag->next = oldest;
		oldest = tag;
		tag = next;
	}
	return oldest;
}
