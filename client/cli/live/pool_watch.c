/* pool watch: a pool's figures, once a second (pool_watch.h). */
#include "cli/live/pool_watch.h"

#include <inttypes.h>
#include <poll.h>

#include "cli/common/view.h"
#include "cli/encoding/json.h"
#include "cli/live/live.h"
#include "cli/live/terminal.h"
#include "cli/text/format.h"

/*
 * Lines of a screen without levels and waiters; the maximum number of waiters from the server; how many updates use
 * one list of tiers, which rarely changes.
 */
enum { BAR = 40, ROWS = 10, LINES_BESIDE = 10, WAITERS_MAX = 100, TIERS_EVERY = 10, TICK_MS = 100, TICKS_A_LOOK = 10 };

double pool_grant_rate(const Bursar__V1__PoolStats *before, const Bursar__V1__PoolStats *now)
{
	int64_t grants, us;

	if (!before)
		return 0;
	grants = now->granted_at_once + now->granted_waited - before->granted_at_once - before->granted_waited;
	us = now->now_us - before->now_us;
	return grants > 0 && us > 0 ? (double)grants * 1e6 / (double)us : 0;
}

static void put_states(struct buf *out, const Bursar__V1__PoolStats *stats)
{
	if (stats->paused)
		buf_put_str(out, ", paused");
	if (stats->learning_us > 0) {
		buf_put_str(out, ", learning for ");
		put_duration(out, stats->learning_us);
	}
	if (stats->draining > 0)
		buf_putf(out, ", %d to end", stats->draining);
	if (stats->starving > 0)
		buf_putf(out, ", %d starving", stats->starving);
}

Bursar__V1__ListTiersResponse *pool_tiers(struct cli *cli)
{
	Bursar__V1__ListTiersRequest request = BURSAR__V1__LIST_TIERS_REQUEST__INIT;
	struct bursar_error error;

	request.tenant = (char *)option_text(cli, "tenant");
	return bursar_call(cli_bursar(cli), BURSAR_LIST_TIERS, &request, &error);
}

/* Appends the names of the tiers with that priority, separated by commas, with `before` in front. */
static void put_tiers(struct buf *out, const Bursar__V1__ListTiersResponse *tiers, int priority, const char *before)
{
	for (size_t i = 0; tiers && i < tiers->n_tiers; i++) {
		if (tiers->tiers[i]->pool_priority != priority)
			continue;
		buf_putf(out, "%s%s", before, tiers->tiers[i]->name);
		before = ", ";
	}
}

void pool_put_line(
	struct buf *out, const Bursar__V1__PoolStats *stats, double grants, const Bursar__V1__ListTiersResponse *tiers)
{
	buf_putf(out, "%s %d/%d running, %d waiting", stats->ref ? stats->ref->name : "?", stats->running, stats->slots,
		stats->waiting);
	for (size_t i = 0; i < stats->n_levels; i++) {
		buf_putf(out, "%s%d", i == 0 ? " (" : ", ", stats->levels[i]->priority);
		put_tiers(out, tiers, stats->levels[i]->priority, " ");
		buf_putf(out, ": %d", stats->levels[i]->waiting);
	}
	if (stats->n_levels > 0)
		buf_put_str(out, ")");
	buf_put_str(out, ", oldest ");
	put_duration(out, stats->oldest_wait_us);
	buf_putf(out, ", %.1f grants/s", grants);
	put_states(out, stats);
}

static void put_bar(struct buf *out, int running, int slots)
{
	int filled = slots > 0 ? (int)((int64_t)running * BAR / slots) : 0;

	buf_put_str(out, "[");
	for (int i = 0; i < BAR; i++)
		buf_put_str(out, i < filled ? "#" : ".");
	buf_put_str(out, "]");
}

/* A level without demand is entitled to nothing: the server's figure for it is out of date. */
static void share_cells(struct table *table, const Bursar__V1__PoolLevelStats *level)
{
	if (level->waiting + level->running == 0) {
		table_cell(table, "-");
		table_cell(table, "-");
		return;
	}
	table_cell(table, "%.1f%%", level->share * 100);
	table_cell(table, "%.1f%%", level->entitled_share * 100);
}

