/* One Acquire on its way to a slot, from the check to the end of the lease (service/pool/pool.h). */
#include <string.h>

#include "base/clock.h"
#include "base/observe/metrics.h"
#include "service/pool/private.h"

enum { TELL_US = 1000000, RETRY_MIN_US = 1000000 };

static struct acquire_state *state_of_flow(struct flow *flow)
{
	return container_of(container_of(flow, struct check, flow), struct acquisition, check)->state;
}

/* Events for the caller. */

static void tell(struct acquire_state *state, enum acquire_event event)
{
	struct acquisition *caller = state->caller;

	if (!caller)
		return;
	state->told_us = clock_mono_us();
	caller->fence = state->fence;
	caller->drain_by_us = state->drain_by_us;
	caller->event(caller, event);
	if (!state->caller || !state->polled)
		return;
	state->keep_until_us = clock_mono_us() + POLL_KEEP_US;
	state_caller_end(state, NULL);
}

void state_place(
	struct acquire_state *state, const struct pool_op *op, uint32_t position, int64_t eta_us, enum pool_why why)
{
	struct acquisition *caller = state->caller;
	bool changed;

	if (!caller || clock_mono_us() - state->told_us < TELL_US)
		return;
	changed = position != caller->position || why != caller->why || eta_us != caller->eta_us ||
		  op->levels != caller->levels ||
		  memcmp(op->level, caller->level, sizeof(op->level[0]) * (size_t)op->levels) != 0;
	if (!changed && state->told_us)
		return;
	caller->now_us = op->now_us;
	caller->position = position;
	caller->eta_us = eta_us;
	caller->why = why;
	caller->levels = op->levels;
	memcpy(caller->level, op->level, sizeof(caller->level));
	tell(state, ACQUIRE_QUEUED);
}

/* A lease runs from when it was asked for, so it never ends later here than in the store. */
static void lease_runs(struct acquire_state *state, int64_t lease_us, int64_t sent_us)
{
	int64_t margin_us = lease_us / 4 < LEASE_MARGIN_US ? lease_us / 4 : LEASE_MARGIN_US;

	state->lease_until_us = sent_us + lease_us - margin_us;
	state->renew_at_us = sent_us + lease_us / 3;
}

static void count_grant(const struct acquire_state *state, int64_t now_us, bool repeated)
{
	int64_t waited_us = state->caller->enqueued_at_us ? now_us - state->caller->enqueued_at_us : 0;
	bool waited = state->wait_until_us != 0;

	metric_inc(METRIC_acquires_total,
		repeated ? METRIC_ACQUIRED_AGAIN
		: waited ? METRIC_ACQUIRED_WAITED
			 : METRIC_ACQUIRED_AT_ONCE,
		0);
	if (repeated)
		return;
	metric_observe(METRIC_acquire_wait_seconds, 0, 0, waited_us > 0 ? waited_us : 0);
	state_publish(state, waited_us > 0 ? waited_us : 0, "");
}

void state_holds(struct acquire_state *state, int64_t expires_at_us, int64_t now_us, int64_t sent_us, bool repeated)
{
	struct acquisition *caller = state->caller;
	bool first = state->phase != PHASE_HOLDING;
	bool draining = state->drain_by_us && caller && caller->drain_by_us != state->drain_by_us;

	state_move(state, PHASE_HOLDING);
	lease_runs(state, expires_at_us - now_us, sent_us);
	if (state->wish == WISH_CLOSE) {
		state_give_back(state, OUTCOME_CANCELLED);
		return;
	}
	if (!caller) { /* a polling caller will find the lease by the request id, and renews it */
		state_free(state);
		return;
	}
	caller->expires_at_us = expires_at_us;
	if (first) {
		count_grant(state, now_us, repeated);
		caller->now_us = now_us;
		caller->repeated = repeated;
		caller->lease_us = state->pool->settings.lease_us;
		caller->lease = lease_format(&(struct lease_handle){state->tenant, state->pool->settings.name,
						     state->user, state->id, state->started_at_us, state->fence},
			&state->arena);
		tell(state, ACQUIRE_GRANTED);
		if (state->caller && state->explicit_lease)
			state_caller_end(state, NULL);
		if (!state->caller) {
			state_free(state);
			return;
		}
	}
	if (draining)
		tell(state, ACQUIRE_DRAINING);
}

