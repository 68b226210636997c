/* One queue per thread, because each worker is one thread. */
#include "api/limiter/batch_turns.h"

#include <stdint.h>

#include "base/clock.h"
#include "service/worker/worker.h"

/* Field 1, length-delimited: the items of both kinds of batches. */
enum { TAG_ITEMS = 1 << 3 | 2, ITEMS_LARGEST = 1000 };

static __thread struct {
	struct batch_turn *first, **last;
	size_t items; /* being decided, or decided in this loop turn */
	bool starting; /* begin_those_that_may() is running: a batch that ends inside it must not start the next itself */
	/*
	 * Items of batches that ended while they began, such as denials from memory. Their memory is freed at the end of
	 * the loop turn, and other callers must have their turn, so they count until the next one.
	 */
	size_t ended;
	bool waiting; /* for the next loop turn */
	struct wait next_turn;
} turns;

/* Reads a varint and returns the byte after it; NULL when it is cut short. */
static const uint8_t *varint(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
	*value = 0;
	for (unsigned shift = 0; at < end && shift < 64; shift += 7) {
		*value |= (uint64_t)(*at & 0x7f) << shift;
		if (!(*at++ & 0x80))
			return at;
	}
	return NULL;
}

/* Counts the items without unpacking them. A request with any other field counts as the largest possible batch. */
static size_t count_items(const struct call *call)
{
	size_t len;
	const uint8_t *at = call_request(call, &len);
	const uint8_t *end = at + len;
	size_t count = 0;
	uint64_t size;

	while (at < end && *at == TAG_ITEMS && (at = varint(at + 1, end, &size)) && size <= (uint64_t)(end - at)) {
		count++;
		at += size;
	}
	return at == end ? count : ITEMS_LARGEST;
}

static void begin(struct batch_turn *turn)
{
	struct err err;

	turns.items += turn->items;
	if (call_deadline_us(turn->call) > clock_mono_us()) {
		turn->start(turn);
		return;
	}
	batch_turn_end(turn);
	err_set(&err, ERR_DEADLINE, "the deadline passed while the batch waited for its turn");
	call_fail(turn->call, &err);
}

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
		begin(turn);
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

void batch_turn_wait(struct call *call, struct worker *worker, void (*start)(struct batch_turn *turn))
{
	struct batch_turn *turn = arena_zalloc(call_arena(call), 1, sizeof(*turn));

	turn->call = call;
	turn->worker = worker;
	turn->start = start;
	turn->items = count_items(call);
	if (!turns.first)
		turns.last = &turns.first;
	*turns.last = turn;
	turns.last = &turn->next;
	begin_those_that_may();
}

void batch_turn_end(struct batch_turn *turn)
{
	if (turns.starting) {
		turns.ended += turn->items;
		return;
	}
	turns.items -= turn->items;
	begin_those_that_may();
}
