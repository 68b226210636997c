/* The pool manager: what all callers of a pool have in common, in one worker (service/pool/pool.h, private.h). */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/observe/log.h"
#include "base/observe/metrics.h"
#include "base/crypto/random.h"
#include "service/pool/board.h"
#include "service/pool/private.h"

enum { SYNC_US = 2000000, TICK_SOON_US = 300000, FETCH_US = 1000000 };

static void on_turn(struct wait *wait);

static void turn_soon(struct pool_manager *manager)
{
	if (manager->turning || manager->stopping)
		return;
	manager->turning = true;
	manager->turn = (struct wait){.due = on_turn};
	manager->worker->parts.timers->start(manager->worker->parts.timers, &manager->turn, TURN_US);
}

/* Keeps workers out of step. */
static int64_t some_of(int64_t most_us)
{
	char noise[33];

	random_id(noise);
	noise[4] = '\0';
	return most_us * strtol(noise, NULL, 16) / 0x10000;
}

static int64_t sync_interval(const struct kept_pool *pool)
{
	int64_t interval = pool->settings.worker_us / 3 < SYNC_US ? pool->settings.worker_us / 3 : SYNC_US;

	return interval * 8 / 10 + some_of(interval * 4 / 10);
}

/* When a lease ends, one worker is the first to handle it; the others find nothing to do. */
static int64_t tick_time(int64_t next_us)
{
	return next_us ? clock_mono_us() + next_us + some_of(TICK_SOON_US) : 0;
}

struct kept_pool *manager_pool(struct pool_manager *manager, const char *tenant, const struct pool_settings *settings)
{
	struct kept_pool *pool;

	list_each (&manager->pools, at, after) {
		pool = container_of(at, struct kept_pool, link);
		if (strcmp(pool->tenant, tenant) == 0 && strcmp(pool->settings.name, settings->name) == 0) {
			if (settings->gen > pool->settings.gen)
				pool->settings = *settings;
			turn_soon(manager);
			return pool;
		}
	}
	pool = mem_zalloc(1, sizeof(*pool));
	pool->manager = manager;
	strcpy(pool->tenant, tenant);
	pool->settings = *settings;
	list_init(&pool->states);
	list_push_back(&manager->pools, &pool->link);
	pool_board_note(tenant, settings->name);
	turn_soon(manager);
	return pool;
}

struct acquire_state *pool_find(struct kept_pool *pool, const char *user, const char *id)
{
	list_each (&pool->states, at, after) {
		struct acquire_state *state = container_of(at, struct acquire_state, link);

		if (strcmp(state->id, id) == 0 && strcmp(state->user, user) == 0)
			return state;
	}
	return NULL;
}

/*
 * A grant without a waiter here is ignored: it may be a late hint about a lease whose holder already has the handle. A grant that
 * really belongs to nobody is not acknowledged, and goes to the next waiter within seconds.
 */
static void take_grant(struct kept_pool *pool, const struct pool_grant *grant)
{
	struct acquire_state *state = pool_find(pool, grant->request.user, grant->request.id);

	if (!state || state->phase != PHASE_WAITING)
		return;
	state_move(state, PHASE_GRANTED);
	state->fence = grant->fence;
}

void pool_take_grants(struct kept_pool *pool, const struct pool_op *op)
{
	for (int i = 0; i < op->grants; i++)
		take_grant(pool, &op->grant[i]);
	if (op->grants)
		pool_renew_due(pool);
}

/* The epoch and the settings. */

static void fetched(struct flow *flow)
{
	struct kept_pool *pool = container_of(container_of(flow, struct epoch_fetch, flow), struct kept_pool, fetch);

	pool->fetching = false;
	arena_reset(&pool->fetch_arena);
}

void pool_fetch_epoch(struct kept_pool *pool)
{
	int64_t now_us = clock_mono_us();

	if (pool->fetching || now_us < pool->fetch_at_us || pool->manager->stopping)
		return;
	pool->fetching = true;
	pool->fetch_at_us = now_us + FETCH_US;
	pool->fetch = (struct epoch_fetch){
		.worker = pool->manager->worker,
		.arena = &pool->fetch_arena,
		.tenant = pool->tenant,
		.pool = pool->settings.name,
	};
	epoch_fetch_start(&pool->fetch, fetched);
}

