/* Acknowledging grants and renewing leases, one batch of a pool at a time (service/pool/private.h). */
#include "base/clock.h"
#include "base/observe/metrics.h"
#include "service/pool/private.h"

static void renewed_one(
	struct acquire_state *state, const struct pool_renewal *item, int64_t store_now_us, int64_t sent_us)
{
	struct err err;

	switch (item->status) {
	case POOL_OK:
		state->drain_by_us = item->drain_by_us;
		state_holds(state, item->expires_at_us, store_now_us, sent_us, false);
		return;
	case POOL_MOVED:
		err_set(&err, ERR_ABORTED, "another stream has taken over request %s", state->id);
		err_reason(&err, "TAKEN_OVER");
		break;
	default:
		if (state->phase == PHASE_GRANTED) { /* lost on the way: ask for the place again */
			state_ask(state);
			return;
		}
		if (item->status == POOL_DONE && clock_mono_us() < state->lease_until_us) {
			state_end(state, NULL); /* it cannot have expired: it was released by its handle */
			return;
		}
		err_set(&err, ERR_ABORTED, "the lease of request %s has ended or was lost", state->id);
		err_reason(&err, "LEASE_LOST");
		metric_inc(METRIC_acquires_total, METRIC_ACQUIRED_LOST, 0);
	}
	state_end(state, &err);
}

static void renew_answered(struct pool_op *op)
{
	struct kept_pool *pool = container_of(container_of(op, struct pool_renew, op), struct kept_pool, renew);
	int64_t now_us = clock_mono_us();

	pool->renewing = false;
	for (int i = 0; i < pool->renew.count; i++) {
		struct acquire_state *state = pool->renewed[i];

		if (!state || pool->manager->stopping)
			continue;
		pool->renewed[i] = NULL;
		if (op->status == POOL_OK)
			renewed_one(state, &pool->item[i], op->now_us, pool->renew_sent_us);
		else
			state->renew_at_us = now_us + 500000;
	}
	pool->renew.count = 0;
	arena_reset(&pool->renew_arena);
	if (!pool->manager->stopping)
		pool_renew_due(pool);
}

void pool_renew_due(struct kept_pool *pool)
{
	struct pool_manager *manager = pool->manager;
	int64_t now_us = clock_mono_us();
	int count = 0;

	if (pool->renewing)
		return;
	list_each (&pool->states, at, after) {
		struct acquire_state *state = container_of(at, struct acquire_state, link);
		bool due = state->phase == PHASE_GRANTED || state->phase == PHASE_HOLDING;

		if (!due || state->under_way & OPERATION_POOL || state->renew_at_us > now_us || count == POOL_BATCH_MAX)
			continue;
		pool->renewed[count] = state;
		pool->item[count++] = (struct pool_renewal){.grant = {{state->user, state->id}, state->fence}};
	}
	if (!count)
		return;
	pool->renew = (struct pool_renew){
		.op = {.tenant = pool->tenant,
			.pool = pool->settings.name,
			.arena = &pool->renew_arena,
			.done = renew_answered},
		.by_worker = true,
		.count = count,
		.item = pool->item,
	};
	pool->renewing = true;
	pool->renew_sent_us = now_us;
	manager->store->ops->renew(manager->store, &pool->renew);
}