static void view_levels(struct cli *cli, const Bursar__V1__PoolStats *stats, const Bursar__V1__ListTiersResponse *tiers)
{
	static const char *const columns[] = {">PRIORITY", "~TIERS", ">WEIGHT", ">WAITING", ">RUNNING", ">OLDEST",
		">GRANTED", ">SHARE", ">ENTITLED", NULL};
	struct table *table = table_new(columns, cli->colour);
	struct buf text = {0};

	for (size_t i = 0; i < stats->n_levels; i++) {
		const Bursar__V1__PoolLevelStats *level = stats->levels[i];

		table_line(table);
		table_cell(table, "%d", level->priority);
		put_tiers(&text, tiers, level->priority, "");
		if (!text.len)
			buf_put_str(&text, "-");
		table_cell_buf(table, &text);
		table_cell(table, "%d", level->weight);
		table_cell(table, "%d", level->waiting);
		table_cell(table, "%d", level->running);
		table_duration(table, level->oldest_wait_us);
		table_cell(table, "%" PRId64, level->granted);
		share_cells(table, level);
	}
	if (stats->n_levels > 0)
		table_put(&cli->out, table, "");
	table_free(table);
	buf_release(&text);
}
static void waiter_cells(struct table *table, const void *message)
{
	const Bursar__V1__PoolWaiter *waiter = message;
	struct buf text = {0};

	table_cell(table, "%s", waiter->user);
	table_cell(table, "%s", waiter->request_id);
	table_cell(table, "%d", waiter->priority);
	table_cell(table, "%d", waiter->seats);
	table_duration(table, waiter->waited_us);
	put_enum(&text, &bursar__v1__wait_reason__descriptor, (int)waiter->reason, "WAIT_REASON_");
	table_cell_buf(table, &text);
	buf_release(&text);
}

void pool_view_stats(
	struct cli *cli, const Bursar__V1__PoolStats *stats, double grants, const Bursar__V1__ListTiersResponse *tiers)
{
	static const char *const waiter_columns[] = {
		"~LONGEST WAITS", "~REQUEST", ">PRIORITY", ">SEATS", ">WAITED", "WHY", NULL};
	struct buf text = {0};

	put_bar(&text, stats->running, stats->slots);
	buf_putf(&text, " %d of %d", stats->running, stats->slots);
	put_states(&text, stats);
	view_field_buf(cli, "slots", &text);
	buf_putf(&text, "%d", stats->waiting);
	if (stats->parked > 0)
		buf_putf(&text, " (%d parked)", stats->parked);
	buf_put_str(&text, ", oldest ");
	put_duration(&text, stats->oldest_wait_us);
	view_field_buf(cli, "waiting", &text);
	buf_putf(&text, "%.1f per second; %" PRId64 " at once, %" PRId64 " after waiting, %" PRId64 " aged", grants,
		stats->granted_at_once, stats->granted_waited, stats->granted_aged);
	view_field_buf(cli, "grants", &text);
	put_duration(&text, stats->mean_hold_us);
	view_field_buf(cli, "mean hold", &text);
	view_field(cli, "refused", "%" PRId64 " by predicted wait, %" PRId64 " by full queues, %" PRId64 " timed out",
		stats->shed_predicted, stats->shed_pool_queue + stats->shed_level_queue + stats->shed_user_queue,
		stats->timed_out);
	view_field(cli, "fairness", "%.3f (Jain)", stats->jain_index);
	view_levels(cli, stats, tiers);
	view_more_rows(cli, waiter_columns, stats->waiters, stats->n_waiters, waiter_cells);
	buf_release(&text);
}

static void place_cells(struct table *table, const void *message)
{
	const Bursar__V1__PoolWaiter *waiter = message;
	struct buf text = {0};

	table_cell(table, "%s", waiter->request_id);
	table_cell(table, "%d", waiter->position);
	table_cell(table, "%d", waiter->seats);
	table_duration(table, waiter->waited_us);
	table_duration(table, waiter->eta_us);
	put_enum(&text, &bursar__v1__wait_reason__descriptor, (int)waiter->reason, "WAIT_REASON_");
	table_cell_buf(table, &text);
	buf_release(&text);
}

static void lease_cells(struct table *table, const void *message)
{
	const Bursar__V1__PoolLease *lease = message;

	table_cell(table, "%s", lease->request_id);
	table_cell(table, "%d", lease->seats);
	table_duration(table, lease->held_us);
}

