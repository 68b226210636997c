/* Figures and bills, from the roll-ups; and two of the proof's three sums. */
#include "pg/admin.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/list.h"

#define SUMS "sum(requests)::bigint, sum(charged_input)::bigint, sum(charged_output)::bigint, sum(cost_nano)::bigint"
#define NO_SUMS \
	"coalesce(sum(requests), 0)::bigint, coalesce(sum(charged_input), 0)::bigint, " \
	"coalesce(sum(charged_output), 0)::bigint, coalesce(sum(cost_nano), 0)::bigint"
#define OF_DAYS " FROM usage_daily WHERE tenant = $1 AND day >= ($2::date[])[1] AND day <= ($2::date[])[2] "

static struct use read_use(const PGresult *result, int row, int column)
{
	return (struct use){
		.requests = pg_i64(result, row, column),
		.input = pg_i64(result, row, column + 1),
		.output = pg_i64(result, row, column + 2),
		.cost = pg_i64(result, row, column + 3),
	};
}

static struct named_use *read_named(struct admin_job *job, const PGresult *result, int *count)
{
	struct named_use *named;

	*count = PQntuples(result);
	named = arena_zalloc(job->arena, (size_t)*count + 1, sizeof(*named));
	for (int i = 0; i < *count; i++) {
		named[i].name = admin_text(job, result, i, 0);
		named[i].use = read_use(result, i, 1);
	}
	return named;
}

static void read_tiers(struct stats_query *op, const PGresult *result)
{
	op->tiers = PQntuples(result);
	op->tier = arena_zalloc(op->job.arena, (size_t)op->tiers + 1, sizeof(*op->tier));
	for (int i = 0; i < op->tiers; i++) {
		op->tier[i].tier = admin_text(&op->job, result, i, 0);
		op->tier[i].accounts = pg_i64(result, i, 1);
		op->tier[i].suspended = pg_i64(result, i, 2);
	}
}

enum {
	STATS_TIERS = 1,
	STATS_USERS,
	STATS_DAYS,
	STATS_MODELS,
	STATS_INTERFACES,
	STATS_TOTAL,
	STATS_COMMIT,
	STATS_COUNT
};

static void read_stats(struct stats_query *op, PGresult **results)
{
	read_tiers(op, results[STATS_TIERS]);
	op->user = read_named(&op->job, results[STATS_USERS], &op->users);
	op->day = read_named(&op->job, results[STATS_DAYS], &op->days);
	op->model = read_named(&op->job, results[STATS_MODELS], &op->models);
	op->interface = read_named(&op->job, results[STATS_INTERFACES], &op->interfaces);
	op->total = read_use(results[STATS_TOTAL], 0, 0);
}

