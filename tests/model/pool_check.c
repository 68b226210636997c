/* What must hold in every state, and which states are equivalent. */
#include "pool_steps.h"

#include <string.h>

enum { ROUNDS = 24 };

static struct state next;

static void take(struct state *state, const char *step, int caller)
{
	(void)caller;
	/* On the way to the end nobody gives up, and nothing is lost or forgotten. */
	if (strcmp(step, "gives up") != 0 && strcmp(step, "misses the answer") != 0 &&
		strcmp(step, "is forgotten while parked") != 0 && strcmp(step, "has its release lost") != 0)
		next = *state;
}

/* Takes the first of the wanted steps for this caller. */
static bool walk(struct state *state, const char *wanted, int caller);

static const char *looked_for;
static int looked_for_caller;
static bool found_it;

static void look(struct state *state, const char *step, int caller)
{
	if (found_it || caller != looked_for_caller || strcmp(step, looked_for) != 0)
		return;
	found_it = true;
	take(state, step, caller);
}

static bool walk(struct state *state, const char *wanted, int caller)
{
	looked_for = wanted;
	looked_for_caller = caller;
	found_it = false;
	state_steps(state, look);
	if (found_it)
		*state = next;
	return found_it;
}

static bool over(const struct state *state)
{
	for (int c = 0; c < CALLERS; c++) {
		uint8_t phase = state->caller[c].phase, request = state->store.request[c].state;

		if ((phase != NEW && phase != OVER) || (request != NONE && request != DONE))
			return false;
	}
	return true;
}

/* From here on nobody dies, and a new worker comes if none is left. */
static void round_of(struct state *state)
{
	static const char *const steps[] = {"asks", "is granted, and acknowledged", "hears", "releases",
		"has its release heard", "has its lease reclaimed", "has its undelivered grant taken back",
		"is parked"};

	if (!state->alive)
		state->alive = 1;
	for (int i = 0; i < 8; i++)
		for (int c = 0; c < CALLERS; c++)
			if (state->caller[c].phase != NEW || i > 0)
				walk(state, steps[i], c);
	for (int c = 0; c < CALLERS; c++)
		if (state->caller[c].phase == OVER && state->store.request[c].state == PARKED)
			state->store.request[c] = (struct request){.state = NONE};
	if (!state->behind)
		walk(state, "the store's clock", -1);
	walk(state, "the workers' clock", -1);
}

/* I12, from any state: everybody who asked comes to an end, and nothing is left in the store. */
static void end_check(const struct state *from)
{
	struct state state = *from;
	struct rules kept = rules;
	const char *seen = violation;

	if (from->store.fence > FENCES - 3)
		return;
	rules.fences = FENCES;
	state.deaths = 0;
	rules.fail_over = false;
	for (int i = 0; i < ROUNDS && !over(&state); i++)
		round_of(&state);
	rules = kept;
	violation = seen;
	if (!over(&state))
		violation = "I12: a request that never ends";
}

void state_check(const struct state *state)
{
	int believe = 0;

	for (int c = 0; c < CALLERS; c++)
		believe += state->caller[c].phase == HOLDS;
	if (believe > SLOTS)
		violation = "I15: more callers believe that they hold a slot than there are";
	if (!violation)
		end_check(state);
}

/* Clears fields that no longer mean anything. */
static void clean(struct store *store)
{
	for (int c = 0; c < CALLERS; c++) {
		struct request *request = &store->request[c];

		if (request->state == NONE || request->state == DONE)
			*request = (struct request){.state = request->state};
		else if (request->state == PARKED)
			*request = (struct request){.state = PARKED};
	}
}

static void swap_callers(struct state *state)
{
	struct caller caller = state->caller[0];
	struct request request = state->store.request[0], copied = state->replica.request[0];

	state->caller[0] = state->caller[1];
	state->caller[1] = caller;
	state->store.request[0] = state->store.request[1];
	state->store.request[1] = request;
	state->replica.request[0] = state->replica.request[1];
	state->replica.request[1] = copied;
}

static void swap_owners(struct store *store)
{
	for (int c = 0; c < CALLERS; c++)
		if (store->request[c].state >= WAITING && store->request[c].state <= ACTIVE &&
			store->request[c].state != PARKED)
			store->request[c].owner ^= 1;
}

static void swap_workers(struct state *state)
{
	for (int c = 0; c < CALLERS; c++)
		if (state->caller[c].phase == ASKED || state->caller[c].phase == HOLDS)
			state->caller[c].worker ^= 1;
	swap_owners(&state->store);
	swap_owners(&state->replica);
	state->alive = (uint8_t)((state->alive >> 1 & 1) | (state->alive & 1) << 1);
}

void state_canonical(struct state *state)
{
	struct state least, other;

	clean(&state->store);
	clean(&state->replica);
	least = other = *state;
	for (int i = 0; i < 4; i++) {
		if (i % 2 == 0)
			swap_callers(&other);
		else
			swap_workers(&other);
		if (memcmp(&other, &least, sizeof(other)) < 0)
			least = other;
	}
	*state = least;
}