static void configured(struct pool_op *op)
{
	struct kept_pool *pool = container_of(container_of(op, struct pool_configure, op), struct kept_pool, configure);

	pool->configuring = false;
	if (op->status == POOL_OK && pool->configure.created)
		pool_fetch_epoch(pool);
	arena_reset(&pool->configure_arena);
}

/* Redis has lost the pool, or has older settings. */
static void configure(struct kept_pool *pool)
{
	struct pool_manager *manager = pool->manager;

	if (pool->configuring)
		return;
	pool->configure = (struct pool_configure){
		.op = {.tenant = pool->tenant,
			.pool = pool->settings.name,
			.arena = &pool->configure_arena,
			.done = configured},
		.settings = &pool->settings,
	};
	pool->configuring = true;
	manager->store->ops->configure(manager->store, &pool->configure);
}

/* Syncing. */

static void starving(const struct kept_pool *pool, const struct pool_starving *one)
{
	static const char *const why[] = {"", "own cap", "level share", "learning", "resize", "paused", "parked"};

	metric_inc(METRIC_starving_requests_total, one->why <= WHY_PARKED ? (unsigned)one->why : METRIC_WHY_OTHER, 0);
	log_warn("a request starves in the pool", F("tenant", pool->tenant), F("pool", pool->settings.name),
		F("user", one->request.user), F("request", one->request.id), FI("waited_s", one->waited_us / 1000000),
		F("why", why[one->why <= WHY_PARKED ? one->why : 0]));
}

static void placed_one(struct acquire_state *state, const struct pool_sync *sync, const struct pool_place *place)
{
	struct err err;

	if (state->phase != PHASE_WAITING)
		return;
	if (place->status == POOL_QUEUED) {
		state_place(state, &sync->op, place->position, place->eta_us, place->why);
	} else if (place->status == POOL_MOVED) {
		err_set(&err, ERR_ABORTED, "another stream has taken over request %s", state->id);
		err_reason(&err, "TAKEN_OVER");
		state_end(state, &err);
	} else if (place->status == POOL_UNKNOWN || place->status == POOL_DONE) {
		state_ask(state);
	}
}

static void sync_answered(struct pool_op *op)
{
	struct kept_pool *pool = container_of(container_of(op, struct pool_sync, op), struct kept_pool, sync);
	struct pool_sync *sync = &pool->sync;
	bool stopping = pool->manager->stopping;

	pool->syncing = false;
	if (!stopping && op->status == POOL_OK) {
		for (int i = 0; i < sync->count; i++)
			if (pool->placed[i])
				placed_one(pool->placed[i], sync, &pool->place[i]);
		for (int i = 0; i < sync->starving_count; i++)
			starving(pool, &sync->starving[i]);
		pool_take_grants(pool, op);
		pool->tick_at_us = tick_time(sync->next_us);
		if (sync->want != EPOCH_KEPT)
			pool_fetch_epoch(pool);
	} else if (!stopping && (op->status == POOL_ABSENT || op->status == POOL_BEHIND)) {
		configure(pool);
	}
	sync->count = 0;
	arena_reset(&pool->sync_arena);
}

/* Takes over settings that were changed elsewhere. */
static void refresh_settings(struct kept_pool *pool)
{
	struct worker *worker = pool->manager->worker;
	struct err err;
	struct snapshot *snapshot = snapshot_take(worker, &err);
	const struct pool_settings *settings =
		snapshot ? catalog_pool(snapshot->catalog, pool->tenant, pool->settings.name) : NULL;

	if (settings && settings->gen > pool->settings.gen)
		pool->settings = *settings;
	snapshot_give(worker, snapshot);
}

/* States in the batch move to the end of the list, so that more than one batch takes turns. */
static void sync_pool(struct kept_pool *pool, bool goodbye)
{
	struct pool_manager *manager = pool->manager;
	int count = 0, all = 0;

	refresh_settings(pool);
	list_each (&pool->states, at, after)
		all++;
	for (struct list *at = pool->states.next; !goodbye && all > 0 && count < POOL_BATCH_MAX; all--) {
		struct acquire_state *state = container_of(at, struct acquire_state, link);

		at = at->next;
		list_remove(&state->link);
		list_push_back(&pool->states, &state->link);
		if (state->phase != PHASE_WAITING || state->under_way & OPERATION_POOL)
			continue;
		pool->placed[count] = state;
		pool->place[count++] = (struct pool_place){.request = {state->user, state->id}};
	}
	pool->sync = (struct pool_sync){
		.op = {.tenant = pool->tenant,
			.pool = pool->settings.name,
			.arena = &pool->sync_arena,
			.done = sync_answered},
		.gen = pool->settings.gen,
		.goodbye = goodbye,
		.count = count,
		.place = pool->place,
	};
	pool->syncing = true;
	manager->store->ops->sync(manager->store, &pool->sync);
}

