/* Asking the pool for a slot, its answers, and creating the pool where Redis does not have it (service/pool/private.h). */
#include "base/clock.h"
#include "base/observe/metrics.h"
#include "service/pool/private.h"

enum { ROUNDS_MAX = 8, RETRY_MIN_US = 1000000, ASK_AGAIN_US = 200000, ASK_MAX_US = 5000000 };

void state_refuse(struct acquire_state *state, const struct err *err)
{
	struct err copy = *err;

	state_caller_end(state, &copy);
	if (!state->found)
		state_reservation_give_back(state, true);
	else
		state_free(state);
}

static void shed(struct acquire_state *state)
{
	static const struct {
		const char *reason, *text;
	} why[] = {
		[SHED_POOL_QUEUE] = {"POOL_QUEUE_FULL", "the pool's queue is full"},
		[SHED_LEVEL_QUEUE] = {"LEVEL_QUEUE_FULL", "the queue of this priority is full"},
		[SHED_USER_QUEUE] = {"USER_QUEUE_FULL", "this user has as many requests waiting as they may"},
		[SHED_PREDICTED] = {"PREDICTED_WAIT", "the predicted wait is longer than allowed"},
		[SHED_LEVELS] = {"TOO_MANY_PRIORITIES", "the pool already uses 16 priorities, the maximum"},
	};
	const struct pool_acquire *op = &state->acquire;
	struct err err;

	if (op->shed < SHED_POOL_QUEUE || op->shed > SHED_LEVELS) {
		err_set(&err, ERR_INTERNAL, "the pool refused the request without a reason");
	} else {
		err_set(&err, ERR_EXHAUSTED, "%s; come again later", why[op->shed].text);
		err_reason(&err, why[op->shed].reason);
	}
	metric_inc(METRIC_acquires_total, METRIC_ACQUIRED_REFUSED, 0);
	state_publish(state, 0, err.reason[0] ? err.reason : "INTERNAL");
	err.retry_after_us = op->retry_after_us > RETRY_MIN_US ? op->retry_after_us : RETRY_MIN_US;
	state_refuse(state, &err);
}

/* Asked again: the answer says whether the pool has an epoch now. */
static void fetched(struct flow *flow)
{
	struct acquire_state *state =
		container_of(container_of(flow, struct epoch_fetch, flow), struct acquire_state, fetch);

	if (state_answered(state, OPERATION_POOL))
		state_ask(state);
}

/* A pool that has just been created is asked again once it has an epoch, so that its first caller does not have to wait. */
static void fetch_epoch(struct acquire_state *state)
{
	state->fetch = (struct epoch_fetch){
		.worker = state->manager->worker,
		.arena = &state->op_arena,
		.tenant = state->pool->tenant,
		.pool = state->pool->settings.name,
	};
	state->under_way |= OPERATION_POOL;
	epoch_fetch_start(&state->fetch, fetched);
}

static void configured(struct pool_op *op)
{
	struct acquire_state *state =
		container_of(container_of(op, struct pool_configure, op), struct acquire_state, configure);

	if (!state_answered(state, OPERATION_POOL))
		return;
	if (state->acquire.op.status == POOL_ABSENT && op->status != POOL_FAILED)
		fetch_epoch(state);
	else
		state_ask(state);
}

static void configure(struct acquire_state *state)
{
	state->configure = (struct pool_configure){
		.op = {.tenant = state->pool->tenant,
			.pool = state->pool->settings.name,
			.arena = &state->op_arena,
			.done = configured},
		.settings = &state->settings,
	};
	state->settings = state->pool->settings;
	state->under_way |= OPERATION_POOL;
	state->manager->store->ops->configure(state->manager->store, &state->configure);
}

static void queued(struct acquire_state *state)
{
	struct pool_acquire *op = &state->acquire;
	int64_t now_us = clock_mono_us();

	state_move(state, PHASE_WAITING);
	state->wait_until_us = now_us + (op->wait_until_us - op->op.now_us);
	if (state->caller) {
		state->caller->enqueued_at_us = op->enqueued_at_us;
		state->caller->wait_until_us = op->wait_until_us;
	}
	if (op->why == WHY_LEARNING)
		pool_fetch_epoch(state->pool);
	state_place(state, &op->op, op->position, op->eta_us, op->why);
}

