/* pool ... (commands.h): settings and figures of priority pools. */
#include "cli/cmd/admin/admin.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/common/view.h"
#include "cli/live/pool_watch.h"
#include "cli/text/format.h"

enum { LEVELS_MAX = 16, ROWS = 10 };

static void read_ref(struct cli *cli, Bursar__V1__PoolRef *ref)
{
	bursar__v1__pool_ref__init(ref);
	ref->tenant = (char *)option_text(cli, "tenant");
	ref->name = (char *)cli_arg(cli, 0);
}

static void view_time(struct cli *cli, const char *label, int64_t us, const char *what)
{
	struct buf text = {0};

	put_duration(&text, us);
	buf_putf(&text, "  %s", what);
	view_field_buf(cli, label, &text);
	buf_release(&text);
}

static void show_levels(struct cli *cli, const Bursar__V1__Pool *pool)
{
	for (size_t i = 0; i < pool->n_levels; i++) {
		const Bursar__V1__PoolLevel *level = pool->levels[i];

		if (level->queue_limit > 0)
			view_field(cli, "level", "priority %d, weight %d, at most %d waiting", level->priority,
				level->weight, level->queue_limit);
		else
			view_field(cli, "level", "priority %d, weight %d", level->priority, level->weight);
	}
}

static void show_pool(struct cli *cli, const Bursar__V1__Pool *pool)
{
	buf_putf(&cli->out, "pool %s%s%s\n", pool->ref ? pool->ref->name : "?", pool->paused ? "  (paused)" : "",
		pool->pending ? "  (committed, takes effect when the store answers)" : "");
	view_field(cli, "size", "%d slots%s", pool->slots, pool->slots_from_option ? ", from the server's option" : "");
	if (pool->user_queue_limit)
		view_field(cli, "queue", "at most %d waiting, %d per priority, %d per user", pool->queue_limit,
			pool->level_queue_limit, pool->user_queue_limit);
	else
		view_field(cli, "queue", "at most %d waiting, %d per priority, 2 x the user's concurrency + 8 per user",
			pool->queue_limit, pool->level_queue_limit);
	view_time(cli, "lease", pool->lease_us, "unless renewed");
	view_time(cli, "wait", pool->wait_max_us, "at most");
	view_time(cli, "predicted", pool->predicted_wait_max_us, "or longer: refused at once");
	view_time(cli, "starving", pool->starve_us, "or longer: reported");
	view_time(cli, "aged", pool->age_us, "or longer: served by the aged lane");
	view_field(cli, "aged lane", "at least every %dth grant", pool->age_every);
	view_time(cli, "drain", pool->drain_us, "for holders to finish when the pool shrinks");
	view_time(cli, "estimate", pool->estimate_us, "per job, until a mean is known");
	if (pool->available)
		view_field(
			cli, "fail-over", "grants continue at once, at the risk of too many leases for one lease time");
	else
		view_time(cli, "fail-over", pool->lease_us + pool->learn_margin_us, "without grants");
	show_levels(cli, pool);
}
static void pool_cells(struct table *table, const void *message)
{
	const Bursar__V1__Pool *pool = message;

	table_cell(table, "%s", pool->ref ? pool->ref->name : "?");
	table_cell(table, "%d", pool->slots);
	table_cell(table, "%d", pool->queue_limit);
	table_duration(table, pool->wait_max_us);
	table_cell(table, "%s", pool->paused ? "paused" : "open");
}

static void show_pools(struct cli *cli, const Bursar__V1__ListPoolsResponse *answer)
{
	static const char *const columns[] = {"POOL", ">SLOTS", ">QUEUE", ">MAX WAIT", "STATE", NULL};

	view_rows(cli, columns, answer->pools, answer->n_pools, pool_cells, "no pools");
}

static int run_list(struct cli *cli)
{
	Bursar__V1__ListPoolsRequest request = BURSAR__V1__LIST_POOLS_REQUEST__INIT;

	request.tenant = (char *)option_text(cli, "tenant");
	return cli_show(cli, BURSAR_LIST_POOLS, &request, show_pools);
}