void pool_view_user(struct cli *cli, const Bursar__V1__PoolStats *stats)
{
	static const char *const places[] = {"~WAITS", ">PLACE", ">SEATS", ">WAITED", ">ABOUT", "WHY", NULL};
	static const char *const leases[] = {"~RUNS", ">SEATS", ">HELD", NULL};
	const Bursar__V1__PoolUser *user = stats->of_user;

	if (!user)
		return;
	view_field(cli, "user", "%s: holds %d slots, %d waiting, %d parked", user->user, user->running, user->waiting,
		user->parked);
	view_more_rows(cli, places, stats->waiters, stats->n_waiters, place_cells);
	view_more_rows(cli, leases, stats->leases_held, stats->n_leases_held, lease_cells);
}

struct watching {
	struct cli *cli;
	bool screen;
	int64_t looks;
	Bursar__V1__ListTiersResponse *tiers;
	Bursar__V1__PoolStats *before, *now;
};

static void show(struct watching *watching)
{
	const Bursar__V1__PoolStats *stats = watching->now;
	double grants = pool_grant_rate(watching->before, stats);
	struct cli *cli = watching->cli;

	if (cli->json) {
		json_put_line(&cli->out, &stats->base);
		buf_put_str(&cli->out, "\n");
	} else if (watching->screen) {
		buf_putf(&cli->out, "pool %s  (q ends)\n", stats->ref ? stats->ref->name : "?");
		pool_view_stats(cli, stats, grants, watching->tiers);
		terminal_put_screen(&cli->out);
	} else {
		pool_put_line(&cli->out, stats, grants, watching->tiers);
		buf_put_str(&cli->out, "\n");
	}
	cli_flush(cli);
}

/* Limits the waiters to the lines of the screen. */
static int waiters_wanted(const struct watching *watching)
{
	int levels = watching->now ? (int)watching->now->n_levels : 0;
	int rows = watching->screen ? terminal_rows() - LINES_BESIDE - levels : ROWS;

	return rows < 1 ? 1 : rows > WAITERS_MAX ? WAITERS_MAX : rows;
}

/* False with the exit code when the figures cannot be read. */
static bool look(struct watching *watching, int *code)
{
	Bursar__V1__GetPoolStatsRequest request = BURSAR__V1__GET_POOL_STATS_REQUEST__INIT;
	Bursar__V1__PoolRef ref = BURSAR__V1__POOL_REF__INIT;
	struct cli *cli = watching->cli;
	struct bursar_error error;

	ref.tenant = (char *)option_text(cli, "tenant");
	ref.name = (char *)cli_arg(cli, 0);
	request.ref = &ref;
	request.rows = waiters_wanted(watching);
	bursar_free(watching->before);
	watching->before = watching->now;
	watching->now = bursar_call(cli_bursar(cli), BURSAR_GET_POOL_STATS, &request, &error);
	if (!watching->now) {
		terminal_back();
		*code = cli_failed(cli, &error);
		return false;
	}
	if (!cli->json && watching->looks++ % TIERS_EVERY == 0) {
		bursar_free(watching->tiers);
		watching->tiers = pool_tiers(cli);
	}
	show(watching);
	return true;
}

/* Waits a second, or until the user stops. */
static bool wait_a_look(const struct watching *watching)
{
	for (int tick = 0; tick < TICKS_A_LOOK && !live_stopped(); tick++) {
		if (!watching->screen)
			poll(NULL, 0, TICK_MS);
		else if (terminal_asked_to_quit(TICK_MS))
			return false;
	}
	return !live_stopped();
}

int pool_watch_run(struct cli *cli)
{
	struct watching watching = {
		.cli = cli, .screen = !cli->json && !option_given(cli, "count") && terminal_is_there()};
	int64_t count = option_number(cli, "count", INT64_MAX);
	int code = EXIT_DONE;

	cli_bursar(cli); /* report an invalid address before taking the screen */
	live_catch_signals();
	if (watching.screen) {
		terminal_take();
		buf_putf(&cli->out, "bursar pool watch: %s  (q ends)\n  connecting\n", cli->address);
		terminal_put_screen(&cli->out);
		cli_flush(cli);
	}
	for (int64_t i = 0; i < count && (i == 0 || wait_a_look(&watching)); i++)
		if (!look(&watching, &code))
			break;
	terminal_back();
	bursar_free(watching.tiers);
	bursar_free(watching.before);
	bursar_free(watching.now);
	return code;
}