bool admin_stats(struct admin_job *job, struct pg_link *link, struct err *err)
{
	struct stats_query *op = container_of(job, struct stats_query, job);
	struct pg_args tenant = {0}, days = {0}, top = {0};
	PGresult *results[STATS_COUNT];

	pg_arg_text(&tenant, op->tenant);
	struct pg_args *ranges[] = {&days, &top};
	for (int i = 0; i < 2; i++) {
		pg_arg_text(ranges[i], op->tenant);
		int array = pg_arg_array(ranges[i], PG_DATE);
		pg_array_int(ranges[i], array, op->from_us);
		pg_array_int(ranges[i], array, op->to_us);
	}
	pg_arg_int(&top, op->top);
	const struct pg_statement statements[STATS_COUNT] = {
		{.sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"},
		[STATS_TIERS] =
			{.sql = "SELECT CASE WHEN a.tier <> '' THEN a.tier ELSE (SELECT default_tier FROM tenants "
				"WHERE id IN ($1, 'default') ORDER BY id <> $1 LIMIT 1) END AS name, count(*), "
				"count(*) FILTER (WHERE a.suspended) FROM accounts a WHERE a.tenant = $1 AND a.kind = "
				"1 "
				"AND NOT a.deleted GROUP BY 1 ORDER BY 1",
				.args = &tenant},
		[STATS_USERS] = {.sql = "SELECT user_id, " SUMS OF_DAYS
					"GROUP BY 1 ORDER BY sum(cost_nano) DESC, 1 LIMIT $3",
			.args = &top},
		[STATS_DAYS] = {.sql = "SELECT day, " SUMS OF_DAYS "GROUP BY 1 ORDER BY 1", .args = &days},
		[STATS_MODELS] = {.sql = "SELECT concat_ws('/', nullif(provider, ''), model), " SUMS OF_DAYS
					 "GROUP BY 1 ORDER BY sum(cost_nano) DESC, 1",
			.args = &days},
		[STATS_INTERFACES] = {.sql = "SELECT interface, " SUMS OF_DAYS
					     "GROUP BY 1 ORDER BY sum(cost_nano) DESC, 1",
			.args = &days},
		[STATS_TOTAL] = {.sql = "SELECT " NO_SUMS OF_DAYS, .args = &days},
		[STATS_COMMIT] = {.sql = "COMMIT"},
	};
	bool ok = pg_pipeline(link, statements, STATS_COUNT, results, err);
	pg_args_release(&tenant);
	pg_args_release(&days);
	pg_args_release(&top);
	if (!ok)
		return false;
	read_stats(op, results);
	for (int i = 0; i < STATS_COUNT; i++)
		PQclear(results[i]);
	return true;
}

static void read_lines(struct bill_query *op, const PGresult *result)
{
	op->count = PQntuples(result);
	op->lines = arena_zalloc(op->job.arena, (size_t)op->count + 1, sizeof(*op->lines));
	for (int i = 0; i < op->count; i++) {
		struct bill_line *line = &op->lines[i];
		line->day = admin_text(&op->job, result, i, 0);
		line->provider = admin_text(&op->job, result, i, 1);
		line->model = admin_text(&op->job, result, i, 2);
		line->interface = admin_text(&op->job, result, i, 3);
		line->requests = pg_i64(result, i, 4);
		line->cost = pg_i64(result, i, 5);
		line->unpriced = pg_i64(result, i, 6);
		for (int class = 0; class < TOKEN_CLASS_COUNT; class ++)
			line->tokens.count[class] = pg_i64(result, i, 7 + class);
	}
}

#define BILL_SQL(who) \
	"SELECT day, provider, model, interface, sum(requests)::bigint, sum(cost_nano)::bigint, " \
	"sum(unpriced)::bigint, " \
	"sum(input)::bigint, sum(cached_input)::bigint, sum(cache_write)::bigint, sum(output)::bigint, " \
	"sum(reasoning)::bigint, " \
	"sum(audio_input)::bigint, sum(audio_output)::bigint FROM usage_daily WHERE tenant = $1 AND " who \
	" AND day >= $3::date AND day < $3::date + interval '1 month' GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"

bool admin_bill(struct admin_job *job, struct pg_link *link, struct err *err)
{
	struct bill_query *op = container_of(job, struct bill_query, job);
	struct pg_args args = {0};
	char month[16];

	if (op->key.kind != ACCOUNT_USER && op->key.kind != ACCOUNT_TENANT)
		return err_invalid(err, "ref.kind", "bills are made for users and for tenants");
	snprintf(month, sizeof(month), "%04d-%02d-01", op->year % 10000, op->month % 100);
	pg_arg_text(&args, op->key.tenant);
	pg_arg_text(&args, op->key.id);
	pg_arg_text(&args, month);
	const char *sql = op->key.kind == ACCOUNT_USER ? BILL_SQL("user_id = $2") : BILL_SQL("$2 IS NOT NULL");
	PGresult *result = pg_query(link, sql, &args, err);
	pg_args_release(&args);
	if (!result)
		return false;
	read_lines(op, result);
	PQclear(result);
	return true;
}

/* Of the running month: that is what Redis still counts, and what retention has surely left in the ledger. */
#define THIS_MONTH "day >= date_trunc('month', now() AT TIME ZONE 'UTC')::date"

bool admin_proof(struct admin_job *job, struct pg_link *link, struct err *err)
{
	struct proof_query *op = container_of(job, struct proof_query, job);
	struct pg_args args = {0};
	PGresult *results[5];

	pg_arg_text(&args, op->tenant);
	const struct pg_statement statements[] = {
		{.sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"},
		{.sql = "SELECT count(*), " NO_SUMS " FROM ledger WHERE tenant = $1 AND entry <> 2 AND " THIS_MONTH,
			.args = &args},
		{.sql = "SELECT count(*), " NO_SUMS " FROM usage_daily WHERE tenant = $1 AND " THIS_MONTH,
			.args = &args},
		{.sql = "SELECT DISTINCT user_id FROM usage_daily WHERE tenant = $1 AND " THIS_MONTH " ORDER BY 1",
			.args = &args},
		{.sql = "COMMIT"},
	};
	bool ok = pg_pipeline(link, statements, 5, results, err);
	pg_args_release(&args);
	if (!ok)
		return false;
	op->ledger_rows = pg_i64(results[1], 0, 0);
	op->ledger = read_use(results[1], 0, 1);
	op->rollup_rows = pg_i64(results[2], 0, 0);
	op->rollup = read_use(results[2], 0, 1);
	op->users = PQntuples(results[3]);
	op->user = arena_zalloc(job->arena, (size_t)op->users + 1, sizeof(*op->user));
	for (int i = 0; i < op->users; i++)
		op->user[i] = admin_text(job, results[3], i, 0);
	for (int i = 0; i < 5; i++)
		PQclear(results[i]);
	return true;
}
