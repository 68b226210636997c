/* The steps of the pool's protocol. */
#include "pool_steps.h"

#include <string.h>

struct rules rules;
const char *violation;

static void (*emit)(struct state *state, const char *step, int caller);

void state_first(struct state *state)
{
	memset(state, 0, sizeof(*state));
	state->alive = (uint8_t)((1 << rules.workers) - 1);
	state->deaths = rules.deaths;
}

static bool runs(const struct request *request)
{
	return request->state == GRANTED || request->state == ACTIVE;
}

static int running(const struct store *store, int from, int to)
{
	int count = 0;

	for (int c = from; c < to; c++)
		count += runs(&store->request[c]);
	return count;
}

static bool under_cap(const struct store *store, int caller)
{
	if (rules.no_cap)
		return true;
	return caller == 2 ? running(store, 2, 3) < 1 : running(store, 0, 2) < rules.cap_of_two;
}

static bool may_run(const struct store *store, int caller)
{
	return !store->learning && running(store, 0, CALLERS) < SLOTS && under_cap(store, caller);
}

static bool eligible(const struct store *store, int caller)
{
	return store->request[caller].state == WAITING && may_run(store, caller);
}

/* I1, I7 and the caps, at every grant. */
static void grant_check(struct state *state, int caller)
{
	const struct store *store = &state->store;
	uint8_t fence = store->request[caller].fence;

	if (running(store, 0, CALLERS) > SLOTS)
		violation = "I1: more leases than slots";
	if (running(store, 0, 2) > rules.cap_of_two)
		violation = "I3: a user above its cap";
	if (fence <= state->newest)
		violation = "I7: a fence that is not greater than all before";
	if (fence > state->newest)
		state->newest = fence;
}

static void grant(struct state *state, int caller, uint8_t becomes, uint8_t left)
{
	struct store *store = &state->store;
	struct request *request = &store->request[caller];

	store->fence++;
	request->state = becomes;
	request->fence = (uint8_t)(store->epoch * 16 + store->fence);
	request->left = left;
	grant_check(state, caller);
}

/* Grants until nothing more can be granted, in every order; then the state is done. */
static void serve(const struct state *from, const char *step, int caller)
{
	struct state state;
	bool any = false;

	for (int c = 0; c < CALLERS; c++) {
		if (!eligible(&from->store, c) || from->store.fence >= rules.fences)
			continue;
		any = true;
		state = *from;
		grant(&state, c, GRANTED, ACK);
		serve(&state, step, caller);
	}
	if (!any) {
		state = *from;
		emit(&state, step, caller);
	}
}

/*
 * A lease that had expired before the fail-over may have gone to another caller in the lost writes: it is gone for
 * good.
 */
static bool gone(const struct store *store, int caller)
{
	return runs(&store->request[caller]) && !store->request[caller].left && store->learning && !rules.brings_back;
}

/* The store has said that the caller's lease is live; the answer is in flight. */
static void tell(struct state *state, int caller)
{
	state->caller[caller].told = state->store.request[caller].fence;
	state->caller[caller].told_left = rules.long_expected ? LEASE : BELIEF;
}

/* Renewing, acknowledging or asking again extends the lease. */
static void prolong(struct state *state, int caller)
{
	struct request *request = &state->store.request[caller];

	request->state = ACTIVE;
	request->left = LEASE;
	tell(state, caller);
}

static void ask(const struct state *from, int caller, int worker)
{
	struct state state = *from;
	struct request *request = &state.store.request[caller];
	struct caller *who = &state.caller[caller];
	bool passed = false;

	who->worker = (uint8_t)worker;
	if (who->phase == NEW)
		who->phase = ASKED;
	if (gone(&state.store, caller))
		request->state = request->state == ACTIVE ? DONE : PARKED;
	if (request->state == DONE) {
		*who = (struct caller){.phase = OVER, .released = who->released};
	} else if (runs(request)) {
		request->owner = (uint8_t)worker;
		prolong(&state, caller);
	} else if (!(request->state == PARKED && rules.forgets_parked)) {
		for (int c = 0; c < CALLERS; c++)
			passed = passed || eligible(&state.store, c);
		request->owner = (uint8_t)worker;
		if (request->state == NONE && !passed && may_run(&state.store, caller) &&
			state.store.fence < rules.fences) {
			grant(&state, caller, ACTIVE, LEASE);
			tell(&state, caller);
		} else {
			request->state = WAITING;
		}
	}
	serve(&state, "asks", caller);
}

