/* A pool's figures (api/admin/private.h): once, or every second for a watcher. */
#include <string.h>

#include "api/admin/private.h"
#include "api/message/validate.h"
#include "base/list.h"
#include "service/pool/admin.h"

/*
 * A timer cannot be cancelled, so a watch waits in short naps: within one nap it notices that its caller or the server
 * is leaving.
 */
enum { NAP_US = 100000, WATCH_NAPS = 10 };

/* A single look or a watch, in its call's arena. Each look uses its own arena, which a watch resets before the next. */
struct look_call {
	struct pool_look look;
	struct call *call;
	struct worker *worker;
	struct arena arena;
	const char *tenant, *name, *user;
	int rows;
	struct wait wait;
	int naps; /* until the next look */
	struct admin_stream stream;
};

static void levels_message(struct arena *arena, const struct pool_look *look, Bursar__V1__PoolStats *message)
{
	message->levels = message_list(arena, POOL_LEVELS_MAX);
	for (int i = 0; i < look->stats.level_rows; i++) {
		const struct pool_level_stats *row = &look->stats.level_row[i];
		Bursar__V1__PoolLevelStats *level = message_new(arena, PoolLevelStats, pool_level_stats);

		level->priority = row->priority;
		level->weight = row->weight;
		level->waiting = (int32_t)row->waiting;
		level->running = (int32_t)row->running;
		level->users_ready = (int32_t)row->ready;
		level->granted = row->granted;
		level->slot_us = row->seat_us;
		level->oldest_wait_us = row->oldest_wait_us;
		level->share = look->shares.share[i];
		level->entitled_share = look->shares.entitled[i];
		message->levels[message->n_levels++] = level;
	}
	message->jain_index = look->shares.jain;
}

static void rows_message(struct arena *arena, const struct pool_stats *stats, Bursar__V1__PoolStats *message)
{
	message->waiters = message_list(arena, (size_t)stats->waiter_rows);
	for (int i = 0; i < stats->waiter_rows; i++) {
		const struct pool_waiter_row *row = &stats->waiter[i];
		Bursar__V1__PoolWaiter *waiter = message_new(arena, PoolWaiter, pool_waiter);

		waiter->user = unconst(row->request.user);
		waiter->request_id = unconst(row->request.id);
		waiter->priority = row->priority;
		waiter->seats = row->seats;
		waiter->waited_us = row->waited_us;
		waiter->reason = (Bursar__V1__WaitReason)row->why;
		waiter->position = (int32_t)row->position;
		waiter->eta_us = row->eta_us;
		message->waiters[message->n_waiters++] = waiter;
	}
	message->leases_held = message_list(arena, (size_t)stats->lease_rows);
	for (int i = 0; i < stats->lease_rows; i++) {
		const struct pool_lease_row *row = &stats->lease[i];
		Bursar__V1__PoolLease *lease = message_new(arena, PoolLease, pool_lease);

		lease->user = unconst(row->request.user);
		lease->request_id = unconst(row->request.id);
		lease->priority = row->priority;
		lease->seats = row->seats;
		lease->held_us = row->held_us;
		lease->expires_at_us = row->expires_at_us;
		lease->fence = (uint64_t)row->fence.epoch << 32 | row->fence.fence;
		lease->acknowledged = row->acknowledged;
		lease->finish_by_us = row->drain_by_us;
		message->leases_held[message->n_leases_held++] = lease;
	}
}

static void user_message(struct arena *arena, const struct pool_stats *stats, Bursar__V1__PoolStats *message)
{
	if (!stats->user[0])
		return;
	message->of_user = message_new(arena, PoolUser, pool_user);
	message->of_user->user = unconst(stats->user);
	message->of_user->running = (int32_t)stats->user_running;
	message->of_user->waiting = (int32_t)stats->user_waiting;
	message->of_user->parked = (int32_t)stats->user_parked;
}

static void counters_message(const struct pool_stats *stats, Bursar__V1__PoolStats *message)
{
	message->granted_at_once = stats->granted_at_once;
	message->granted_waited = stats->granted_waited;
	message->granted_aged = stats->granted_aged;
	message->released = stats->released;
	message->expired = stats->expired;
	message->cancelled = stats->cancelled;
	message->timed_out = stats->timed_out;
	message->gone = stats->gone;
	message->shed_pool_queue = stats->shed[SHED_POOL_QUEUE - 1];
	message->shed_level_queue = stats->shed[SHED_LEVEL_QUEUE - 1];
	message->shed_user_queue = stats->shed[SHED_USER_QUEUE - 1];
	message->shed_predicted = stats->shed[SHED_PREDICTED - 1];
	message->shed_levels = stats->shed[SHED_LEVELS - 1];
	message->sum_wait_us = stats->sum_wait_us;
	message->sum_hold_us = stats->sum_hold_us;
}

