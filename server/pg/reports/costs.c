/* What providers said that requests cost, and what re-ratings changed, from usage_costs (pg/admin/admin.h). */
#include "pg/admin/admin.h"
#include "pg/reports/costs.h"

#include "base/buf.h"
#include "base/units.h"

/* Parameters: $1 tenant, $2 id, $3 the first and last day. */
static const char *source_sql(const struct account_key *key, unsigned by)
{
	if (key->kind == ACCOUNT_USER)
		return " FROM usage_costs WHERE tenant = $1 AND kind = 1 AND id = $2";
	if (by & BY_USER)
		return " FROM usage_costs WHERE tenant = $1 AND kind = 1 AND $2 IS NOT NULL";
	if (by & BY_TIER)
		return " FROM usage_tiers_costs WHERE tenant = $1 AND $2 IS NOT NULL";
	if (key->kind == ACCOUNT_TEAM)
		return " FROM usage_costs WHERE tenant = $1 AND kind = 2 AND id = $2";
	if (key->kind == ACCOUNT_ORG)
		return " FROM usage_costs WHERE tenant = $1 AND kind = 3 AND id = $2";
	return " FROM usage_costs WHERE tenant = $1 AND kind = 5 AND id = $2";
}

static void source_args(struct pg_args *args, const struct account_key *key, int64_t from_day, int64_t to_day)
{
	int days;

	pg_arg_text(args, key->tenant);
	pg_arg_text(args, key->id);
	days = pg_arg_array(args, PG_DATE);
	pg_array_int(args, days, from_day * DAY_US);
	pg_array_int(args, days, to_day * DAY_US);
}

/* The columns of lines, as usage_costs and a list of lines name them. Comparisons have the first ones only. */
static const struct {
	unsigned by;
	const char *column, *line;
} keys[] = {
	{BY_USER, "id", "user_id"},
	{BY_DAY, "day::text", "day"},
	{BY_MODEL, "provider", "provider"},
	{BY_MODEL, "model", "model"},
	{BY_INTERFACE, "interface", "interface"},
	{BY_TIER, "tier", "tier"},
};
enum { KEYS = sizeof(keys) / sizeof(keys[0]), KEYS_COMPARED = 4 };

static void put_lines_sql(struct buf *sql, const struct report_page *op)
{
	buf_put_str(sql,
		"SELECT k.line, sum(c.corrected)::bigint, sum(c.corrected_nano)::bigint, sum(c.compared)::bigint, "
		"sum(c.provider_nano)::bigint, sum(c.list_nano)::bigint, sum(c.allowed)::bigint, "
		"sum(c.allowance_nano)::bigint FROM unnest($4, $5, $6, $7, $8, $9, $10) AS k "
		"(line, user_id, day, provider, model, interface, tier) JOIN (SELECT *");
	buf_put_str(sql, source_sql(&op->key, op->by));
	buf_put_str(sql, " AND day BETWEEN ($3::date[])[1] AND ($3::date[])[2]");
	if (op->model[0])
		buf_put_str(sql, " AND lower($11) IN (lower(model), lower(provider || '/' || model))");
	if (op->interface[0])
		buf_put_str(sql, " AND lower(interface) = $12");
	buf_put_str(sql, ") c ON true");
	for (int i = 0; i < KEYS; i++)
		if (op->by & keys[i].by)
			buf_putf(sql, " AND c.%s = k.%s", keys[i].column, keys[i].line);
	buf_put_str(sql, " GROUP BY k.line");
}

static void lines_args(struct pg_args *args, const struct report_page *op)
{
	int first;

	source_args(args, &op->key, op->from_day, op->to_day);
	first = pg_arg_array(args, PG_INT8);
	for (int i = 0; i < KEYS; i++)
		pg_arg_array(args, PG_TEXT);
	for (int i = 0; i < op->count; i++) {
		const struct bill_line *line = &op->lines[i];
		const char *const texts[KEYS] = {
			line->user, line->day, line->provider, line->model, line->interface, line->tier};

		pg_array_int(args, first, i);
		for (int k = 0; k < KEYS; k++)
			pg_array_text(args, first + 1 + k, texts[k]);
	}
	pg_arg_text(args, op->model);
	pg_arg_text(args, op->interface);
}

