/* Bills and forecasts from the roll-ups, and the sums of the proof (pg/admin/admin.h). */
#include "pg/admin/admin.h"

#include "base/buf.h"
#include "base/list.h"
#include "base/units.h"
#include "domain/time/date.h"

/* The possible key columns of a line, in order, each with its parameter for the previous line (report_args). */
static const struct key_column {
	unsigned by;
	const char *name, *after;
} key_columns[] = {
	{BY_USER, "user_id", "$7"},
	{BY_DAY, "day", "$8::date"},
	{BY_MODEL, "provider", "$9"},
	{BY_MODEL, "model", "$10"},
	{BY_INTERFACE, "interface", "$11"},
};
enum { KEY_COLUMNS = sizeof(key_columns) / sizeof(key_columns[0]) };

/* Users have their own roll-up; a tenant's report by user reads the roll-ups of all its users. */
static const char *source_sql(const struct report_page *op)
{
	if (op->key.kind == ACCOUNT_USER)
		return " FROM usage_daily WHERE tenant = $1 AND user_id = $2";
	if (op->by & BY_USER)
		return " FROM usage_daily WHERE tenant = $1 AND $2 IS NOT NULL";
	if (op->key.kind == ACCOUNT_TEAM)
		return " FROM usage_shared_daily WHERE tenant = $1 AND kind = 2 AND id = $2";
	if (op->key.kind == ACCOUNT_ORG)
		return " FROM usage_shared_daily WHERE tenant = $1 AND kind = 3 AND id = $2";
	return " FROM usage_shared_daily WHERE tenant = $1 AND kind = 5 AND id = $2";
}

/* Appends the names of the report's key columns, or their parameters, separated by commas. */
static void put_keys(struct buf *sql, unsigned by, bool after)
{
	const char *comma = "";

	for (int i = 0; i < KEY_COLUMNS; i++) {
		if (!(by & key_columns[i].by))
			continue;
		buf_putf(sql, "%s%s", comma, after ? key_columns[i].after : key_columns[i].name);
		comma = ", ";
	}
}

/*
 * Appends the condition that a line comes after the previous one. Repeats the first column on its own, because the
 * index can use that even when the other columns are not its next ones.
 */
static void put_after(struct buf *sql, unsigned by)
{
	for (int i = 0; i < KEY_COLUMNS; i++) {
		if (by & key_columns[i].by) {
			buf_putf(sql, " AND %s >= %s", key_columns[i].name, key_columns[i].after);
			break;
		}
	}
	buf_put_str(sql, " AND (");
	put_keys(sql, by, false);
	buf_put_str(sql, ") > (");
	put_keys(sql, by, true);
	buf_put_str(sql, ")");
}

static void put_report(struct buf *sql, const struct report_page *op)
{
	buf_put_str(sql, "SELECT ");
	for (int i = 0; i < KEY_COLUMNS; i++)
		buf_putf(sql, "%s, ", op->by & key_columns[i].by ? key_columns[i].name : "''");
	buf_put_str(sql, "sum(requests)::bigint, sum(cost_nano)::bigint, sum(unpriced)::bigint" TOKEN_SUMS);
	buf_put_str(sql, source_sql(op));
	buf_put_str(sql, " AND day BETWEEN ($3::date[])[1] AND ($3::date[])[2]");
	if (op->model[0])
		buf_put_str(sql, " AND lower($4) IN (lower(model), lower(provider || '/' || model))");
	if (op->interface[0]) /* older rows have it in the caller's spelling */
		buf_put_str(sql, " AND lower(interface) = $5");
	if (op->after && op->by)
		put_after(sql, op->by);
	if (op->by) {
		buf_put_str(sql, " GROUP BY ");
		put_keys(sql, op->by, false);
		buf_put_str(sql, " ORDER BY ");
		put_keys(sql, op->by, false);
	} else {
		buf_put_str(sql, " HAVING count(*) > 0");
	}
	buf_put_str(sql, " LIMIT $6");
}

static void add_days(struct pg_args *args, int64_t from_day, int64_t to_day)
{
	int days = pg_arg_array(args, PG_DATE);

	pg_array_int(args, days, from_day * DAY_US);
	pg_array_int(args, days, to_day * DAY_US);
}