static void ticked(struct pool_op *op)
{
	struct kept_pool *pool = container_of(container_of(op, struct pool_tick, op), struct kept_pool, tick);

	pool->ticking = false;
	if (op->status == POOL_OK)
		pool->tick_at_us = tick_time(pool->tick.next_us);
	arena_reset(&pool->tick_arena);
}

static void tick_pool(struct kept_pool *pool)
{
	struct pool_manager *manager = pool->manager;

	pool->tick_at_us = 0;
	pool->tick = (struct pool_tick){
		.op = {.tenant = pool->tenant, .pool = pool->settings.name, .arena = &pool->tick_arena, .done = ticked},
		.gen = pool->settings.gen,
	};
	pool->ticking = true;
	manager->store->ops->tick(manager->store, &pool->tick);
}

static void turn_pool(struct kept_pool *pool, int64_t now_us)
{
	list_each (&pool->states, at, after)
		state_turn(container_of(at, struct acquire_state, link), now_us);
	pool_renew_due(pool);
	if (!list_empty(&pool->states) && !pool->syncing && now_us >= pool->sync_at_us) {
		pool->sync_at_us = now_us + sync_interval(pool);
		sync_pool(pool, false);
	}
	if (!list_empty(&pool->states) && !pool->ticking && pool->tick_at_us && now_us >= pool->tick_at_us)
		tick_pool(pool);
}

static void on_turn(struct wait *wait)
{
	struct pool_manager *manager = container_of(wait, struct pool_manager, turn);
	int64_t now_us = clock_mono_us();

	manager->turning = false;
	if (manager->stopping)
		return;
	list_each (&manager->pools, at, after)
		turn_pool(container_of(at, struct kept_pool, link), now_us);
	turn_soon(manager);
}

/* Hints. */

static void on_hint(const char *tenant, const char *name, const struct pool_grant *grant, void *arg)
{
	struct pool_manager *manager = arg;

	list_each (&manager->pools, at, after) {
		struct kept_pool *pool = container_of(at, struct kept_pool, link);

		if (strcmp(pool->tenant, tenant) != 0 || strcmp(pool->settings.name, name) != 0)
			continue;
		take_grant(pool, grant);
		pool_renew_due(pool);
	}
}

/* The connection had a gap: fetch what was published in it. */
static void on_listening(void *arg)
{
	struct pool_manager *manager = arg;

	list_each (&manager->pools, at, after)
		container_of(at, struct kept_pool, link)->sync_at_us = 0;
}

struct pool_manager *manager_new(struct worker *worker, struct pools_store *pools)
{
	struct pool_manager *manager = mem_zalloc(1, sizeof(*manager));

	manager->worker = worker;
	manager->store = pools;
	list_init(&manager->pools);
	pools->ops->listen(pools, on_hint, on_listening, manager);
	return manager;
}

/* Says goodbye, so that other workers can take over the waiters at once. */
void manager_stop(struct pool_manager *manager)
{
	manager->stopping = true;
	list_each (&manager->pools, at, after) {
		struct kept_pool *pool = container_of(at, struct kept_pool, link);

		list_each (&pool->states, at_state, after_state)
			state_free(container_of(at_state, struct acquire_state, link));
		if (!pool->syncing)
			sync_pool(pool, true);
	}
}

void manager_free(struct pool_manager *manager)
{
	if (!manager)
		return;
	list_each (&manager->pools, at, after) {
		struct kept_pool *pool = container_of(at, struct kept_pool, link);

		arena_release(&pool->sync_arena);
		arena_release(&pool->renew_arena);
		arena_release(&pool->tick_arena);
		arena_release(&pool->configure_arena);
		arena_release(&pool->fetch_arena);
		free(pool);
	}
	free(manager);
}