bool report_costs_add(struct report_page *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	struct buf sql = {0};
	PG_RESULT result = NULL;
	bool ok;

	if (op->count == 0)
		return true;
	put_lines_sql(&sql, op);
	lines_args(&args, op);
	ok = pg_read(link, buf_str(&sql), &args, &result, err);
	buf_release(&sql);
	for (int row = 0; ok && row < PQntuples(result); row++) {
		struct bill_line *line = &op->lines[pg_i64(result, row, 0)];

		line->corrected = pg_i64(result, row, 1);
		line->corrected_nano = pg_i64(result, row, 2);
		line->compared = pg_i64(result, row, 3);
		line->provider_nano = pg_i64(result, row, 4);
		line->list_nano = pg_i64(result, row, 5);
		line->allowed = pg_i64(result, row, 6);
		line->allowance_nano = pg_i64(result, row, 7);
	}
	return ok;
}

#define COST_SUMS "sum(compared)::bigint, sum(provider_nano)::bigint, sum(list_nano)::bigint"

/* The total has one line more: with NULL for what the lines are by. */
static void put_costs_sql(struct buf *sql, const struct costs_query *op)
{
	const char *comma = "";

	buf_put_str(sql, "SELECT * FROM (SELECT ");
	for (int i = 0; i < KEYS_COMPARED; i++)
		buf_putf(sql, "%s, ", op->by & keys[i].by ? keys[i].column : "''");
	buf_put_str(sql, COST_SUMS ", abs(sum(provider_nano) - sum(list_nano)) AS off");
	buf_put_str(sql, source_sql(&op->key, op->by));
	buf_put_str(sql, " AND day BETWEEN ($3::date[])[1] AND ($3::date[])[2]");
	for (int i = 0; i < KEYS_COMPARED; i++) {
		if (!(op->by & keys[i].by))
			continue;
		buf_putf(sql, "%s%s", comma[0] ? comma : " GROUP BY ", keys[i].column);
		comma = ", ";
	}
	buf_put_str(sql, " HAVING sum(compared) > 0) c ORDER BY off DESC, 1, 2, 3, 4 LIMIT $4");
}

static struct costs_line line_read(struct costs_query *op, const PGresult *result, int row)
{
	return (struct costs_line){
		.user = admin_text(&op->job, result, row, 0),
		.day = admin_text(&op->job, result, row, 1),
		.provider = admin_text(&op->job, result, row, 2),
		.model = admin_text(&op->job, result, row, 3),
		.compared = pg_i64(result, row, 4),
		.provider_nano = pg_i64(result, row, 5),
		.list_nano = pg_i64(result, row, 6),
	};
}

static bool read_total(struct costs_query *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	struct buf sql = {0};
	PG_RESULT result = NULL;
	bool ok;

	source_args(&args, &op->key, op->from_day, op->to_day);
	buf_put_str(&sql, "SELECT '', '', '', '', coalesce(sum(compared), 0)::bigint, "
			  "coalesce(sum(provider_nano), 0)::bigint, coalesce(sum(list_nano), 0)::bigint");
	buf_put_str(&sql, source_sql(&op->key, op->by));
	buf_put_str(&sql, " AND day BETWEEN ($3::date[])[1] AND ($3::date[])[2]");
	ok = pg_read(link, buf_str(&sql), &args, &result, err);
	buf_release(&sql);
	if (ok)
		op->total = line_read(op, result, 0);
	return ok;
}

bool admin_costs(struct costs_query *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	struct buf sql = {0};
	PG_RESULT result = NULL;
	bool ok;

	put_costs_sql(&sql, op);
	source_args(&args, &op->key, op->from_day, op->to_day);
	pg_arg_page(&args, op->limit);
	ok = pg_begin(link, "ISOLATION LEVEL REPEATABLE READ READ ONLY", err) &&
	     pg_read(link, buf_str(&sql), &args, &result, err);
	buf_release(&sql);
	if (!ok)
		return false;
	op->count = pg_page(result, op->limit, &op->more);
	op->lines = arena_zalloc(op->job.arena, (size_t)op->count + 1, sizeof(*op->lines));
	for (int i = 0; i < op->count; i++)
		op->lines[i] = line_read(op, result, i);
	return read_total(op, link, err) && pg_commit(link, err);
}