static bool can_ask(const struct state *state, int caller, int worker)
{
	const struct caller *who = &state->caller[caller];
	bool alone = who->phase == NEW || !(state->alive & 1 << who->worker) ||
		     (who->phase == ASKED && !runs(&state->store.request[caller]) &&
			     state->store.request[caller].state != WAITING);

	return who->phase != OVER && !who->told && alone && state->alive & 1 << worker;
}

static bool his_worker_has(const struct state *state, int caller, uint8_t wanted)
{
	const struct request *request = &state->store.request[caller];
	const struct caller *who = &state->caller[caller];

	return request->state == wanted && request->owner == who->worker && state->alive & 1 << who->worker;
}

/* The worker learns of a grant, from a hint or its sync, and acknowledges it. */
static bool can_acknowledge(const struct state *state, int caller)
{
	return state->caller[caller].phase == ASKED && his_worker_has(state, caller, GRANTED) &&
	       !gone(&state->store, caller);
}

/* The caller's lease expired here while the answer was in flight: the worker renews it and tells the caller again. */
static bool can_renew(const struct state *state, int caller)
{
	const struct caller *who = &state->caller[caller];
	const struct request *request = &state->store.request[caller];

	if (gone(&state->store, caller))
		return false;
	if (who->told || (who->phase != HOLDS && who->phase != ASKED) || !(state->alive & 1 << who->worker))
		return false;
	if (rules.revives && who->phase == HOLDS && request->state == DONE)
		return true;
	return request->state == ACTIVE && request->owner == who->worker &&
	       (who->phase == ASKED || who->fence == request->fence);
}

static void renew(const struct state *from, int caller, const char *step)
{
	struct state state = *from;

	if (state.store.request[caller].state == DONE)
		state.store.request[caller].fence = state.caller[caller].fence;
	prolong(&state, caller);
	if (running(&state.store, 0, CALLERS) > SLOTS)
		violation = "I1: more leases than slots";
	emit(&state, step, caller);
}

static void hear(const struct state *from, int caller)
{
	struct state state = *from;
	struct caller *who = &state.caller[caller];

	if (who->told_left) {
		who->phase = HOLDS;
		who->fence = who->told;
		who->left = who->told_left;
	}
	who->told = who->told_left = 0;
	emit(&state, "hears", caller);
}

static void lose_answer(const struct state *from, int caller)
{
	struct state state = *from;

	state.caller[caller].told = state.caller[caller].told_left = 0;
	emit(&state, "misses the answer", caller);
}

/* The caller is done or gives up: what they have ends with their release. */
static void leave(const struct state *from, int caller)
{
	struct state state = *from;
	struct request *request = &state.store.request[caller];

	if (state.caller[caller].phase == ASKED) {
		if (state.alive & 1 << state.caller[caller].worker && request->state == WAITING)
			*request = (struct request){.state = DONE};
		state.caller[caller] = (struct caller){.phase = OVER};
		serve(&state, "gives up", caller);
		return;
	}
	state.caller[caller] = (struct caller){.phase = OVER, .released = state.caller[caller].fence};
	emit(&state, "releases", caller);
}

static void release_arrives(const struct state *from, int caller)
{
	struct state state = *from;
	struct request *request = &state.store.request[caller];

	if (runs(request) && request->fence == state.caller[caller].released)
		*request = (struct request){.state = DONE};
	state.caller[caller].released = 0;
	serve(&state, "has its release heard", caller);
}