static int run_show(struct cli *cli)
{
	Bursar__V1__GetPoolRequest request = BURSAR__V1__GET_POOL_REQUEST__INIT;
	Bursar__V1__GetPoolStatsRequest look = BURSAR__V1__GET_POOL_STATS_REQUEST__INIT;
	Bursar__V1__PoolRef ref;
	Bursar__V1__Pool *pool;
	Bursar__V1__PoolStats *stats;
	int code = EXIT_DONE;

	read_ref(cli, &ref);
	request.ref = look.ref = &ref;
	pool = cli_call(cli, BURSAR_GET_POOL, &request, &code);
	if (!pool)
		return code;
	if (!cli_json(cli, pool)) {
		show_pool(cli, pool);
		stats = cli_call(cli, BURSAR_GET_POOL_STATS, &look, &code);
		if (stats) {
			code = EXIT_DONE;
			Bursar__V1__ListTiersResponse *tiers = pool_tiers(cli);

			buf_put_str(&cli->out, "\n");
			pool_view_stats(cli, stats, 0, tiers);
			bursar_free(tiers);
		}
		bursar_free(stats);
	} else {
		code = EXIT_DONE;
	}
	bursar_free(pool);
	return code;
}

static bool read_int(struct cli *cli, const char *name, int32_t *out)
{
	int64_t number = option_number(cli, name, 0);

	if (number > INT32_MAX)
		return err_set(&cli->err, ERR_INVALID, "--%s: must be at most 2^31-1", name);
	*out = (int32_t)number;
	return true;
}

static void show_stats(struct cli *cli, const Bursar__V1__PoolStats *stats)
{
	Bursar__V1__ListTiersResponse *tiers;

	buf_putf(&cli->out, "pool %s\n", stats->ref ? stats->ref->name : "?");
	if (stats->of_user) {
		pool_view_user(cli, stats);
		return;
	}
	tiers = pool_tiers(cli);
	pool_view_stats(cli, stats, 0, tiers);
	bursar_free(tiers);
}

static int run_stats(struct cli *cli)
{
	Bursar__V1__GetPoolStatsRequest request = BURSAR__V1__GET_POOL_STATS_REQUEST__INIT;
	Bursar__V1__PoolRef ref;

	read_ref(cli, &ref);
	request.ref = &ref;
	request.user = (char *)option_text(cli, "user");
	request.rows = ROWS;
	if (option_given(cli, "rows") && !read_int(cli, "rows", &request.rows))
		return cli_usage(cli);
	return cli_show(cli, BURSAR_GET_POOL_STATS, &request, show_stats);
}

/* PRIORITY:WEIGHT[:QUEUE_LIMIT] */
static bool read_level(struct cli *cli, const char *text, Bursar__V1__PoolLevel *level)
{
	int used = 0;

	bursar__v1__pool_level__init(level);
	if (sscanf(text, "%6" SCNd32 ":%6" SCNd32 "%n", &level->priority, &level->weight, &used) == 2) {
		if (text[used] == '\0')
			return true;
		int more = 0;
		if (sscanf(text + used, ":%9" SCNd32 "%n", &level->queue_limit, &more) == 1 &&
			text[used + more] == '\0')
			return true;
	}
	return err_set(&cli->err, ERR_INVALID,
		"--level: '%s' must look like 10:100 or 10:100:500 (priority, weight, queue limit)", text);
}

static bool read_numbers(struct cli *cli, Bursar__V1__PutPoolRequest *put)
{
	if (!read_int(cli, "slots", &put->slots) || !read_int(cli, "queue-limit", &put->queue_limit) ||
		!read_int(cli, "level-queue-limit", &put->level_queue_limit) ||
		!read_int(cli, "user-queue-limit", &put->user_queue_limit) ||
		!read_int(cli, "age-every", &put->age_every))
		return false;
	if (option_given(cli, "slots"))
		put->slots_given_case = BURSAR__V1__PUT_POOL_REQUEST__SLOTS_GIVEN_SLOTS;
	if (option_given(cli, "user-queue-limit"))
		put->user_queue_limit_given_case =
			BURSAR__V1__PUT_POOL_REQUEST__USER_QUEUE_LIMIT_GIVEN_USER_QUEUE_LIMIT;
	put->slots_from_option = option_given(cli, "slots-from-option");
	put->clear_levels = option_given(cli, "clear-levels");
	return true;
}

static void read_times(struct cli *cli, Bursar__V1__PutPoolRequest *put)
{
	put->lease_us = option_number(cli, "lease", 0);
	put->age_us = option_number(cli, "age", 0);
	put->starve_us = option_number(cli, "starve", 0);
	put->predicted_wait_max_us = option_number(cli, "predicted-wait-max", 0);
	put->wait_max_us = option_number(cli, "wait-max", 0);
	put->estimate_us = option_number(cli, "estimate", 0);
	put->learn_margin_us = option_number(cli, "learn-margin", 0);
	put->drain_us = option_number(cli, "drain", 0);
}

