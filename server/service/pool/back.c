/* Giving back the place or the slot in the pool, and what the check holds (service/pool/private.h). */
#include "base/clock.h"
#include "service/pool/private.h"

enum { AGAIN_US = 500000, SETTLE_US = 5000000 };

static void reservation_cancelled(struct flow *flow)
{
	struct acquire_state *state =
		container_of(container_of(flow, struct settle, flow), struct acquire_state, cancel);

	settle_release(&state->cancel);
	if (state_answered(state, OPERATION_CANCEL))
		state_free(state);
}

/* As if it had never been checked: the request id may come again. */
void state_reservation_give_back(struct acquire_state *state, bool unless_repeated)
{
	state_move(state, PHASE_ENDING);
	state->cancel.question = (struct settle_question){
		.cancel = true,
		.forget = true,
		.unless_repeated = unless_repeated,
		.owed = state->nonce,
		.handle = {.tenant = state->tenant,
			.user = state->user,
			.request_id = state->id,
			.started_at_us = state->started_at_us},
		.served = "",
		.interface = "api",
		.mode = "",
		.deadline_us = clock_mono_us() + SETTLE_US,
	};
	state->under_way |= OPERATION_CANCEL;
	settle_start(&state->cancel, state->manager->worker, &state->arena, reservation_cancelled);
}

/* A slot that is not released is lost until its lease runs out: the release is retried until then. */
static bool tried_again(struct acquire_state *state)
{
	int64_t now_us = clock_mono_us();

	if (state->replaced || state->manager->stopping || now_us >= state->give_up_us)
		return false;
	state->again_at_us = now_us + AGAIN_US;
	return true;
}

static void ended(struct pool_op *op)
{
	struct acquire_state *state = container_of(container_of(op, struct pool_end, op), struct acquire_state, end);

	if (!state_answered(state, OPERATION_POOL))
		return;
	if (op->status == POOL_FAILED && tried_again(state))
		return;
	if (op->status != POOL_FAILED)
		pool_take_grants(state->pool, op);
	if (op->status == POOL_MOVED || state->fence.fence || state->replaced || state->manager->stopping)
		state_free(state);
	else
		state_reservation_give_back(state, false);
}

/* With a fence a lease is released, and its request can still be recorded; otherwise the place is cancelled. */
void state_give_back_again(struct acquire_state *state)
{
	struct pools_store *store = state->manager->store;

	arena_reset(&state->op_arena);
	state->end = (struct pool_end){
		.op = {.tenant = state->pool->tenant,
			.pool = state->pool->settings.name,
			.arena = &state->op_arena,
			.done = ended},
		.request = {state->user, state->id},
		.fence = state->fence,
		.outcome = state->outcome,
		.only_mine = true,
	};
	state->under_way |= OPERATION_POOL;
	if (state->fence.fence)
		store->ops->release(store, &state->end);
	else
		store->ops->cancel(store, &state->end);
}

void state_give_back(struct acquire_state *state, enum pool_outcome outcome)
{
	state_move(state, PHASE_ENDING);
	state->outcome = outcome;
	state->give_up_us = clock_mono_us() + state->pool->settings.lease_us;
	state_give_back_again(state);
}
