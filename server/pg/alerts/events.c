/* Lists events: for admins the newest first, for readers with a cursor in its order (store/admin_alerts.h). */
#include "pg/admin/admin.h"
#include "pg/alerts/alerts.h"

/* `place` is the condition of the page, on $11, and its order; $12 is its limit. */
#define EVENTS(place) \
	"SELECT " ALERT_EVENT_COLUMNS \
	" FROM alert_events e WHERE CASE WHEN $2 THEN e.tenant <> '' ELSE e.tenant = $1 END AND ($3 = 0 OR e.kind = $3) AND " \
	"($4 = 0 OR (1::bigint << e.kind::integer) & $4 <> 0) AND ($5 = '' OR e.rule = $5) AND " \
	"($6 = 0 OR e.account_kind = $6) AND ($7 = '' OR e.account = $7) AND e.severity >= $8 AND " \
	"($9 = 0 OR e.at >= to_timestamp($9 / 1000000.0)) AND ($10 = 0 OR e.at < to_timestamp($10 / 1000000.0)) AND " place \
	" LIMIT $12"

static void add_filter(const struct alert_event_list *op, struct pg_args *args)
{
	pg_arg_text(args, op->system ? "" : op->tenant);
	pg_arg_bool(args, op->all_tenants);
	pg_arg_int(args, op->kind);
	pg_arg_int(args, op->kinds);
	pg_arg_text(args, op->rule);
	pg_arg_int(args, op->account_kind);
	pg_arg_text(args, op->account);
	pg_arg_int(args, op->least);
	pg_arg_int(args, op->from_us);
	pg_arg_int(args, op->to_us);
	pg_arg_int(args, op->forward ? op->after : op->before);
	pg_arg_page(args, op->limit);
}

static void read_rows(struct alert_event_list *op, const PGresult *result)
{
	pg_page_begin(op, result, op->job.arena);
	for (int i = 0; i < op->count; i++)
		row_alert_event(result, i, 0, op->job.arena, &op->rows[i]);
}

/* Asks for the newest cursor first: an event that is numbered in between is then in the rows, and never skipped. */
static bool list_forward(struct alert_event_list *op, struct pg_link *link, const struct pg_args *args, struct err *err)
{
	const struct pg_statement statements[] = {
		{"SELECT coalesce(max(seq), 0), (SELECT last_value FROM alert_seq) FROM alert_events", NULL},
		{EVENTS("e.seq > $11 ORDER BY e.seq"), args},
	};
	PGresult *results[2];

	if (!pg_pipeline(link, statements, 2, results, err))
		return false;
	op->newest = pg_i64(results[0], 0, 0);
	op->last = pg_i64(results[0], 0, 1);
	read_rows(op, results[1]);
	pg_results_clear(results, 2);
	return true;
}

bool admin_alert_event_list(struct alert_event_list *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	add_filter(op, &args);
	if (op->forward)
		return list_forward(op, link, &args, err);
	if (!pg_read(link, EVENTS("($11 = 0 OR e.id < $11) ORDER BY e.id DESC"), &args, &result, err))
		return false;
	read_rows(op, result);
	return true;
}