static void report_args(struct pg_args *args, const struct report_page *op)
{
	pg_arg_text(args, op->key.tenant);
	pg_arg_text(args, op->key.id);
	add_days(args, op->from_day, op->to_day);
	pg_arg_text(args, op->model);
	pg_arg_text(args, op->interface);
	pg_arg_page(args, op->limit);
	if (!op->after)
		return;
	pg_arg_text(args, op->after->user);
	pg_arg_text(args, op->after->day);
	pg_arg_text(args, op->after->provider);
	pg_arg_text(args, op->after->model);
	pg_arg_text(args, op->after->interface);
}

static void read_lines(struct report_page *op, const PGresult *result)
{
	op->count = pg_page(result, op->limit, &op->more);
	op->lines = arena_zalloc(op->job.arena, (size_t)op->count + 1, sizeof(*op->lines));
	for (int i = 0; i < op->count; i++) {
		struct bill_line *line = &op->lines[i];
		line->user = admin_text(&op->job, result, i, 0);
		line->day = admin_text(&op->job, result, i, 1);
		line->provider = admin_text(&op->job, result, i, 2);
		line->model = admin_text(&op->job, result, i, 3);
		line->interface = admin_text(&op->job, result, i, 4);
		line->requests = pg_i64(result, i, 5);
		line->cost = pg_i64(result, i, 6);
		line->unpriced = pg_i64(result, i, 7);
		for (int class = 0; class < TOKEN_CLASS_COUNT; class ++)
			line->tokens.count[class] = pg_i64(result, i, 8 + class);
	}
}

bool admin_report(struct admin_job *job, struct pg_link *link, struct err *err)
{
	struct report_page *op = container_of(job, struct report_page, job);
	PG_ARGS args = {0};
	struct buf sql = {0};
	PG_RESULT result = NULL;

	put_report(&sql, op);
	report_args(&args, op);
	result = pg_query(link, buf_str(&sql), &args, err);
	buf_release(&sql);
	if (!result)
		return false;
	read_lines(op, result);
	return true;
}

bool admin_report_users(struct admin_job *job, struct pg_link *link, struct err *err)
{
	struct report_users *op = container_of(job, struct report_users, job);
	bool one = date_month(op->from_day) == date_month(op->to_day);
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, op->tenant);
	add_days(&args, date_month(op->from_day), op->to_day);
	if (!pg_read(link,
		    one ? "SELECT count(*) FROM usage_monthly WHERE tenant = $1 AND month = ($2::date[])[1]"
			: "SELECT count(*) FROM (SELECT DISTINCT user_id FROM usage_monthly WHERE tenant = $1 AND month "
			  "BETWEEN ($2::date[])[1] AND ($2::date[])[2]) u",
		    &args, &result, err))
		return false;
	op->users = pg_i64(result, 0, 0);
	return true;
}

/* The first day of use, then the sums of the month, of its complete days and of today, in one query. */
#define FORECAST_SQL(source) \
	"SELECT coalesce((SELECT min(day) FROM " source ") - date '1970-01-01', -1), m.*, d.*, t.* FROM " \
	"(SELECT true" AMOUNT_SUMS_OR_0 " FROM " source " AND day >= ($3::date[])[1]) m, " \
	"(SELECT true" AMOUNT_SUMS_OR_0 " FROM " source " AND day >= ($3::date[])[2] AND day < ($3::date[])[3]) d, " \
	"(SELECT true" AMOUNT_SUMS_OR_0 " FROM " source " AND day >= ($3::date[])[3]) t"
#define OF_GROUP(kind) "usage_shared_daily WHERE tenant = $1 AND kind = " kind " AND id = $2"

