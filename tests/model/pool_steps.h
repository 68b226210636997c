/*
 * The pool's protocol as a machine of small steps: a store, a replica of it that may be promoted once, two workers, three callers and
 * the answers that are under way. Which waiter is granted is left open (any that may run): fairness is the random test's matter,
 * here it is who holds what, and who believes it.
 *
 * Time: the store's ticks and the workers' ticks come in turn, the store's first: so a worker's clock is up to a tick behind. A lease lasts LEASE
 * ticks of the store; who holds it believes in it for BELIEF of his own, counted from when the question was sent.
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
	uint8_t phase, worker, fence, left; /* left: ticks for which he believes that he holds a slot */
	uint8_t told,
		told_left; /* an answer under way: its fence, 0 = none; how long it may be expected when it comes */
	uint8_t released; /* a release under way: its fence, 0 = none */
};

struct state {
	struct store store, replica;
	struct caller caller[CALLERS];
	uint8_t copied, failed_over; /* the replica has its last copy; it was promoted */
	uint8_t alive, deaths; /* bits of workers; how many may still die */
	uint8_t behind; /* the store has ticked, the workers have not */
	uint8_t newest; /* the greatest fence ever granted, by whatever store */
};

/* What a run allows, and which rule it breaks on purpose. */
struct rules {
	const char *name;
	uint8_t cap_of_two; /* the first two callers are one user, with this cap; the third is another one */
	uint8_t workers, deaths;
	uint8_t fences; /* grants of one epoch; more are not looked at */
	bool fail_over, losses;
	bool no_learning, short_learning, same_epoch, long_expected, no_cap, grants_for_ever, reclaims_early, revives,
		forgets_parked, brings_back;
};
extern struct rules rules;

/* Why the state that was being made is not allowed; NULL = it is. */
extern const char *violation;

void state_first(struct state *state);
/* Calls `found` with every state that one step leads to. `step` names it. */
void state_steps(const struct state *from, void (*found)(struct state *state, const char *step, int caller));
/* What must hold in every state. */
void state_check(const struct state *state);
/* One form for all states that differ only in names that mean nothing. */
void state_canonical(struct state *state);

#endif