static Bursar__V1__PoolStats *stats_message(struct look_call *self)
{
	const struct pool_stats *stats = &self->look.stats;
	Bursar__V1__PoolStats *message = message_new(&self->arena, PoolStats, pool_stats);

	message->ref = message_new(&self->arena, PoolRef, pool_ref);
	message->ref->tenant = unconst(self->tenant);
	message->ref->name = unconst(self->name);
	message->now_us = stats->op.now_us;
	message->epoch = stats->epoch;
	message->learning_us = stats->learning_us;
	message->paused = stats->paused;
	message->slots = (int32_t)stats->slots;
	message->running = (int32_t)stats->running;
	message->leases = (int32_t)stats->leases;
	message->waiting = (int32_t)stats->waiting;
	message->parked = (int32_t)stats->parked;
	message->unacknowledged = (int32_t)stats->unacknowledged;
	message->draining = (int32_t)stats->draining;
	message->oldest_wait_us = stats->oldest_wait_us;
	message->oldest_eligible_wait_us = stats->oldest_eligible_wait_us;
	message->starving = (int32_t)stats->starving;
	message->starving_eligible = (int32_t)stats->starving_eligible;
	message->mean_hold_us = stats->mean_hold_us;
	counters_message(stats, message);
	levels_message(&self->arena, &self->look, message);
	rows_message(&self->arena, stats, message);
	user_message(&self->arena, stats, message);
	return message;
}

/* NULL when the call has already been failed. */
static struct look_call *look_new(struct call *call, void *ctx)
{
	struct look_call *self = arena_zalloc(call_arena(call), 1, sizeof(*self));
	struct err err;
	const Bursar__V1__GetPoolStatsRequest *request =
		request_take(call, &bursar__v1__get_pool_stats_request__descriptor);

	if (!request)
		return NULL;
	self->call = call;
	self->worker = ctx;
	self->rows = request->rows;
	self->user = request->user;
	self->tenant = tenant_or_default(request->ref ? request->ref->tenant : "");
	self->name = request->ref && request->ref->name[0] ? request->ref->name : POOL_DEFAULT;
	if (pool_name_check(self->name, "ref.name", &err))
		return self;
	call_fail(call, &err);
	return NULL;
}

static void look_start(struct look_call *self, void (*done)(struct flow *flow))
{
	self->look = (struct pool_look){
		.stats = {.op = {.tenant = self->tenant, .pool = self->name, .arena = &self->arena},
			.rows = self->rows,
			.user = self->user},
	};
	pool_look_start(&self->look, self->worker, done);
}

static struct look_call *self_of(struct flow *flow)
{
	return container_of(container_of(flow, struct pool_look, flow), struct look_call, look);
}

static void get_done(struct flow *flow)
{
	struct look_call *self = self_of(flow);
	Bursar__V1__PoolStats *message = flow->ok ? stats_message(self) : NULL;
	struct arena arena = self->arena; /* copied, because `self` ends with the call */

	if (message)
		call_reply_message(self->call, &message->base);
	else
		call_fail(self->call, &flow->err);
	arena_release(&arena);
}

void admin_get_pool_stats(struct call *call, void *ctx)
{
	struct look_call *self = look_new(call, ctx);

	if (self)
		look_start(self, get_done);
}

/* Ends the stream; nothing may be in flight. */
static void watch_end(struct look_call *self, const struct err *why)
{
	struct arena arena = self->arena;

	if (why)
		call_fail(self->call, why);
	else
		call_end(self->call);
	arena_release(&arena);
}

static void watch_looked(struct flow *flow);

static void watch_go_on(struct look_call *self)
{
	struct err err;

	if (self->stream.gone) {
		watch_end(self, NULL);
	} else if (self->stream.draining) {
		err_set(&err, ERR_UNAVAILABLE, "the server is stopping: reconnect");
		watch_end(self, &err);
	} else {
		arena_reset(&self->arena);
		look_start(self, watch_looked);
	}
}

static void watch_due(struct wait *wait);

static void watch_nap(struct look_call *self)
{
	self->wait = (struct wait){.due = watch_due};
	self->worker->parts.timers->start(self->worker->parts.timers, &self->wait, self->stream.gone ? 0 : NAP_US);
}

static void watch_due(struct wait *wait)
{
	struct look_call *self = container_of(wait, struct look_call, wait);

	if (--self->naps > 0 && !self->stream.gone && !self->stream.draining)
		watch_nap(self);
	else
		watch_go_on(self);
}

static void watch_written(struct call *call, bool ok, void *arg)
{
	struct look_call *self = arg;

	(void)call;
	if (!ok)
		self->stream.gone = true;
	self->naps = WATCH_NAPS;
	watch_nap(self);
}

static void watch_looked(struct flow *flow)
{
	struct look_call *self = self_of(flow);

	if (flow->ok)
		call_write_message(self->call, &stats_message(self)->base, watch_written, self);
	else
		watch_end(self, &flow->err);
}

void admin_watch_pool(struct call *call, void *ctx)
{
	struct look_call *self = look_new(call, ctx);

	if (!self)
		return;
	admin_stream_watch(&self->stream, call);
	watch_go_on(self);
}