static void read_switches(struct cli *cli, Bursar__V1__PutPoolRequest *put)
{
	if (option_given(cli, "paused")) {
		put->paused_given_case = BURSAR__V1__PUT_POOL_REQUEST__PAUSED_GIVEN_PAUSED;
		put->paused = option_text(cli, "paused")[0] == 'y';
	}
	if (option_given(cli, "available")) {
		put->available_given_case = BURSAR__V1__PUT_POOL_REQUEST__AVAILABLE_GIVEN_AVAILABLE;
		put->available = option_text(cli, "available")[0] == 'y';
	}
}

static int put_pool(struct cli *cli, Bursar__V1__PutPoolRequest *put)
{
	Bursar__V1__PoolRef ref;
	int code;

	read_ref(cli, &ref);
	put->ref = &ref;
	put->reason = (char *)option_text(cli, "reason");
	code = cli_show(cli, BURSAR_PUT_POOL, put, show_pool);
	put->ref = NULL; /* `ref` is local to this function */
	return code;
}

static int run_put(struct cli *cli)
{
	Bursar__V1__PutPoolRequest put = BURSAR__V1__PUT_POOL_REQUEST__INIT;
	Bursar__V1__PoolLevel level[LEVELS_MAX], *levels[LEVELS_MAX];
	size_t count;
	const char *const *texts = option_list(cli, "level", &count);

	if (count > LEVELS_MAX) {
		err_set(&cli->err, ERR_INVALID, "--level: a pool has at most %d", LEVELS_MAX);
		return cli_usage(cli);
	}
	for (size_t i = 0; i < count; i++) {
		levels[i] = &level[i];
		if (!read_level(cli, texts[i], &level[i]))
			return cli_usage(cli);
	}
	put.levels = levels;
	put.n_levels = count;
	if (!read_numbers(cli, &put))
		return cli_usage(cli);
	read_times(cli, &put);
	read_switches(cli, &put);
	return put_pool(cli, &put);
}

static int run_drain(struct cli *cli)
{
	Bursar__V1__PutPoolRequest put = BURSAR__V1__PUT_POOL_REQUEST__INIT;

	if (!read_int(cli, "slots", &put.slots))
		return cli_usage(cli);
	if (option_given(cli, "slots"))
		put.slots_given_case = BURSAR__V1__PUT_POOL_REQUEST__SLOTS_GIVEN_SLOTS;
	put.paused_given_case = BURSAR__V1__PUT_POOL_REQUEST__PAUSED_GIVEN_PAUSED;
	put.paused = true;
	return put_pool(cli, &put);
}

static int run_resume(struct cli *cli)
{
	Bursar__V1__ResumePoolRequest request = BURSAR__V1__RESUME_POOL_REQUEST__INIT;
	Bursar__V1__PoolRef ref;

	read_ref(cli, &ref);
	request.ref = &ref;
	request.reason = (char *)option_text(cli, "reason");
	return cli_show(cli, BURSAR_RESUME_POOL, &request, show_pool);
}