bool admin_forecast(struct admin_job *job, struct pg_link *link, struct err *err)
{
	struct forecast_query *op = container_of(job, struct forecast_query, job);
	const char *sql = op->key.kind == ACCOUNT_USER ? FORECAST_SQL("usage_daily WHERE tenant = $1 AND user_id = $2")
			  : op->key.kind == ACCOUNT_TEAM ? FORECAST_SQL(OF_GROUP("2"))
			  : op->key.kind == ACCOUNT_ORG	 ? FORECAST_SQL(OF_GROUP("3"))
							 : FORECAST_SQL(OF_GROUP("5"));
	PG_ARGS args = {0};
	PG_RESULT result = NULL;
	int days;

	pg_arg_text(&args, op->key.tenant);
	pg_arg_text(&args, op->key.id);
	days = pg_arg_array(&args, PG_DATE);
	pg_array_int(&args, days, date_month(op->today) * DAY_US);
	pg_array_int(&args, days, op->from_day * DAY_US);
	pg_array_int(&args, days, op->today * DAY_US);
	if (!pg_read(link, sql, &args, &result, err))
		return false;
	op->first_day = pg_i64(result, 0, 0);
	op->month = pg_amounts(result, 0, 2);
	op->days = pg_amounts(result, 0, 2 + (1 + AMOUNT_COUNT));
	op->of_today = pg_amounts(result, 0, 2 + 2 * (1 + AMOUNT_COUNT));
	return true;
}

/* Only the current month: Redis still counts it, and retention cannot have removed it from the ledger yet. */
#define THIS_MONTH "day >= date_trunc('month', now() AT TIME ZONE 'UTC')::date"

bool admin_proof(struct admin_job *job, struct pg_link *link, struct err *err)
{
	enum { LEDGER = 1, ROLLUP, SHARED, USERS, COMMIT, COUNT };
	struct proof_query *op = container_of(job, struct proof_query, job);
	PG_ARGS args = {0};
	PGresult *results[COUNT];
	const struct pg_statement statements[COUNT] = {
		{"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL},
		[LEDGER] = {"SELECT count(*)" AMOUNT_SUMS_OR_0
			    " FROM ledger WHERE tenant = $1 AND entry <> 2 AND " THIS_MONTH,
			&args},
		[ROLLUP] = {"SELECT count(*)" AMOUNT_SUMS_OR_0 " FROM usage_daily WHERE tenant = $1 AND " THIS_MONTH,
			&args},
		[SHARED] = {"SELECT count(*)" AMOUNT_SUMS_OR_0
			    " FROM usage_shared_daily WHERE tenant = $1 AND kind = 5 AND id = $1 AND " THIS_MONTH,
			&args},
		/* Excludes corrections of the bill alone (flags & LEDGER_FLAG_LEDGER_ONLY), which are in no window. */
		[USERS] = {"SELECT user_id" AMOUNT_SUMS_OR_0 " FROM (SELECT user_id" AMOUNT_COLUMNS
			   " FROM usage_daily WHERE tenant = $1 AND " THIS_MONTH
			   " UNION ALL SELECT user_id" AMOUNT_NEGATED_COLUMNS " FROM "
			   "ledger WHERE tenant = $1 AND entry = 4 AND (flags & 2048) > 0 AND " THIS_MONTH
			   ") u GROUP BY 1 ORDER BY 1",
			&args},
		[COMMIT] = {"COMMIT", NULL},
	};
	bool ok;

	pg_arg_text(&args, op->tenant);
	ok = pg_pipeline(link, statements, COUNT, results, err);
	if (!ok)
		return false;
	op->ledger_rows = pg_i64(results[LEDGER], 0, 0);
	op->ledger = pg_amounts(results[LEDGER], 0, 1);
	op->rollup_rows = pg_i64(results[ROLLUP], 0, 0);
	op->rollup = pg_amounts(results[ROLLUP], 0, 1);
	op->shared_rows = pg_i64(results[SHARED], 0, 0);
	op->shared = pg_amounts(results[SHARED], 0, 1);
	op->users = PQntuples(results[USERS]);
	op->user = arena_zalloc(job->arena, (size_t)op->users + 1, sizeof(*op->user));
	op->of_user = arena_zalloc(job->arena, (size_t)op->users + 1, sizeof(*op->of_user));
	for (int i = 0; i < op->users; i++) {
		op->user[i] = admin_text(job, results[USERS], i, 0);
		op->of_user[i] = pg_amounts(results[USERS], i, 1);
	}
	pg_results_clear(results, COUNT);
	return true;
}