static void release_lost(const struct state *from, int caller)
{
	struct state state = *from;

	state.caller[caller].released = 0;
	emit(&state, "has its release lost", caller);
}

/* What the store does on its own with one request. */
static void upkeep(const struct state *from, int caller)
{
	struct state state = *from;
	struct request *request = &state.store.request[caller];
	bool dead = !(state.alive & 1 << request->owner);

	if (request->state == ACTIVE && (request->left == 0 || (rules.reclaims_early && request->left == 1))) {
		*request = (struct request){.state = DONE};
		serve(&state, "has its lease reclaimed", caller);
	} else if (request->state == GRANTED && request->left == 0 && !rules.grants_for_ever) {
		*request = (struct request){.state = PARKED, .owner = request->owner};
		serve(&state, "has its undelivered grant taken back", caller);
	} else if (request->state == WAITING && (dead || state.caller[caller].phase == OVER)) {
		request->state = PARKED;
		serve(&state, "is parked", caller);
	} else if (request->state == PARKED) {
		*request = (struct request){.state = NONE};
		emit(&state, "is forgotten while parked", caller);
	}
}

static void tick_leases(struct store *store)
{
	for (int c = 0; c < CALLERS; c++)
		store->request[c].left -= store->request[c].left > 0;
	store->learning -= store->learning > 0;
}

static void tick_store(const struct state *from)
{
	struct state state = *from;

	tick_leases(&state.store);
	if (state.copied && !state.failed_over)
		tick_leases(&state.replica);
	state.behind = 1;
	serve(&state, "the store's clock", -1);
}

static void tick_workers(const struct state *from)
{
	struct state state = *from;

	for (int c = 0; c < CALLERS; c++) {
		struct caller *who = &state.caller[c];

		who->told_left -= who->told_left > 0;
		who->left -= who->left > 0;
		if (who->phase == HOLDS && !who->left) {
			who->phase = ASKED;
			who->fence = 0;
		}
	}
	state.behind = 0;
	emit(&state, "the workers' clock", -1);
}

static void fail_over(const struct state *from)
{
	struct state state = *from;

	if (!state.copied) {
		state.copied = 1;
		state.replica = state.store;
		emit(&state, "the replica's last copy", -1);
	} else if (!state.failed_over) {
		state.failed_over = 1;
		state.store = state.replica;
		memset(&state.replica, 0, sizeof(state.replica));
		state.store.learning = rules.no_learning ? 0 : rules.short_learning ? 1 : LEARN;
		if (!rules.same_epoch) {
			state.store.epoch = 1;
			state.store.fence = 0;
		}
		serve(&state, "the replica is promoted", -1);
	}
}

static void worker_dies(const struct state *from, int worker)
{
	struct state state = *from;

	state.alive &= (uint8_t) ~(1 << worker);
	state.deaths--;
	emit(&state, "a worker dies", -1);
}

static void caller_steps(const struct state *from, int c)
{
	const struct caller *who = &from->caller[c];

	for (int w = 0; w < WORKERS; w++)
		if (can_ask(from, c, w))
			ask(from, c, w);
	if (can_acknowledge(from, c))
		renew(from, c, "is granted, and acknowledged");
	if (can_renew(from, c))
		renew(from, c, "is renewed");
	if (who->told)
		hear(from, c);
	if (who->told && rules.losses)
		lose_answer(from, c);
	if (who->phase == HOLDS || (who->phase == ASKED && !who->told))
		leave(from, c);
	if (who->released)
		release_arrives(from, c);
	if (who->released && rules.losses)
		release_lost(from, c);
	upkeep(from, c);
}

void state_steps(const struct state *from, void (*found)(struct state *state, const char *step, int caller))
{
	emit = found;
	for (int c = 0; c < CALLERS; c++)
		caller_steps(from, c);
	if (from->behind)
		tick_workers(from);
	else
		tick_store(from);
	if (rules.fail_over)
		fail_over(from);
	for (int w = 0; w < WORKERS; w++)
		if (from->deaths && from->alive & 1 << w)
			worker_dies(from, w);
}