/* Starting. */

/* `other`: an earlier stream of the same request. What it is giving back reaches the store before the question of this one. */
static bool take_over(struct acquire_state *other, struct err *err)
{
	struct err taken;

	if (other->under_way & OPERATION_CANCEL)
		return err_set(err, ERR_UNAVAILABLE, "request %s is being given up right now; ask again", other->id);
	if (other->phase == PHASE_ENDING && other->under_way & OPERATION_POOL) {
		other->replaced = true;
		list_remove(&other->link);
		return true;
	}
	err_set(&taken, ERR_ABORTED, "another stream has taken over request %s", other->id);
	err_reason(&taken, "TAKEN_OVER");
	state_end(other, &taken);
	return true;
}

static const char *copy(struct acquire_state *state, const char *text)
{
	return arena_strndup(&state->arena, text, strlen(text));
}

/* What is needed of the check after it has been released. */
static void keep(struct acquire_state *state)
{
	struct acquisition *caller = state->caller;
	const struct check *check = &caller->check;
	const struct tier *tier = check->accounts.account[0].tier;

	state->found = check->answer.repeat;
	state->tenant = copy(state, check->question.tenant);
	state->user = copy(state, check->question.user);
	state->id = copy(state, check->question.request_id);
	state->started_at_us = check->answer.started_at_us;
	state->nonce = check->op.nonce;
	state->ttl_us = check->answer.expires_at_us - check->answer.now_us;
	state->reservation_until_us = clock_mono_us() + state->ttl_us;
	state->priority = tier && tier->pool_priority > 0 ? tier->pool_priority : 1;
	state->cap = tier && tier->pool_concurrent > 0 ? tier->pool_concurrent : 1;
	state->seats = caller->seats;
	state->acquire.wait_us = caller->max_wait_us;
	state->explicit_lease = caller->mode == LEASE_EXPLICIT || caller->poll;
	state->polled = caller->poll;
}

static bool enter(struct acquire_state *state, struct err *err)
{
	struct acquisition *caller = state->caller;
	const char *name = caller->pool[0] ? caller->pool : POOL_DEFAULT;
	const struct pool_settings *settings =
		catalog_pool(caller->check.snapshot->catalog, caller->check.question.tenant, name);
	struct acquire_state *other;
	struct kept_pool *pool;

	if (!settings)
		return err_set(err, ERR_NOT_FOUND, "pool: there is no pool %s", name) ||
		       err_reason_of(err, "POOL_NOT_FOUND", "%s", name);
	pool = manager_pool(state->manager, state->tenant, settings);
	other = pool_find(pool, state->user, state->id);
	if (other && !take_over(other, err))
		return false;
	state->pool = pool;
	list_push_back(&pool->states, &state->link);
	return true;
}

static void draining(struct err *err)
{
	err_set(err, ERR_UNAVAILABLE, "the server is stopping; ask again with the same request_id");
	err_reason(err, "DRAINING");
}

static void admitted(struct acquire_state *state)
{
	struct err err;

	keep(state);
	if (state->wish == WISH_CLOSE) {
		err_set(&err, ERR_CANCELLED, "the caller is gone");
		state_refuse(state, &err);
	} else if (state->wish == WISH_DRAIN) {
		draining(&err);
		state_end(state, &err);
	} else if (!enter(state, &err)) {
		state_refuse(state, &err);
	} else {
		state_ask(state);
	}
}

static void checked(struct flow *flow)
{
	struct acquire_state *state = state_of_flow(flow);
	struct acquisition *caller = state->caller;
	const struct check_answer *answer = &caller->check.answer;
	struct err err;

	if (!state_answered(state, OPERATION_POOL))
		return;
	if (!flow->ok) {
		state_end(state, &flow->err);
	} else if (answer->repeat && answer->state != RESERVATION_OPEN) {
		err_set(&err, ERR_PRECONDITION, "request %s was already made and has ended; use a new request_id",
			caller->check.question.request_id);
		err_reason(&err, "REQUEST_CLOSED");
		state_end(state, &err);
	} else if (!answer->allowed) {
		caller->denied = true;
		state_end(state, NULL);
	} else if (!quality_holds(answer->quality)) {
		err_set(&err, ERR_UNAVAILABLE, "the pool store does not answer");
		state_end(state, &err);
	} else {
		admitted(state);
	}
}