static void granted(struct acquire_state *state)
{
	struct pool_acquire *op = &state->acquire;

	state->fence = op->fence;
	state->drain_by_us = op->drain_by_us;
	if (state->caller) {
		state->caller->now_us = op->op.now_us;
		state->caller->enqueued_at_us = op->enqueued_at_us;
	}
	state_holds(state, op->expires_at_us, op->op.now_us, state->asked_us, op->enqueued_at_us < op->op.now_us);
}

/* The store may have decided although its answer was lost: the same question finds out. The reservation stays, so that the caller can
 * come back. */
static void unanswered(struct acquire_state *state)
{
	int64_t until_us = state->wait_until_us ? state->wait_until_us : state->give_up_us;
	int64_t now_us = clock_mono_us();
	struct err err;

	if (now_us < until_us) {
		state->again_at_us = now_us + ASK_AGAIN_US;
		return;
	}
	err_set(&err, ERR_UNAVAILABLE, "the pool does not answer: %s; ask again with the same request_id",
		state->acquire.op.err.text);
	state_end(state, &err);
}

static void failed(struct acquire_state *state)
{
	struct pool_acquire *op = &state->acquire;
	struct err err;

	switch (op->op.status) {
	case POOL_DONE:
		err_set(&err, ERR_PRECONDITION, "request %s had its slot and has ended; use a new request_id",
			state->id);
		err_reason(&err, "REQUEST_CLOSED");
		state_end(state, &err);
		return;
	case POOL_CONFLICT:
		err_set(&err, ERR_EXISTS, "request %s was already made for a different number of seats", state->id);
		state_end(state, &err);
		return;
	case POOL_INVALID:
		err_invalid(&err, "seats",
			op->invalid == 1 ? "are more than the pool has slots" : "are more than the tier's cap");
		break;
	case POOL_FAILED:
		unanswered(state);
		return;
	default:
		err_set(&err, ERR_UNAVAILABLE, "the pool could not be made ready");
	}
	state_refuse(state, &err);
}

static void asked(struct pool_op *op)
{
	struct acquire_state *state =
		container_of(container_of(op, struct pool_acquire, op), struct acquire_state, acquire);

	if (!state_answered(state, OPERATION_POOL))
		return;
	pool_take_grants(state->pool, op); /* before the state, and the answer in it, may be gone */
	if (state->wish == WISH_CLOSE &&
		(op->status == POOL_QUEUED || op->status == POOL_GRANTED || op->status == POOL_FAILED)) {
		state_give_back(state, OUTCOME_CANCELLED);
	} else if (op->status == POOL_QUEUED) {
		queued(state);
	} else if (op->status == POOL_GRANTED) {
		granted(state);
	} else if (op->status == POOL_SHED) {
		shed(state);
	} else if ((op->status == POOL_ABSENT || op->status == POOL_BEHIND) && ++state->rounds < ROUNDS_MAX) {
		configure(state);
	} else {
		failed(state);
	}
}

void state_ask(struct acquire_state *state)
{
	struct pools_store *store = state->manager->store;
	int64_t now_us = clock_mono_us();
	int64_t left_us = state->wait_until_us ? state->wait_until_us - now_us : state->acquire.wait_us;

	state_move(state, PHASE_ASKING);
	if (!state->give_up_us)
		state->give_up_us = now_us + ASK_MAX_US;
	arena_reset(&state->op_arena);
	state->acquire = (struct pool_acquire){
		.op = {.tenant = state->pool->tenant,
			.pool = state->pool->settings.name,
			.arena = &state->op_arena,
			.done = asked},
		.request = {state->user, state->id},
		.gen = state->pool->settings.gen,
		.priority = state->priority,
		.cap = state->cap,
		.seats = state->seats,
		.wait_us = state->wait_until_us && left_us < 1000 ? 1000 : left_us,
	};
	state->under_way |= OPERATION_POOL;
	store->ops->acquire(store, &state->acquire);
}
