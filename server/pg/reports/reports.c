/* Bills and forecasts from the roll-ups (pg/admin/admin.h). */
#include "pg/admin/admin.h"
#include "pg/reports/costs.h"

#include <string.h>

#include "base/buf.h"
#include "base/units.h"
#include "domain/time/date.h"

/* The possible key columns of a line, in order, each with its parameter for the previous line and for the last one. */
static const struct key_column {
	unsigned by;
	const char *name, *after, *last;
} key_columns[] = {
	{BY_USER, "user_id", "$7", "$13"},
	{BY_DAY, "day", "$8::date", "$14::date"},
	{BY_TIER, "tier", "$9", "$15"},
	{BY_MODEL, "provider", "$10", "$16"},
	{BY_MODEL, "model", "$11", "$17"},
	{BY_INTERFACE, "interface", "$12", "$18"},
};
enum { KEY_COLUMNS = sizeof(key_columns) / sizeof(key_columns[0]) };

enum key_part { KEY_NAMES, KEY_AFTER, KEY_LAST };

/* Users have their own roll-up; a tenant's report by user reads the roll-ups of all its users. */
static const char *source_sql(const struct report_page *op)
{
	if (op->key.kind == ACCOUNT_USER)
		return " FROM usage_daily WHERE tenant = $1 AND user_id = $2";
	if (op->by & BY_USER)
		return " FROM usage_daily WHERE tenant = $1 AND $2 IS NOT NULL";
	if (op->by & BY_TIER)
		return " FROM usage_tiers_daily WHERE tenant = $1 AND $2 IS NOT NULL";
	if (op->key.kind == ACCOUNT_TEAM)
		return " FROM usage_shared_daily WHERE tenant = $1 AND kind = 2 AND id = $2";
	if (op->key.kind == ACCOUNT_ORG)
		return " FROM usage_shared_daily WHERE tenant = $1 AND kind = 3 AND id = $2";
	return " FROM usage_shared_daily WHERE tenant = $1 AND kind = 5 AND id = $2";
}

/* The same of the rare meters. */
#define METERS_OF " FROM (SELECT *, id AS user_id FROM usage_meters) m WHERE tenant = $1"
static const char *meters_source_sql(const struct report_page *op)
{
	if (op->key.kind == ACCOUNT_USER)
		return METERS_OF " AND kind = 1 AND id = $2";
	if (op->by & BY_USER)
		return METERS_OF " AND kind = 1 AND $2 IS NOT NULL";
	if (op->by & BY_TIER)
		return " FROM usage_tiers_meters WHERE tenant = $1 AND $2 IS NOT NULL";
	if (op->key.kind == ACCOUNT_TEAM)
		return METERS_OF " AND kind = 2 AND id = $2";
	return op->key.kind == ACCOUNT_ORG ? METERS_OF " AND kind = 3 AND id = $2"
					   : METERS_OF " AND kind = 5 AND id = $2";
}