static const struct command commands[] = {
	{
		COMMAND("pool list", "", "list the pools of a tenant", run_list),
		.options = {OPTION_TENANT},
		.examples = {"pool list", "pool list --tenant acme --json"},
	},
	{
		COMMAND("pool show", "[POOL]", "show a pool's settings and what is going on in it", run_show),
		.about = "Without POOL, shows agent-execution, the default in all pool commands except put. --json "
			 "prints only the settings; 'pool watch -n 1 --json' prints the figures.",
		.options = {OPTION_TENANT},
		.examples = {"pool show", "pool show gpu --json"},
	},
	{
		COMMAND("pool stats", "[POOL]", "print a pool's figures once, or a user's place in its queue",
			run_stats),
		.about = "With --user: what the user waits for, wherever it is in the queue, with its place among the "
			 "requests of the same priority and about how long it takes; and the slots that the user "
			 "holds. Only the 1,000 leases that end first are looked at for those.",
		.options = {OPTION_TENANT,
			{'u', "user", OPTION_TEXT, "USER", "show only what this user waits for and holds", NULL},
			{'\0', "rows", OPTION_COUNT, "N", "list up to N of each, at most 100 (default: 10)", NULL}},
		.examples = {"pool stats", "pool stats gpu --user alice", "pool stats --rows 100 --json"},
	},
	{
		COMMAND("pool put", "POOL", "create a pool, or change its size and settings", run_put),
		.about = "Settings that are not given stay as they are. Changes take effect at once. A smaller pool "
			 "does not interrupt work: nothing is granted until there is room, and the newest leases of "
			 "the lowest priorities are told to end within --drain.",
		.options = {OPTION_TENANT, OPTION_REASON,
			{'s', "slots", OPTION_COUNT, "N", "how many requests may run at once; required for a new pool",
				NULL},
			{'\0', "slots-from-option", OPTION_FLAG, NULL, "use the server's max_concurrent_agents", NULL},
			{'\0', "paused", OPTION_CHOICE, "YES", "grant nothing", "yes|no"},
			{'\0', "available", OPTION_CHOICE, "YES",
				"after a fail-over, continue at once, at the risk of too many leases for one lease "
				"time",
				"yes|no"},
			{'\0', "queue-limit", OPTION_COUNT, "N", "how many requests may wait", NULL},
			{'\0', "level-queue-limit", OPTION_COUNT, "N", "how many requests of one priority may wait",
				NULL},
			{'\0', "user-queue-limit", OPTION_COUNT, "N",
				"how many requests of one user may wait; 0 is 2 x what the user may run + 8", NULL},
			{'\0', "lease", OPTION_DURATION, "DURATION", "how long a lease lasts without renewal", NULL},
			{'\0', "wait-max", OPTION_DURATION, "DURATION", "the longest time that a request may wait",
				NULL},
			{'\0', "predicted-wait-max", OPTION_DURATION, "DURATION",
				"refuse a request at once if it would wait longer", NULL},
			{'\0', "starve", OPTION_DURATION, "DURATION", "report requests that wait longer", NULL},
			{'\0', "age", OPTION_DURATION, "DURATION", "serve requests that wait longer in the aged lane",
				NULL},
			{'\0', "age-every", OPTION_COUNT, "N", "give every Nth grant to the aged lane", NULL},
			{'\0', "estimate", OPTION_DURATION, "DURATION", "the length of a job, until a mean is known",
				NULL},
			{'\0', "learn-margin", OPTION_DURATION, "DURATION",
				"how long after a fail-over to grant nothing, in addition to one lease time", NULL},
			{'\0', "drain", OPTION_DURATION, "DURATION",
				"how long holders have to finish when the pool shrinks", NULL},
			{'l', "level", OPTION_LIST, "P:W[:Q]",
				"priority, weight and queue limit; replaces the existing levels; may be repeated",
				NULL},
			{'\0', "clear-levels", OPTION_FLAG, NULL, "make the weights equal to the priorities again",
				NULL}},
		.examples = {"pool put gpu --slots 8 --wait-max 10min --predicted-wait-max 5min",
			"pool put agent-execution --slots 50", "pool put agent-execution --slots-from-option",
			"pool put gpu --level 10:100 --level 1:5:200"},
	},
	{
		COMMAND("pool drain", "[POOL]",
			"grant nothing more; running requests may finish, waiting ones stay queued", run_drain),
		.about = "With --slots the pool also shrinks, and holders beyond that are told to end. 'pool resume' "
			 "ends the pause.",
		.options = {OPTION_TENANT, OPTION_REASON,
			{'s', "slots", OPTION_COUNT, "N", "also shrink the pool to N slots", NULL}},
		.examples = {"pool drain --reason deploy", "pool drain gpu --slots 0"},
	},
	{
		COMMAND("pool resume", "[POOL]", "end a pause, or the wait after a fail-over", run_resume),
		.about = "After a fail-over nothing is granted until every earlier lease is either known or over. If "
			 "you resume before that, you confirm that none of the unknown ones is alive.",
		.options = {OPTION_TENANT, OPTION_REASON},
		.examples = {"pool resume", "pool resume gpu --reason 'all agents were restarted'"},
	},
	{
		COMMAND("pool watch", "[POOL]",
			"watch a pool: slots, queue by priority, longest waits, grants per second", pool_watch_run),
		.about = "On a terminal it uses the whole screen until q or Ctrl-C, and is updated every second. "
			 "Elsewhere, and with -n, it prints one line per second; with --json, one line of JSON. SHARE "
			 "is the share of the slot time that a priority has used. ENTITLED is what its weight entitles "
			 "it to among the priorities with demand; '-' means no demand.",
		.options = {OPTION_TENANT, {'n', "count", OPTION_SOME, "N", "stop after N updates", NULL}},
		.examples = {"pool watch", "pool watch gpu -n 60 > queue.log", "pool watch --json -n 1"},
	},
};

const struct command_group pool_commands = {"Priority pools", commands, sizeof(commands) / sizeof(*commands)};
