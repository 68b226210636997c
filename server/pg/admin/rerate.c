/* Reads what the ledger knows of recorded attempts, for re-rating (pg/admin/admin.h). */
#include "pg/admin/admin.h"

#include "base/units.h"
#include "pg/ledger/ledger.h"

#define MICROSECONDS(column) "(extract(epoch FROM " column ") * 1000000)::bigint"

static void add_days(struct pg_args *args, int64_t from_day, int64_t to_day)
{
	int days = pg_arg_array(args, PG_DATE);

	pg_array_int(args, days, from_day * DAY_US);
	pg_array_int(args, days, to_day * DAY_US);
}

bool admin_rerate_days(struct rerate_days *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, op->tenant);
	add_days(&args, op->from_day, op->to_day);
	if (!pg_read(link,
		    "SELECT day - date '1970-01-01', sum(rows)::bigint, sum(unpriced)::bigint, "
		    "to_regclass('ledger_' || to_char(day, 'YYYYMMDD')) IS NULL FROM usage_shared_daily "
		    "WHERE tenant = $1 AND kind = 5 AND id = $1 AND day BETWEEN ($2::date[])[1] AND ($2::date[])[2] "
		    "GROUP BY day ORDER BY day",
		    &args, &result, err))
		return false;
	op->count = PQntuples(result);
	op->day = arena_zalloc(op->job.arena, (size_t)op->count + 1, sizeof(*op->day));
	for (int i = 0; i < op->count; i++)
		op->day[i] = (struct rerate_day){.day = pg_i64(result, i, 0),
			.rows = pg_i64(result, i, 1),
			.unpriced = pg_i64(result, i, 2),
			.gone = pg_bool(result, i, 3)};
	return true;
}

#define OF_ATTEMPT "day = ($2::date[])[1] AND a.tenant = l.tenant AND a.user_id = l.user_id"

/*
 * Of a late record, the estimate that the expiry had charged: the first of them charged the difference only. Corrections
 * are found by ledger_adjusts.
 */
#define PAGE_SQL(from) \
	"SELECT l.user_id, l.request_id, l.attempt, " MICROSECONDS("l.started_at") ", " MICROSECONDS( \
		"l.at") ", l.flags, l.interface, l.model_checked, l.tier, l.team, l.org, l.model, l.mode, " \
			"l.provider, l.price_model, coalesce(l.list_cost_nano, 0), " \
			"coalesce(l.provider_cost_nano, 0), l.provider_cost_nano IS NOT NULL, " \
			"CASE WHEN l.flags & 512 > 0 AND NOT EXISTS (SELECT FROM ledger a WHERE " OF_ATTEMPT \
			" AND a.request_id = l.request_id AND a.entry = 0 AND a.flags & 512 > 0 AND (a.at, a.attempt) < " \
			"(l.at, l.attempt)) THEN coalesce((SELECT sum(a.cost_nano) FROM ledger a WHERE " OF_ATTEMPT \
			" AND a.request_id = l.request_id AND a.entry = 1), 0)::bigint ELSE 0 END, " \
			"c.ratings, c.again, c.corrected, c.by_hand, coalesce(r.provider, ''), " \
			"coalesce(r.price_model, ''), coalesce(r.flags, 0), coalesce(r.list_cost_nano, 0), " \
			"coalesce(r.allowance_nano, 0), " METERS_TEXT AMOUNT_COLUMNS METER_COLUMNS \
			" FROM (SELECT l.* " \
			"FROM ledger l" from " WHERE l.day = ($2::date[])[1] AND l.tenant = $1 AND l.entry = 0 AND " \
			"(l.user_id, l.request_id, l.attempt) > ($3, $4, $5::bigint) ORDER BY l.user_id, l.request_id, " \
			"l.attempt LIMIT $6) l " \
			"CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE a.flags & 4096 > 0) AS ratings, " \
			"coalesce(bool_or(a.flags & 135168 = 4096), false) AS again, " \
			"coalesce(sum(a.cost_nano) FILTER (WHERE a.flags & 4096 > 0), 0)::bigint AS corrected, " \
			"coalesce(bool_or(a.flags & 4096 = 0), false) AS by_hand FROM ledger a WHERE " OF_ATTEMPT \
			" AND a.adjusts = l.request_id AND a.attempt = l.attempt AND a.entry = 4) c " \
			"LEFT JOIN LATERAL (SELECT a.provider, a.price_model, a.flags, a.list_cost_nano, " \
			"a.allowance_nano FROM ledger a WHERE " OF_ATTEMPT \
			" AND a.adjusts = l.request_id AND a.attempt = l.attempt AND a.entry = 4 AND a.flags & 4096 > 0 " \
			"ORDER BY a.at DESC, length(a.request_id) DESC, a.request_id DESC LIMIT 1) r ON c.ratings > 0 " \
			"ORDER BY l.user_id, l.request_id, l.attempt"

static const char page_sql[] = PAGE_SQL("");
static const char due_sql[] =
	PAGE_SQL(" JOIN allowance_due d ON d.tenant = $1 AND d.day = ($2::date[])[1] AND "
		 "d.user_id = l.user_id AND d.request_id = l.request_id AND d.attempt = l.attempt");

