/* Changes a pool's settings in PostgreSQL, then in the store, so the answer means "in force". Reads its figures. */
#include "service/pool/admin.h"

#include "base/list.h"
#include "base/observe/log.h"

static flow_step step_committed, step_configured, step_fetched, step_resumed, step_known, step_count, step_seen;

FLOW_OWNER(edit_of, pool_edit)

FLOW_RESUME(change_done, admin_job, pool_edit, op.job)

static enum flow_result step_change(struct flow *flow)
{
	struct pool_edit *edit = edit_of(flow);
	struct admin_store *admin = edit->worker->parts.admin;

	edit->op.job.arena = edit->arena;
	edit->op.job.done = change_done;
	return flow_wait(flow, step_committed, admin->ops->pool_change(admin, &edit->op));
}

/* Waits for the catalog, so that the next caller who asks for a slot finds the pool. */
static enum flow_result written(struct pool_edit *edit)
{
	catalog_wait_begin(&edit->wait, &edit->flow, edit->worker, edit->op.job.generation);
	return flow_more(&edit->flow, step_known);
}

static enum flow_result step_known(struct flow *flow)
{
	return catalog_wait_over(&edit_of(flow)->wait) ? flow_succeed(flow) : FLOW_WAIT;
}

/* A committed change takes effect eventually. That learning was ended is stored nowhere else, so that one fails. */
static enum flow_result not_written(struct pool_edit *edit, const struct err *err)
{
	log_warn("a pool's change is committed and waits for Redis", F("tenant", edit->op.tenant),
		F("pool", edit->op.name), F("why", err->text));
	edit->pending = true;
	return edit->resume ? flow_fail_with(&edit->flow, err) : written(edit);
}

FLOW_RESUME(configure_done, pool_op, pool_edit, configure.op)

static enum flow_result step_committed(struct flow *flow)
{
	struct pool_edit *edit = edit_of(flow);
	struct pools_store *pools = edit->worker->parts.pools;
	struct err err;

	if (!edit->op.job.ok)
		return flow_fail_with(flow, &edit->op.job.err);
	catalog_source_poke(edit->worker->parts.catalog);
	if (!pools) {
		err_set(&err, ERR_UNAVAILABLE, "this loop has no store of pools");
		return not_written(edit, &err);
	}
	edit->configure = (struct pool_configure){
		.op = {.tenant = edit->op.tenant, .pool = edit->op.name, .arena = edit->arena, .done = configure_done},
		.settings = &edit->op.row.settings,
	};
	return flow_wait(flow, step_configured, pools->ops->configure(pools, &edit->configure));
}

FLOW_RESUME(tick_done, pool_op, pool_edit, tick.op)

FLOW_RESUME(fetch_done, flow, pool_edit, fetch.flow)

static enum flow_result step_configured(struct flow *flow)
{
	struct pool_edit *edit = edit_of(flow);
	enum pool_status status = edit->configure.op.status;

	if (status != POOL_OK && status != POOL_NOTHING)
		return not_written(edit, &edit->configure.op.err);
	edit->fetch = (struct epoch_fetch){
		.worker = edit->worker,
		.arena = edit->arena,
		.tenant = edit->op.tenant,
		.pool = edit->op.name,
	};
	return flow_wait(flow, step_fetched, epoch_fetch_start(&edit->fetch, fetch_done));
}

/* The settings are in force with or without an epoch: the next caller who uses the pool fetches one. */
static enum flow_result step_fetched(struct flow *flow)
{
	struct pool_edit *edit = edit_of(flow);
	struct pools_store *pools = edit->worker->parts.pools;

	if (!edit->resume)
		return written(edit);
	edit->tick = (struct pool_tick){
		.op = {.tenant = edit->op.tenant, .pool = edit->op.name, .arena = edit->arena, .done = tick_done},
		.gen = edit->op.row.settings.gen,
	};
	return flow_wait(flow, step_resumed, pools->ops->resume(pools, &edit->tick));
}

static enum flow_result step_resumed(struct flow *flow)
{
	struct pool_edit *edit = edit_of(flow);

	if (edit->tick.op.status != POOL_OK)
		return not_written(edit, &edit->tick.op.err);
	return written(edit);
}

