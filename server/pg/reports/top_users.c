/*
 * The users that cost most in a range of days (pg/admin/admin.h). Summing up a million users takes a second. So the
 * query first examines only the top users of each month that the range touches, and stops there if it can prove that
 * nobody else is among the top: a user who is not among a month's top users cost at most as much in it as the last of
 * them, and in part of a month at most as much as in all of it.
 */
#include "pg/admin/admin.h"

#include "domain/time/date.h"

/* How many users are examined per place: enough when some use far more than others. */
enum { CANDIDATES_A_PLACE = 50 };

/*
 * The users' use: whole months from usage_monthly, partial ones from usage_daily. $2: the first and last day before the
 * whole months, the first day of the first month and of the month after the last, and the first and last day after
 * them.
 */
#define USE_OF_RANGE(whose) \
	"SELECT user_id" AMOUNT_COLUMNS " FROM usage_monthly WHERE tenant = " \
	"$1" whose " AND month >= ($2::date[])[3] AND month < ($2::date[])[4] UNION ALL " \
	"SELECT user_id" AMOUNT_COLUMNS " FROM usage_daily WHERE tenant = $1" whose \
	" AND (day BETWEEN ($2::date[])[1] AND ($2::date[])[2] OR day BETWEEN ($2::date[])[5] AND ($2::date[])[6])"
#define DEAREST "GROUP BY 1 ORDER BY sum(cost_nano) DESC, 1 LIMIT $3"
#define USE_OF_EACH(users, more) \
	"SELECT c.user_id" AMOUNT_SUMS more " FROM (" users \
	") c CROSS JOIN LATERAL (" USE_OF_RANGE(" AND user_id = c.user_id") ") u " DEAREST

/* For all users only the cost is summed up. */
static const char all_sql[] = USE_OF_EACH("SELECT user_id FROM (" USE_OF_RANGE("") ") a " DEAREST, "");

/* $4: how many users per month. The last column bounds the cost of users not examined; NULL: all were examined. */
static const char likely_sql[] =
	"WITH dearest AS MATERIALIZED (SELECT month, d.user_id, d.cost_nano FROM "
	"generate_series(date_trunc('month', ($2::date[])[1]::timestamp), ($2::date[])[6]::timestamp, '1 month') m "
	"(month) CROSS JOIN LATERAL (SELECT user_id, cost_nano FROM usage_monthly WHERE tenant = $1 AND month = "
	"m.month::date ORDER BY cost_nano DESC LIMIT $4) d), "
	"last AS (SELECT min(cost_nano) AS cost FROM dearest GROUP BY month HAVING count(*) = $4) " USE_OF_EACH(
		"SELECT DISTINCT user_id FROM dearest", ", (SELECT sum(cost)::bigint FROM last)");

/* A single month has one row per user: nothing needs summing up, and one pass finds the top users. */
static const char month_sql[] = "SELECT user_id" AMOUNT_COLUMNS " FROM usage_monthly WHERE tenant = $1 AND "
				"month = ($2::date[])[3] ORDER BY cost_nano DESC, user_id LIMIT $3";

/* A range cut into whole months and the days around them: pairs of days, empty when the second is smaller. */
struct spans {
	int64_t before, before_last, month, month_end, after, after_last;
};

static struct spans spans_of(const struct stats_query *op)
{
	int64_t from = op->from_day, to = op->to_day;
	int64_t first = date_month(from) == from ? from : date_next_month(from);
	int64_t end = to >= op->today || date_month(to + 1) == to + 1 ? date_next_month(to) : date_month(to);

	if (first >= end)
		return (struct spans){from, to, from, from, to + 1, to};
	return (struct spans){from, first - 1, first, end, end, to};
}

static bool is_one_month(const struct spans *spans)
{
	return spans->before_last < spans->before && spans->after_last < spans->after &&
	       date_next_month(spans->month) == spans->month_end;
}

static PGresult *ask(const struct stats_query *op, struct pg_link *link, const char *sql, struct err *err)
{
	const struct spans spans = spans_of(op);
	PG_ARGS args = {0};
	PGresult *result;

	pg_arg_text(&args, op->tenant);
	admin_days_add(&args,
		(const int64_t[]){
			spans.before, spans.before_last, spans.month, spans.month_end, spans.after, spans.after_last},
		6);
	pg_arg_int(&args, op->top);
	if (sql == likely_sql)
		pg_arg_int(&args, (int64_t)op->top * CANDIDATES_A_PLACE);
	result = pg_query(link, sql, &args, err);
	return result;
}

/* The last column of likely_sql, behind the name and the amounts. */
enum { UNSEEN = 1 + AMOUNT_COUNT };

/* Whether no user outside the examined ones can be on top. A tie proves nothing, because names decide then. */
static bool is_proven(const PGresult *likely, int top)
{
	int rows = PQntuples(likely);

	if (rows == 0)
		return false;
	return PQgetisnull(likely, 0, UNSEEN) ||
	       (rows == top && pg_i64(likely, rows - 1, 1 + AMOUNT_COST) > pg_i64(likely, 0, UNSEEN));
}

bool admin_top_users(struct stats_query *op, struct pg_link *link, struct err *err)
{
	const struct spans spans = spans_of(op);
	bool one_month = is_one_month(&spans);
	PG_RESULT result = ask(op, link, one_month ? month_sql : likely_sql, err);

	if (result && !one_month && !is_proven(result, op->top)) {
		pg_result_clear(&result);
		/* A million sums do not fit in the default 4 MB and would spill to disk. */
		result = pg_exec(link, "SET LOCAL work_mem = '64MB'", NULL, err) ? ask(op, link, all_sql, err) : NULL;
	}
	if (!result)
		return false;
	op->user = admin_named_uses(&op->job, result, &op->users);
	return true;
}
