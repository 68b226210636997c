/* pool watch: a pool's figures, once a second. */
#include "cli/pool_watch.h"

#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "cli/format.h"
#include "cli/json.h"
#include "cli/plain.h"
#include "cli/table.h"
#include "cli/view.h"

enum { BAR = 40, ROWS = 10 };

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

void pool_put_line(struct buf *out, const Bursar__V1__PoolStats *stats, double grants)
{
	buf_putf(out, "%s %d/%d running, %d waiting", stats->ref ? stats->ref->name : "?", stats->running, stats->slots,
		stats->waiting);
	for (size_t i = 0; i < stats->n_levels; i++)
		buf_putf(out, "%s%d: %d", i == 0 ? " (" : ", ", stats->levels[i]->priority, stats->levels[i]->waiting);
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

static void duration_cell(struct table *table, int64_t us)
{
	struct buf text = {0};

	put_duration(&text, us);
	table_cell_buf(table, &text);
	buf_release(&text);
}

static void view_levels(struct cli *cli, const Bursar__V1__PoolStats *stats)
{
	static const char *const columns[] = {
		">PRIORITY", ">WEIGHT", ">WAITING", ">RUNNING", ">OLDEST", ">GRANTED", ">SHARE", ">ENTITLED", NULL};
	struct table *table = table_new(columns, cli->colour);

	for (size_t i = 0; i < stats->n_levels; i++) {
		const Bursar__V1__PoolLevelStats *level = stats->levels[i];

		table_line(table);
		table_cell(table, "%d", level->priority);
		table_cell(table, "%d", level->weight);
		table_cell(table, "%d", level->waiting);
		table_cell(table, "%d", level->running);
		duration_cell(table, level->oldest_wait_us);
		table_cell(table, "%" PRId64, level->granted);
		table_cell(table, "%.1f%%", level->share * 100);
		table_cell(table, "%.1f%%", level->entitled_share * 100);
	}
	if (stats->n_levels > 0)
		table_put(&cli->out, table, "");
	table_free(table);
}

static void view_waiters(struct cli *cli, const Bursar__V1__PoolStats *stats)
{
	static const char *const columns[] = {
		"~LONGEST WAITS", "~REQUEST", ">PRIORITY", ">SEATS", ">WAITED", "WHY", NULL};
	struct table *table = table_new(columns, cli->colour);
	struct buf text = {0};

	for (size_t i = 0; i < stats->n_waiters; i++) {
		const Bursar__V1__PoolWaiter *waiter = stats->waiters[i];

		table_line(table);
		table_cell(table, "%s", waiter->user);
		table_cell(table, "%s", waiter->request_id);
		table_cell(table, "%d", waiter->priority);
		table_cell(table, "%d", waiter->seats);
		duration_cell(table, waiter->waited_us);
		put_enum(&text, &bursar__v1__wait_reason__descriptor, (int)waiter->reason, "WAIT_REASON_");
		table_cell_buf(table, &text);
	}
	if (stats->n_waiters > 0) {
		buf_put_str(&cli->out, "\n");
		table_put(&cli->out, table, "");
	}
	table_free(table);
	buf_release(&text);
}

void pool_view_stats(struct cli *cli, const Bursar__V1__PoolStats *stats, double grants)
{
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
	buf_putf(&text, "%.1f a second; %" PRId64 " at once, %" PRId64 " after waiting, %" PRId64 " aged", grants,
		stats->granted_at_once, stats->granted_waited, stats->granted_aged);
	view_field_buf(cli, "grants", &text);
	put_duration(&text, stats->mean_hold_us);
	view_field_buf(cli, "mean hold", &text);
	view_field(cli, "refused", "%" PRId64 " by predicted wait, %" PRId64 " by full queues, %" PRId64 " timed out",
		stats->shed_predicted, stats->shed_pool_queue + stats->shed_level_queue + stats->shed_user_queue,
		stats->timed_out);
	view_field(cli, "fairness", "%.3f (Jain)", stats->jain_index);
	view_levels(cli, stats);
	view_waiters(cli, stats);
	buf_release(&text);
}

static void show(struct cli *cli, const Bursar__V1__PoolStats *stats, double grants, bool screen)
{
	if (cli->json) {
		json_put_line(&cli->out, &stats->base);
		buf_put_str(&cli->out, "\n");
	} else if (screen) {
		buf_put_str(&cli->out, OWN_ESCAPE "[H" OWN_ESCAPE "[J");
		buf_putf(&cli->out, "pool %s  (Ctrl-C ends)\n", stats->ref ? stats->ref->name : "?");
		pool_view_stats(cli, stats, grants);
	} else {
		pool_put_line(&cli->out, stats, grants);
		buf_put_str(&cli->out, "\n");
	}
	cli_flush(cli);
}

int pool_watch_run(struct cli *cli)
{
	Bursar__V1__GetPoolStatsRequest request = BURSAR__V1__GET_POOL_STATS_REQUEST__INIT;
	Bursar__V1__PoolRef ref = BURSAR__V1__POOL_REF__INIT;
	Bursar__V1__PoolStats *before = NULL, *stats;
	bool screen = !cli->json && isatty(STDOUT_FILENO);
	int64_t count = option_number(cli, "count", INT64_MAX);
	int code = EXIT_DONE;

	ref.tenant = (char *)option_text(cli, "tenant");
	ref.name = (char *)cli_arg(cli, 0);
	request.ref = &ref;
	request.rows = ROWS;
	for (int64_t i = 0; i < count; i++) {
		if (i > 0)
			nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
		stats = cli_call(cli, BURSAR_GET_POOL_STATS, &request, &code);
		if (!stats)
			break;
		show(cli, stats, pool_grant_rate(before, stats), screen);
		bursar_free(before);
		before = stats;
		code = EXIT_DONE;
	}
	bursar_free(before);
	return code;
}