void pool_edit_start(
	struct pool_edit *edit, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	edit->pending = false;
	flow_start(edit, worker, arena, done, step_change);
}

void pool_edit_push(struct pool_edit *edit, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow))
{
	edit->op.job.ok = true;
	flow_start(edit, worker, arena, done, step_committed);
}

void pool_shares_of(const struct pool_stats *stats, struct pool_shares *out)
{
	double used = 0, weights = 0, sum = 0, squares = 0;
	int levels = 0;

	*out = (struct pool_shares){.jain = 1};
	for (int i = 0; i < stats->level_rows; i++) {
		const struct pool_level_stats *level = &stats->level_row[i];

		used += (double)level->seat_us;
		if (level->seat_us || level->waiting || level->running)
			weights += level->weight;
	}
	if (used <= 0 || weights <= 0)
		return;
	for (int i = 0; i < stats->level_rows; i++) {
		const struct pool_level_stats *level = &stats->level_row[i];
		double ratio;

		if (!level->seat_us && !level->waiting && !level->running)
			continue;
		out->share[i] = (double)level->seat_us / used;
		out->entitled[i] = level->weight / weights;
		ratio = out->share[i] / out->entitled[i];
		sum += ratio;
		squares += ratio * ratio;
		levels++;
	}
	out->jain = sum * sum / (levels * squares);
}

FLOW_OWNER(look_of, pool_look)

FLOW_RESUME(stats_done, pool_op, pool_look, stats.op)

FLOW_RESUME(looked_at_clock, pool_op, pool_look, tick.op)

/* If nobody uses the pool, nobody ends what has expired, so the look does that first. */
static enum flow_result step_look(struct flow *flow)
{
	struct pool_look *look = look_of(flow);
	struct pools_store *pools = look->worker->parts.pools;
	struct snapshot *snapshot = snapshot_take(look->worker, &flow->err);
	const struct pool_settings *settings;

	if (!snapshot)
		return flow_fail(flow);
	settings = catalog_pool(snapshot->catalog, look->stats.op.tenant, look->stats.op.pool);
	if (settings) {
		look->slots = settings->slots;
		look->paused = settings->paused;
	}
	snapshot_give(look->worker, snapshot);
	if (!settings) {
		err_set(&flow->err, ERR_NOT_FOUND, "ref.name: tenant %s has no pool %s", look->stats.op.tenant,
			look->stats.op.pool);
		err_reason_of(&flow->err, "POOL_NOT_FOUND", "%s", look->stats.op.pool);
		return flow_fail(flow);
	}
	if (!pools) {
		err_set(&flow->err, ERR_UNAVAILABLE, "this loop has no store of pools");
		return flow_fail(flow);
	}
	look->tick = (struct pool_tick){
		.op = {.tenant = look->stats.op.tenant,
			.pool = look->stats.op.pool,
			.arena = look->stats.op.arena,
			.done = looked_at_clock},
	};
	return flow_wait(flow, step_count, pools->ops->tick(pools, &look->tick));
}

/* Goes on even if the tick failed: outdated figures are better than none. */
static enum flow_result step_count(struct flow *flow)
{
	struct pool_look *look = look_of(flow);
	struct pools_store *pools = look->worker->parts.pools;

	look->stats.op.done = stats_done;
	return flow_wait(flow, step_seen, pools->ops->stats(pools, &look->stats));
}

static enum flow_result step_seen(struct flow *flow)
{
	struct pool_look *look = look_of(flow);

	if (look->stats.op.status == POOL_ABSENT) {
		look->stats.slots = (uint32_t)look->slots;
		look->stats.paused = look->paused;
	} else if (look->stats.op.status != POOL_OK) {
		return flow_fail_with(flow, &look->stats.op.err);
	}
	pool_shares_of(&look->stats, &look->shares);
	return flow_succeed(flow);
}

void pool_look_start(struct pool_look *look, struct worker *worker, void (*done)(struct flow *flow))
{
	look->flow = (struct flow){.done = done};
	look->worker = worker;
	flow_to(&look->flow, step_look);
	flow_run(&look->flow);
}