/* Appends the names of the report's key columns, or their parameters, separated by commas. */
static void put_keys(struct buf *sql, unsigned by, enum key_part part)
{
	const char *comma = "";

	for (int i = 0; i < KEY_COLUMNS; i++) {
		if (!(by & key_columns[i].by))
			continue;
		buf_putf(sql, "%s%s", comma,
			part == KEY_AFTER  ? key_columns[i].after
			: part == KEY_LAST ? key_columns[i].last
					   : key_columns[i].name);
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
	put_keys(sql, by, KEY_NAMES);
	buf_put_str(sql, ") > (");
	put_keys(sql, by, KEY_AFTER);
	buf_put_str(sql, ")");
}

/* Which rows: those of the days, the model, the interface, and behind the previous line. */
static void put_range(struct buf *sql, const struct report_page *op)
{
	buf_put_str(sql, " AND day BETWEEN ($3::date[])[1] AND ($3::date[])[2]");
	if (op->model[0])
		buf_put_str(sql, " AND lower($4) IN (lower(model), lower(provider || '/' || model))");
	if (op->interface[0]) /* older rows have it in the caller's spelling */
		buf_put_str(sql, " AND lower(interface) = $5");
	if (op->after && op->by)
		put_after(sql, op->by);
}

static void put_report(struct buf *sql, const struct report_page *op)
{
	buf_put_str(sql, "SELECT ");
	for (int i = 0; i < KEY_COLUMNS; i++)
		buf_putf(sql, "%s, ", op->by & key_columns[i].by ? key_columns[i].name : "''");
	buf_put_str(sql, "sum(requests)::bigint, sum(cost_nano)::bigint, sum(unpriced)::bigint" METER_SUMS);
	buf_put_str(sql, source_sql(op));
	put_range(sql, op);
	if (op->by) {
		buf_put_str(sql, " GROUP BY ");
		put_keys(sql, op->by, KEY_NAMES);
		/*
		 * Not a line that a re-rating has emptied. A tier may be left with less than nothing on a line, if the
		 * request was counted before tiers were kept, and its re-rating after that: the sums need it.
		 */
		buf_put_str(sql, op->by & BY_TIER ? " HAVING sum(rows) <> 0 OR sum(cost_nano) <> 0 ORDER BY "
						  : " HAVING sum(rows) > 0 ORDER BY ");
		put_keys(sql, op->by, KEY_NAMES);
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

static void line_args(struct pg_args *args, const struct bill_line *line)
{
	pg_arg_text(args, line ? line->user : "");
	pg_arg_text(args, line ? line->day : "");
	pg_arg_text(args, line ? line->tier : "");
	pg_arg_text(args, line ? line->provider : "");
	pg_arg_text(args, line ? line->model : "");
	pg_arg_text(args, line ? line->interface : "");
}

static void report_args(struct pg_args *args, const struct report_page *op)
{
	pg_arg_text(args, op->key.tenant);
	pg_arg_text(args, op->key.id);
	add_days(args, op->from_day, op->to_day);
	pg_arg_text(args, op->model);
	pg_arg_text(args, op->interface);
	pg_arg_page(args, op->limit);
	if (op->after)
		line_args(args, op->after);
}

static void read_lines(struct report_page *op, const PGresult *result)
{
	op->count = pg_page(result, op->limit, &op->more);
	op->lines = arena_zalloc(op->job.arena, (size_t)op->count + 1, sizeof(*op->lines));
	for (int i = 0; i < op->count; i++) {
		struct bill_line *line = &op->lines[i];
		line->user = admin_text(&op->job, result, i, 0);
		line->day = admin_text(&op->job, result, i, 1);
		line->tier = admin_text(&op->job, result, i, 2);
		line->provider = admin_text(&op->job, result, i, 3);
		line->model = admin_text(&op->job, result, i, 4);
		line->interface = admin_text(&op->job, result, i, 5);
		line->requests = pg_i64(result, i, KEY_COLUMNS);
		line->cost = pg_i64(result, i, KEY_COLUMNS + 1);
		line->unpriced = pg_i64(result, i, KEY_COLUMNS + 2);
		for (int meter = 0; meter < METER_KEPT_COUNT; meter++)
			line->meters.count[meter] = pg_i64(result, i, KEY_COLUMNS + 3 + meter);
	}
}

/* The rare meters of the page's lines, in their order. */
static void put_meters(struct buf *sql, const struct report_page *op)
{
	buf_put_str(sql, "SELECT ");
	for (int i = 0; i < KEY_COLUMNS; i++)
		buf_putf(sql, "%s, ", op->by & key_columns[i].by ? key_columns[i].name : "''");
	buf_put_str(sql, "meter, sum(count)::bigint");
	buf_put_str(sql, meters_source_sql(op));
	put_range(sql, op);
	if (op->by) {
		buf_put_str(sql, " AND (");
		put_keys(sql, op->by, KEY_NAMES);
		buf_put_str(sql, ") <= (");
		put_keys(sql, op->by, KEY_LAST);
		buf_put_str(sql, ")");
	}
	buf_put_str(sql, " AND $6 > 0 GROUP BY ");
	put_keys(sql, op->by, KEY_NAMES);
	buf_put_str(sql, op->by ? ", meter" : "meter");
	buf_put_str(sql, " HAVING sum(count) <> 0 ORDER BY ");
	put_keys(sql, op->by, KEY_NAMES);
	buf_put_str(sql, op->by ? ", meter" : "meter");
}

static bool is_line(const struct bill_line *line, const PGresult *result, int row)
{
	const char *const keys[KEY_COLUMNS] = {
		line->user, line->day, line->tier, line->provider, line->model, line->interface};

	for (int i = 0; i < KEY_COLUMNS; i++)
		if (strcmp(keys[i], pg_text(result, row, i)) != 0)
			return false;
	return true;
}

static bool read_meters(struct report_page *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	struct buf sql = {0};
	PG_RESULT result = NULL;
	int at = 0;

	if (op->count == 0)
		return true;
	put_meters(&sql, op);
	report_args(&args, op);
	if (!op->after)
		line_args(&args, NULL);
	line_args(&args, &op->lines[op->count - 1]);
	result = pg_query(link, buf_str(&sql), &args, err);
	buf_release(&sql);
	for (int row = 0; result && row < PQntuples(result); row++) {
		int meter = meter_find(pg_text(result, row, KEY_COLUMNS));

		while (at < op->count && !is_line(&op->lines[at], result, row))
			at++;
		if (at == op->count)
			break;
		if (meter >= METER_KEPT_COUNT)
			op->lines[at].meters.count[meter] = pg_i64(result, row, KEY_COLUMNS + 1);
	}
	return result != NULL;
}

bool admin_report(struct report_page *op, struct pg_link *link, struct err *err)
{
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
	return read_meters(op, link, err) && report_costs_add(op, link, err);
}

bool admin_report_users(struct report_users *op, struct pg_link *link, struct err *err)
{
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

bool admin_forecast(struct forecast_query *op, struct pg_link *link, struct err *err)
{
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
