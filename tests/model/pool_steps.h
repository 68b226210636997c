/*
 * The pool's protocol as a machine of small steps: a store, its replica, which may be promoted once, two workers, three
 * callers and the answers in flight. Any waiter that may run may be granted: the random test covers fairness; this
 * model covers who holds what, and who believes that they hold it.
 *
 * Time: the ticks of the store and of the workers alternate, the store's first, so a worker's clock is up to a tick
 * behind. A lease lasts LEASE ticks of the store; its holder relies on it for BELIEF ticks of their own, counted from
 * when the question was sent.
 */
#ifndef TESTS_MODEL_POOL_STEPS_H
#define TESTS_MODEL_POOL_STEPS_H

#include <stdbool.h>
#include <stdint.h>

enum { SLOTS = 2, CALLERS = 3, WORKERS = 2, LEASE = 3, BELIEF = 2, ACK = 1, LEARN = 3, FENCES = 7 };

enum { NONE, WAITING, PARKED, GRANTED, ACTIVE, DONE }; /* a request in the store */
enum { NEW, ASKED, HOLDS, OVER }; /* a caller */

struct request {
	uint8_t state, owner, fence, left;
};

struct store {
	struct request request[CALLERS];
	uint8_t fence, epoch, learning;
};

struct caller {
	uint8_t phase, worker, fence, left; /* left: ticks for which the caller relies on holding a slot */
	uint8_t told, told_left; /* an answer in flight: its fence, 0 = none; how long the caller may rely on it */
	uint8_t released; /* a release in flight: its fence, 0 = none */
};

struct state {
	struct store store, replica;
	struct caller caller[CALLERS];
	uint8_t copied, failed_over; /* the replica has its last copy; the replica was promoted */
	uint8_t alive, deaths; /* a bit for each worker; how many more may die */
	uint8_t behind; /* the store has ticked, the workers have not */
	uint8_t newest; /* the greatest fence ever granted, by any store */
};

/* What a run allows, and which rule it deliberately breaks. */
struct rules {
	const char *name;
	uint8_t cap_of_two; /* the first two callers are one user, with this cap; the third is another one */
	uint8_t workers, deaths;
	uint8_t fences; /* grants in one epoch; the search stops there */
	bool fail_over, losses;
	bool no_learning, short_learning, same_epoch, long_expected, no_cap, grants_for_ever, reclaims_early, revives,
		forgets_parked, brings_back;
};
extern struct rules rules;

/* Why the state being made is not allowed; NULL if it is. */
extern const char *violation;

void state_first(struct state *state);
/* Calls `found` with every state that one step leads to; `step` is the step's name. */
void state_steps(const struct state *from, void (*found)(struct state *state, const char *step, int caller));
/* What must hold in every state. */
void state_check(const struct state *state);
/* Gives states that differ only in meaningless names the same form. */
void state_canonical(struct state *state);

#endif
