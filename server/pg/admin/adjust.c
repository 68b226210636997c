/* Reads what the ledger knows about a request to be adjusted and about the adjustment (pg/admin/admin.h). */
#include "pg/admin/admin.h"
#include "pg/ledger/ledger.h"

#include "domain/record/entry.h"
#include "pg/link/rows.h"

/* These flags keep the correction on the bill's original line. */
#define LINE_FLAGS (FLAG_UNPRICED | FLAG_OTHER_MODEL | FLAG_STANDARD_RATE)

#define MICROSECONDS(column) "(extract(epoch FROM " column ") * 1000000)::bigint"

/* Reads an earlier adjustment with the same id, of whatever request: a user's adjustment ids are unique. */
static bool read_made(struct adjust_facts *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, op->tenant);
	pg_arg_text(&args, op->user);
	pg_arg_text(&args, op->adjustment_id);
	if (!pg_read(link,
		    "SELECT adjusts, attempt" AMOUNT_COLUMNS ", " METERS_TEXT " FROM ledger "
		    "WHERE tenant = $1 AND user_id = $2 AND request_id = $3 AND entry = 4",
		    &args, &result, err))
		return false;
	op->made = PQntuples(result) > 0;
	if (op->made) {
		op->made_adjusts = admin_text(&op->job, result, 0, 0);
		op->made_attempt = (int)pg_i64(result, 0, 1);
		op->made_amounts = pg_amounts(result, 0, 2);
		op->made_amounts.counted = pg_counted(result, 0, 2 + AMOUNT_COUNT, op->job.arena);
	}
	return true;
}

static void row_read(struct adjust_facts *op, const PGresult *result)
{
	op->found = PQntuples(result) > 0;
	if (!op->found)
		return;
	op->started_at_us = pg_i64(result, 0, 0);
	/* A request that was never checked counted in the windows of its record's time. */
	op->counted_at_us = pg_i64(result, 0, 2) & LEDGER_FLAG_NEVER_CHECKED ? pg_i64(result, 0, 1) : op->started_at_us;
	op->interface = admin_text(&op->job, result, 0, 3);
	op->checked = admin_text(&op->job, result, 0, 4);
	op->usage = (struct entry_usage){.model = admin_text(&op->job, result, 0, 5),
		.provider = admin_text(&op->job, result, 0, 6),
		.price_model = admin_text(&op->job, result, 0, 7),
		.mode = admin_text(&op->job, result, 0, 8),
		.price_from_us = pg_i64(result, 0, 9),
		.flags = (uint32_t)pg_i64(result, 0, 2) & LINE_FLAGS};
	op->tier = admin_text(&op->job, result, 0, 10);
	op->team = admin_text(&op->job, result, 0, 11);
	op->org = admin_text(&op->job, result, 0, 12);
}

static void request_args(struct pg_args *args, const struct adjust_facts *op)
{
	int days;

	pg_arg_text(args, op->tenant);
	pg_arg_text(args, op->user);
	pg_arg_text(args, op->request_id);
	days = pg_arg_array(args, PG_DATE);
	pg_array_int(args, days, op->started_at_us);
}

/* A re-rating has moved the attempt to the line of another price: corrections belong there. */
static bool read_rating(struct adjust_facts *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	if (!op->found)
		return true;
	request_args(&args, op);
	pg_arg_int(&args, op->attempt);
	if (!pg_read(link,
		    "SELECT provider, price_model, price_from_us, flags FROM ledger WHERE day = ($4::date[])[1] AND "
		    "tenant = $1 AND user_id = $2 AND adjusts = $3 AND attempt = $5 AND entry = 4 AND flags & 4096 > 0 "
		    "ORDER BY at DESC, length(request_id) DESC, request_id DESC LIMIT 1",
		    &args, &result, err))
		return false;
	if (PQntuples(result) == 0)
		return true;
	op->usage.provider = admin_text(&op->job, result, 0, 0);
	op->usage.price_model = admin_text(&op->job, result, 0, 1);
	op->usage.price_from_us = pg_i64(result, 0, 2);
	op->usage.flags = (uint32_t)pg_i64(result, 0, 3) & LINE_FLAGS;
	return true;
}

/* Reads the attempt's record or, if there is none, the expiry that charged an estimate. */
static bool read_row(struct adjust_facts *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	request_args(&args, op);
	pg_arg_int(&args, op->attempt);
	result = pg_query(link,
		"SELECT " MICROSECONDS("started_at") ", " MICROSECONDS(
			"at") ", flags, interface, model_checked, model, provider, "
			      "price_model, mode, price_from_us, tier, team, org FROM ledger "
			      "WHERE day = ($4::date[])[1] AND tenant = $1 AND user_id = $2 AND request_id = $3 "
			      "AND (entry = 0 AND attempt = $5 OR entry = 1) ORDER BY entry LIMIT 1",
		&args, err);
	if (result)
		row_read(op, result);
	return result != NULL;
}

/* Reads what the request was charged in total, including earlier adjustments. */
static bool read_total(struct adjust_facts *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	request_args(&args, op);
	if (!pg_read(link,
		    "SELECT count(*)" AMOUNT_SUMS_OR_0
		    ", coalesce((SELECT string_agg(m.key || '=' || m.total, ' ') FROM "
		    "(SELECT key, sum(value::bigint) AS total FROM unnest(array_agg(meters)) AS u (of_one), "
		    "jsonb_each_text(of_one) GROUP BY key) m), '')"
		    " FROM ledger WHERE day = ($4::date[])[1] AND tenant = $1 AND user_id = $2 "
		    "AND (request_id = $3 AND entry IN (0, 1) OR entry = 4 AND adjusts = $3)",
		    &args, &result, err))
		return false;
	op->total = pg_amounts(result, 0, 1);
	op->total.counted = pg_counted(result, 0, 1 + AMOUNT_COUNT, op->job.arena);
	return true;
}

bool admin_adjust_facts(struct adjust_facts *op, struct pg_link *link, struct err *err)
{
	return read_made(op, link, err) &&
	       (!op->request_id[0] ||
		       (read_row(op, link, err) && read_rating(op, link, err) && read_total(op, link, err)));
}
