/* One loop of the process looks at all pools in turn and writes their figures on the board (service/pool/board.h). */
#include <stdlib.h>

#include "base/list.h"
#include "service/pool/board.h"
#include "service/pool/epoch.h"
#include "service/worker/alert_log.h"

enum { ROUND_US = 5000000, NOTE_US = 60000000 };

struct pool_rounds {
	struct worker *worker;
	struct arena arena;
	struct wait wait;
	struct pool_look look;
	struct epoch_fetch fetch;
	int at; /* index on the board */
	char tenant[ID_MAX + 1], pool[POOL_NAME_MAX + 1];
	bool looking, stopped;
};

static void next_look(struct pool_rounds *rounds);

static void round_begin(struct wait *wait)
{
	struct pool_rounds *rounds = container_of(wait, struct pool_rounds, wait);
	struct err err;
	struct snapshot *snapshot = snapshot_take(rounds->worker, &err);

	if (snapshot) {
		catalog_pools_each(snapshot->catalog, pool_board_note);
		snapshot_give(rounds->worker, snapshot);
	}
	rounds->at = 0;
	next_look(rounds);
}

/* Call it when an operation has ended. False if the rounds have been stopped; they are freed then. */
static bool rounds_live(struct pool_rounds *rounds)
{
	rounds->looking = false;
	if (!rounds->stopped)
		return true;
	arena_release(&rounds->arena);
	free(rounds);
	return false;
}

static void fetched(struct flow *flow)
{
	struct pool_rounds *rounds =
		container_of(container_of(flow, struct epoch_fetch, flow), struct pool_rounds, fetch);

	if (rounds_live(rounds))
		next_look(rounds);
}

/* Fetches the epoch ahead of time, so that the next caller finds the pool ready. */
static void fetch_epoch(struct pool_rounds *rounds)
{
	rounds->looking = true;
	rounds->fetch = (struct epoch_fetch){
		.worker = rounds->worker,
		.arena = &rounds->arena,
		.tenant = rounds->tenant,
		.pool = rounds->pool,
	};
	epoch_fetch_start(&rounds->fetch, fetched);
}

/* Whoever waits for too long is worth an alert. */
static void note_starving(struct pool_rounds *rounds)
{
	struct worker *worker = rounds->worker;
	struct alert_event note = alert_event_of(ALERT_STARVING, rounds->tenant);
	struct err err;
	struct snapshot *snapshot = snapshot_take(worker, &err);
	const struct pool_settings *pool =
		snapshot ? catalog_pool(snapshot->catalog, rounds->tenant, rounds->pool) : NULL;

	note.at_us = worker_now_us(worker);
	note.subject = rounds->pool;
	note.age_us = rounds->look.stats.oldest_wait_us;
	note.count = rounds->look.stats.starving;
	note.threshold = pool ? pool->starve_us : 0;
	if (pool)
		alert_log_note(worker->alert_log, &note, rounds->pool, NOTE_US);
	snapshot_give(worker, snapshot);
}

static void looked(struct flow *flow)
{
	struct pool_rounds *rounds = container_of(container_of(flow, struct pool_look, flow), struct pool_rounds, look);
	const struct pool_stats *stats = &rounds->look.stats;
	bool seen = flow->ok && stats->op.status == POOL_OK;

	if (!rounds_live(rounds))
		return;
	if (seen)
		pool_board_write(rounds->tenant, rounds->pool, stats, &rounds->look.shares);
	if (seen && stats->starving)
		note_starving(rounds);
	if (seen && stats->want != EPOCH_KEPT)
		fetch_epoch(rounds);
	else
		next_look(rounds);
}

static void next_look(struct pool_rounds *rounds)
{
	struct timers *timers = rounds->worker->parts.timers;

	arena_reset(&rounds->arena);
	if (!rounds->worker->parts.pools || !pool_board_at(rounds->at++, rounds->tenant, rounds->pool)) {
		rounds->wait = (struct wait){.due = round_begin};
		timers->start(timers, &rounds->wait, ROUND_US);
		return;
	}
	rounds->looking = true;
	rounds->look = (struct pool_look){
		.stats = {.op = {.tenant = rounds->tenant, .pool = rounds->pool, .arena = &rounds->arena}},
	};
	pool_look_start(&rounds->look, rounds->worker, looked);
}

struct pool_rounds *pool_rounds_start(struct worker *worker)
{
	struct pool_rounds *rounds = mem_zalloc(1, sizeof(*rounds));

	rounds->worker = worker;
	rounds->wait = (struct wait){.due = round_begin};
	worker->parts.timers->start(worker->parts.timers, &rounds->wait, 0);
	return rounds;
}

/* A pending timer no longer runs. If a look is in flight, the rounds are freed when it ends. */
void pool_rounds_stop(struct pool_rounds *rounds)
{
	if (!rounds)
		return;
	rounds->stopped = true;
	if (rounds->looking)
		return;
	arena_release(&rounds->arena);
	free(rounds);
}
