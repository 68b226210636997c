/* Reads the audit log page by page (pg/admin/admin.h): by the tenant's index or, for all tenants, by the key. */
#include "pg/admin/admin.h"

#include "base/arena.h"

static void read_row(struct admin_job *job, const PGresult *result, int at, struct audit_row *out)
{
	*out = (struct audit_row){
		.id = pg_i64(result, at, 0),
		.at_us = pg_i64(result, at, 1),
		.tenant = admin_text(job, result, at, 2),
		.actor = admin_text(job, result, at, 3),
		.action = admin_text(job, result, at, 4),
		.target = admin_text(job, result, at, 5),
		.reason = admin_text(job, result, at, 6),
		.details = admin_text(job, result, at, 7),
		.before = admin_text(job, result, at, 8),
	};
}

#define ENTRIES \
	"SELECT id, (extract(epoch FROM at) * 1000000)::bigint, tenant, actor, action, target, reason, " \
	"details::text, " \
	"before::text FROM audit_log WHERE ($2 OR tenant = $1) AND starts_with(actor, $3) AND starts_with(action, " \
	"$4) AND " \
	"starts_with(target, $5) AND strpos(reason, $6) > 0 AND ($7 = 0 OR at >= to_timestamp($7 / 1000000.0)) AND " \
	"($8 = 0 OR at < to_timestamp($8 / 1000000.0)) "

bool admin_audit_list(struct audit_list *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, op->tenant);
	pg_arg_bool(&args, op->all_tenants);
	pg_arg_text(&args, op->actor);
	pg_arg_text(&args, op->action);
	pg_arg_text(&args, op->target);
	pg_arg_text(&args, op->reason);
	pg_arg_int(&args, op->from_us);
	pg_arg_int(&args, op->to_us);
	pg_arg_int(&args, op->after);
	pg_arg_page(&args, op->limit);
	if (!pg_read(link,
		    op->oldest_first ? ENTRIES "AND id > $9 ORDER BY id LIMIT $10"
				     : ENTRIES "AND ($9 = 0 OR id < $9) ORDER BY id DESC LIMIT $10",
		    &args, &result, err))
		return false;
	pg_page_begin(op, result, op->job.arena);
	for (int i = 0; i < op->count; i++)
		read_row(&op->job, result, i, &op->rows[i]);
	return true;
}

bool admin_cancel_note(struct cancel_note *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};

	pg_arg_text(&args, op->tenant);
	pg_arg_text(&args, op->job.actor);
	pg_arg_text(&args, op->user);
	pg_arg_text(&args, op->job.reason);
	pg_arg_text(&args, op->request_id);
	pg_arg_int(&args, op->released.input + op->released.output);
	pg_arg_int(&args, op->released.cost);
	pg_arg_text(&args, op->repeat ? "true" : "false");
	return pg_exec(link,
		"INSERT INTO audit_log (tenant, actor, action, target, reason, details) VALUES ($1, $2, "
		"'reservation.cancel', 'user/' || $3, $4, jsonb_build_object('request_id', $5::text, "
		"'released_tokens', $6::bigint, 'released_cost_nano_usd', $7::bigint, 'repeat', $8::boolean))",
		&args, err);
}
