/* One queue per thread, because each worker is one thread. */
#include "api/limiter/batch_turns.h"

#include <stdbool.h>

#include "service/worker/worker.h"

static __thread struct {
	struct batch_turn *first, **last;
	size_t items; /* being decided, or decided in this loop turn */
	bool starting; /* begin_those_that_may() is running: an item that ends inside it must not start the next ones itself */
	/*
	 * Items that ended while they began, such as denials from memory. Their memory is freed at the end of the loop
	 * turn, and other callers must have their turn, so they count until the next one.
	 */
	size_t ended;
	bool waiting; /* for the next loop turn */
	struct wait next_turn;
} turns;

static void on_next_turn(struct wait *wait);

static void begin_those_that_may(void)
{
	struct timers *timers;

	if (turns.starting)
		return;
	turns.starting = true;
	while (turns.first && (!turns.items || turns.items + turns.first->items <= BATCH_ITEMS_MAX)) {
		struct batch_turn *turn = turns.first;

		turns.first = turn->next;
		turns.items += turn->items;
		turn->start(turn);
	}
	turns.starting = false;
	if (!turns.first || !turns.ended || turns.waiting)
		return;
	timers = turns.first->worker->parts.timers;
	turns.waiting = true;
	turns.next_turn = (struct wait){.due = on_next_turn};
	timers->start(timers, &turns.next_turn, 0);
}

static void on_next_turn(struct wait *wait)
{
	(void)wait;
	turns.waiting = false;
	turns.items -= turns.ended;
	turns.ended = 0;
	begin_those_that_may();
}

void batch_turn_wait(struct batch_turn *turn)
{
	turn->next = NULL;
	if (!turns.first)
		turns.last = &turns.first;
	*turns.last = turn;
	turns.last = &turn->next;
	begin_those_that_may();
}

void batch_turn_end(size_t items)
{
	if (turns.starting) {
		turns.ended += items;
		return;
	}
	turns.items -= items;
	begin_those_that_may();
}