void acquire_start(struct acquisition *acquisition, struct pool_manager *manager, struct arena *arena)
{
	struct acquire_state *state = mem_zalloc(1, sizeof(*state));

	list_init(&state->link);
	state->manager = manager;
	state->caller = acquisition;
	state->under_way = OPERATION_POOL;
	acquisition->state = state;
	check_start(&acquisition->check, manager->worker, arena, checked);
}

/* Ended from the caller's side. */

void acquire_close(struct acquisition *acquisition)
{
	struct acquire_state *state = acquisition->state;
	struct err err;

	if (!state)
		return;
	state->wish = WISH_CLOSE;
	if (state->phase == PHASE_CHECKING)
		return; /* `ended` comes with the check's answer: the caller owns its memory */
	err_set(&err, ERR_CANCELLED, "the caller is gone");
	state_caller_end(state, &err);
	if (!(state->under_way & OPERATION_POOL) && state->phase != PHASE_ENDING)
		state_give_back(state, OUTCOME_CANCELLED);
}

void acquire_drain(struct acquisition *acquisition)
{
	struct acquire_state *state = acquisition->state;
	struct err err;

	if (!state)
		return;
	if (state->wish == WISH_NONE)
		state->wish = WISH_DRAIN;
	if (state->phase == PHASE_CHECKING)
		return; /* as in acquire_close */
	draining(&err);
	state_end(state, &err);
}

/* Time. */

static void time_out(struct acquire_state *state)
{
	struct err err;

	err_set(&err, ERR_EXHAUSTED, "no slot became free for request %s within its maximum wait", state->id);
	err_reason(&err, "WAIT_MAX");
	metric_inc(METRIC_acquires_total, METRIC_ACQUIRED_TIMED_OUT, 0);
	state_publish(state, state->acquire.wait_us, err.reason);
	err.retry_after_us =
		state->caller && state->caller->eta_us > RETRY_MIN_US ? state->caller->eta_us : RETRY_MIN_US;
	state_caller_end(state, &err);
	state_give_back(state, OUTCOME_TIMED_OUT);
}

static void reservation_renewed(struct flow *flow)
{
	struct acquire_state *state = container_of(container_of(flow, struct renew, flow), struct acquire_state, renew);

	state->reservation_until_us = clock_mono_us() + (flow->ok ? state->ttl_us : state->ttl_us / 2 + 5000000);
	state_answered(state, OPERATION_RENEW);
}

static void reservation_extend(struct acquire_state *state)
{
	state->renew.tenant = state->tenant;
	state->renew.user = state->user;
	state->renew.request_id = state->id;
	state->renew.ttl_us = state->ttl_us;
	state->under_way |= OPERATION_RENEW;
	arena_reset(&state->reservation_arena);
	renew_start(&state->renew, state->manager->worker, &state->reservation_arena, reservation_renewed);
}

void state_turn(struct acquire_state *state, int64_t now_us)
{
	struct err err;

	if (state->under_way & OPERATION_POOL || now_us < state->again_at_us)
		return;
	if (state->again_at_us) {
		state->again_at_us = 0;
		if (state->phase == PHASE_ENDING)
			state_give_back_again(state);
		else
			state_ask(state);
	} else if (state->phase == PHASE_ENDING) {
		return;
	} else if (state->phase == PHASE_WAITING && now_us >= state->wait_until_us) {
		time_out(state);
	} else if (state->phase == PHASE_WAITING && state->keep_until_us && !state->caller &&
		   now_us >= state->keep_until_us) {
		state_give_back(state, OUTCOME_CANCELLED);
	} else if (state->phase == PHASE_HOLDING && now_us >= state->lease_until_us) {
		err_set(&err, ERR_ABORTED, "the lease of request %s could not be renewed in time", state->id);
		err_reason(&err, "LEASE_LOST");
		metric_inc(METRIC_acquires_total, METRIC_ACQUIRED_LOST, 0);
		state_end(state, &err);
	} else if (!(state->under_way & OPERATION_RENEW) && state->reservation_until_us - now_us < state->ttl_us / 2) {
		reservation_extend(state);
	}
}
