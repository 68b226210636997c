/* The life of an acquisition: its phases, its caller and its memory (service/pool/private.h). */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "service/pool/private.h"
#include "service/request/publish.h"

#define TO(phase) (1U << PHASE_##phase)

static const unsigned moves[] = {
	[PHASE_CHECKING] = TO(ASKING) | TO(ENDING) | TO(GONE),
	[PHASE_ASKING] = TO(ASKING) | TO(WAITING) | TO(HOLDING) | TO(ENDING) | TO(GONE),
	[PHASE_WAITING] = TO(ASKING) | TO(GRANTED) | TO(ENDING) | TO(GONE),
	[PHASE_GRANTED] = TO(ASKING) | TO(HOLDING) | TO(ENDING) | TO(GONE),
	[PHASE_HOLDING] = TO(HOLDING) | TO(ENDING) | TO(GONE),
	[PHASE_ENDING] = TO(ENDING) | TO(GONE), /* the place first, then the reservation */
	[PHASE_GONE] = TO(GONE),
};

/* Takes it out of the batches under way. */
static void forget(struct acquire_state *state)
{
	struct kept_pool *pool = state->pool;

	for (int i = 0; pool && i < pool->sync.count; i++)
		if (pool->placed[i] == state)
			pool->placed[i] = NULL;
	for (int i = 0; pool && i < pool->renew.count; i++)
		if (pool->renewed[i] == state)
			pool->renewed[i] = NULL;
}

void state_move(struct acquire_state *state, enum acquire_phase phase)
{
	enum acquire_phase before = state->phase;

	assert(moves[before] & 1U << phase);
	state->phase = phase;
	switch (phase) {
	case PHASE_ASKING:
		state->asked_us = clock_mono_us();
		break;
	case PHASE_GRANTED:
		state->renew_at_us = 0; /* acknowledged with the next batch */
		break;
	case PHASE_ENDING:
		forget(state);
		state->again_at_us = 0;
		if (before != PHASE_HOLDING) /* a place is cancelled, a lease is released by its fence */
			state->fence = (struct pool_fence){0};
		break;
	case PHASE_GONE:
		forget(state);
		list_remove(&state->link);
		state->caller = NULL;
		break;
	default:
		break;
	}
}

bool state_answered(struct acquire_state *state, enum acquire_operation operation)
{
	state->under_way &= ~(unsigned)operation;
	if (state->phase != PHASE_GONE)
		return true;
	state_free(state);
	return false;
}

void state_free(struct acquire_state *state)
{
	state_move(state, PHASE_GONE);
	if (state->under_way)
		return;
	arena_release(&state->arena);
	arena_release(&state->op_arena);
	arena_release(&state->reservation_arena);
	free(state);
}

void state_caller_end(struct acquire_state *state, const struct err *err)
{
	struct acquisition *caller = state->caller;

	if (!caller)
		return;
	state->caller = NULL;
	caller->state = NULL;
	caller->flow.ok = !err;
	if (err)
		caller->flow.err = *err;
	caller->ended(caller);
}

void state_end(struct acquire_state *state, const struct err *err)
{
	struct err copy = err ? *err : (struct err){0};

	state_caller_end(state, err ? &copy : NULL);
	state_free(state);
}

void state_publish(const struct acquire_state *state, int64_t waited_us, const char *cause)
{
	if (state->manager->worker->watched && state->caller)
		publish_slot(&state->caller->check, state->pool->settings.name, waited_us, cause);
}