enum {
	USER,
	REQUEST_ID,
	ATTEMPT,
	STARTED_AT,
	AT,
	FLAGS,
	INTERFACE,
	CHECKED,
	TIER,
	TEAM,
	ORG,
	MODEL,
	MODE,
	PROVIDER,
	PRICE_MODEL,
	LIST_COST,
	PROVIDER_COST,
	PROVIDER_COST_KNOWN,
	EXPIRED_COST,
	RATINGS,
	AGAIN,
	CORRECTED,
	BY_HAND,
	NOW_PROVIDER,
	NOW_PRICE_MODEL,
	NOW_FLAGS,
	NOW_LIST_COST,
	ALLOWANCE,
	METERS_RARE_TEXT,
	CHARGED,
	TOKENS = CHARGED + AMOUNT_COUNT
};

static void usage_read(struct admin_job *job, const PGresult *result, int row, struct rerate_row *out)
{
	out->usage = (struct entry_usage){
		.model = admin_text(job, result, row, MODEL),
		.mode = admin_text(job, result, row, MODE),
		.provider = admin_text(job, result, row, PROVIDER),
		.price_model = admin_text(job, result, row, PRICE_MODEL),
		.flags = (uint32_t)pg_i64(result, row, FLAGS) & FLAGS_USAGE,
		.provider_cost_known = pg_bool(result, row, PROVIDER_COST_KNOWN),
		.provider_cost_nano = pg_i64(result, row, PROVIDER_COST),
		.list_cost_nano = pg_i64(result, row, LIST_COST),
	};
	for (int meter = 0; meter < METER_KEPT_COUNT; meter++)
		out->usage.meters.count[meter] = pg_i64(result, row, TOKENS + meter);
	pg_meters(result, row, METERS_RARE_TEXT, &out->usage.meters);
	out->now = out->usage;
	if (!out->ratings)
		return;
	out->now.provider = admin_text(job, result, row, NOW_PROVIDER);
	out->now.price_model = admin_text(job, result, row, NOW_PRICE_MODEL);
	out->now.flags = (uint32_t)pg_i64(result, row, NOW_FLAGS) & FLAGS_USAGE;
	out->now.list_cost_nano = pg_i64(result, row, NOW_LIST_COST);
}

static void row_read(struct admin_job *job, const PGresult *result, int row, struct rerate_row *out)
{
	bool never_checked = pg_i64(result, row, FLAGS) & LEDGER_FLAG_NEVER_CHECKED;

	*out = (struct rerate_row){
		.user = admin_text(job, result, row, USER),
		.request_id = admin_text(job, result, row, REQUEST_ID),
		.attempt = (int)pg_i64(result, row, ATTEMPT),
		.started_at_us = pg_i64(result, row, STARTED_AT),
		.counted_at_us = pg_i64(result, row, never_checked ? AT : STARTED_AT),
		.interface = admin_text(job, result, row, INTERFACE),
		.checked = admin_text(job, result, row, CHECKED),
		.tier = admin_text(job, result, row, TIER),
		.team = admin_text(job, result, row, TEAM),
		.org = admin_text(job, result, row, ORG),
		.charged = pg_amounts(result, row, CHARGED),
		.expired_cost = pg_i64(result, row, EXPIRED_COST),
		.ratings = (int)pg_i64(result, row, RATINGS),
		.again = pg_bool(result, row, AGAIN),
		.corrected = pg_i64(result, row, CORRECTED),
		.allowance_nano = pg_i64(result, row, ALLOWANCE),
		.adjusted = pg_bool(result, row, BY_HAND),
	};
	usage_read(job, result, row, out);
}

/* Read after the rows: whatever prices their corrections had are part of it. */
static bool read_generation(struct rerate_page *op, struct pg_link *link, struct err *err)
{
	PG_RESULT result = pg_query(link, "SELECT generation FROM catalog_epoch", NULL, err);

	if (!result)
		return false;
	op->generation = pg_i64(result, 0, 0);
	return true;
}

bool admin_rerate_page(struct rerate_page *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, op->tenant);
	add_days(&args, op->day, op->day);
	pg_arg_text(&args, op->after_user);
	pg_arg_text(&args, op->after_request);
	pg_arg_int(&args, op->after_attempt);
	pg_arg_page(&args, op->limit);
	if (!pg_read(link, op->due ? due_sql : page_sql, &args, &result, err))
		return false;
	pg_page_begin(op, result, op->job.arena);
	for (int i = 0; i < op->count; i++)
		row_read(&op->job, result, i, &op->rows[i]);
	return read_generation(op, link, err);
}

bool admin_rerate_note(struct rerate_note *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};

	pg_arg_text(&args, op->tenant);
	pg_arg_text(&args, op->job.actor);
	pg_arg_text(&args, op->job.reason);
	pg_arg_text(&args, op->from_day);
	pg_arg_text(&args, op->to_day);
	pg_arg_text(&args, op->model);
	pg_arg_bool(&args, op->flagged);
	return pg_exec(link,
		"INSERT INTO audit_log (tenant, actor, action, target, reason, details) VALUES ($1, $2, "
		"'ledger.rerate', 'tenant/' || $1, $3, jsonb_build_object('from_day', $4::text, 'to_day', $5::text, "
		"'model', $6::text, 'flagged', $7::boolean))",
		&args, err);
}
