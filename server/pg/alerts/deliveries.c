/* Lists messages on their way to channels, sends tests, and sends again what was given up (store/admin_alerts.h). */
#include "pg/alerts/admin.h"

#include <stdlib.h>

#define MICROS(column) "(extract(epoch FROM " column ") * 1000000)::bigint"
#define DELIVERY_COLUMNS \
	"d.id, d.message_id, d.tenant, d.channel, array_to_string(d.events, ' '), d.test, d.state, d.attempts, " MICROS( \
		"d.created_at") ", CASE WHEN d.state = 1 THEN " MICROS("d.next_at") " ELSE 0 END, coalesce(" MICROS("d.ended_at") ", 0), d.status, d.error"
/* As the audit log shows it. */
#define DELIVERY_JSON \
	"jsonb_build_object('channel', d.channel, 'message_id', d.message_id, 'state', d.state, 'attempts', d.attempts)"
enum { LOG_MAX = 50 };

static void row_delivery(struct admin_job *job, const PGresult *result, int at, struct alert_delivery *out)
{
	const char *ids = pg_text(result, at, 4);
	int room = 1;

	*out = (struct alert_delivery){
		.id = pg_i64(result, at, 0),
		.message_id = admin_text(job, result, at, 1),
		.tenant = admin_text(job, result, at, 2),
		.channel = admin_text(job, result, at, 3),
		.test = pg_bool(result, at, 5),
		.state = (enum alert_delivery_state)pg_i64(result, at, 6),
		.attempts = (int)pg_i64(result, at, 7),
		.created_at_us = pg_i64(result, at, 8),
		.next_at_us = pg_i64(result, at, 9),
		.ended_at_us = pg_i64(result, at, 10),
		.status = (int)pg_i64(result, at, 11),
		.error = admin_text(job, result, at, 12),
	};
	for (const char *p = ids; *p; p++)
		room += *p == ' ';
	out->event = arena_zalloc(job->arena, (size_t)room, sizeof(*out->event));
	while (*ids) {
		char *end;

		out->event[out->events++] = strtoll(ids, &end, 10);
		ids = end;
	}
}

bool admin_alert_delivery_list(struct alert_delivery_list *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, op->tenant);
	pg_arg_text(&args, op->channel);
	pg_arg_int(&args, op->state);
	pg_arg_int(&args, op->before);
	pg_arg_page(&args, op->limit);
	if (!pg_read(link,
		    "SELECT " DELIVERY_COLUMNS
		    " FROM alert_deliveries d WHERE d.tenant = $1 AND ($2 = '' OR d.channel = $2) AND ($3 = 0 OR d.state = $3) "
		    "AND ($4 = 0 OR d.id < $4) ORDER BY d.id DESC LIMIT $5",
		    &args, &result, err))
		return false;
	pg_page_begin(op, result, op->job.arena);
	for (int i = 0; i < op->count; i++)
		row_delivery(&op->job, result, i, &op->rows[i]);
	return true;
}

static bool delivery_missing(const char *tenant, int64_t id, struct err *err)
{
	err_set(err, ERR_NOT_FOUND, "id: tenant %s has no delivery %lld", tenant, (long long)id);
	return err_reason(err, "ALERT_DELIVERY_NOT_FOUND");
}

static bool read_one(struct admin_job *job, struct pg_link *link, const char *tenant, int64_t id,
	struct alert_delivery *out, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, tenant);
	pg_arg_int(&args, id);
	if (!pg_read(link, "SELECT " DELIVERY_COLUMNS " FROM alert_deliveries d WHERE d.tenant = $1 AND d.id = $2",
		    &args, &result, err))
		return false;
	if (PQntuples(result) == 0)
		return delivery_missing(tenant, id, err);
	row_delivery(job, result, 0, out);
	return true;
}

bool admin_alert_delivery_get(struct alert_delivery_get *op, struct pg_link *link, struct err *err)
{
	struct alert_delivery *out = &op->delivery;
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_int(&args, op->id);
	pg_arg_int(&args, LOG_MAX);
	if (!read_one(&op->job, link, op->tenant, op->id, out, err) ||
		!pg_read(link,
			"SELECT * FROM (SELECT attempt, " MICROS(
				"at") ", took_us, status, error FROM alert_attempts WHERE delivery = $1 ORDER BY attempt DESC "
				      "LIMIT $2) a ORDER BY attempt",
			&args, &result, err))
		return false;
	out->logged = PQntuples(result);
	out->log = arena_zalloc(op->job.arena, (size_t)out->logged + 1, sizeof(*out->log));
	for (int i = 0; i < out->logged; i++)
		out->log[i] = (struct alert_attempt){
			.attempt = (int)pg_i64(result, i, 0),
			.at_us = pg_i64(result, i, 1),
			.took_us = pg_i64(result, i, 2),
			.status = (int)pg_i64(result, i, 3),
			.error = admin_text(&op->job, result, i, 4),
		};
	return true;
}

/* A disabled channel sends nothing, so its test would wait. */
static bool may_test(const struct alert_test *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, op->tenant);
	pg_arg_text(&args, op->name);
	if (!pg_read(link, "SELECT enabled FROM alert_channels WHERE tenant = $1 AND name = $2 FOR KEY SHARE", &args,
		    &result, err))
		return false;
	if (PQntuples(result) == 0)
		return alert_channel_missing(op->tenant, op->name, err);
	return pg_bool(result, 0, 0) ||
	       err_set(err, ERR_PRECONDITION, "name: channel %s is disabled: enable it before the test", op->name);
}

static bool insert_test(struct alert_test *op, struct pg_link *link, int64_t *id, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, op->tenant);
	pg_arg_text(&args, op->name);
	pg_arg_int(&args, op->now_us);
	pg_arg_int(&args, op->now_us + op->give_up_us);
	pg_arg_int(&args, ALERT_TEST);
	pg_arg_int(&args, ALERT_INFO);
	if (!pg_read(link,
		    "WITH e AS (INSERT INTO alert_events (at, tenant, rule, kind, severity, account_kind, account) VALUES "
		    "(to_timestamp($3 / 1000000.0), $1, '', $5::smallint, $6::smallint, 0, '') RETURNING id) INSERT INTO "
		    "alert_deliveries (message_id, tenant, channel, events, test, created_at, give_up_at, next_at) SELECT 'msg_' || "
		    "replace(gen_random_uuid()::text, '-', ''), $1, $2, ARRAY[e.id], true, to_timestamp($3 / 1000000.0), "
		    "to_timestamp($4 / 1000000.0), to_timestamp($3 / 1000000.0) FROM e RETURNING id",
		    &args, &result, err))
		return false;
	*id = pg_i64(result, 0, 0);
	return true;
}

bool admin_alert_test(struct alert_test *op, struct pg_link *link, struct err *err)
{
	int64_t id;

	return pg_begin(link, "", err) && may_test(op, link, err) && insert_test(op, link, &id, err) &&
	       read_one(&op->job, link, op->tenant, id, &op->delivery, err) &&
	       admin_audit(&op->job, link, op->tenant, "alert_channel.test", op->name, "null",
		       arena_printf(op->job.arena, "{\"delivery\": %lld, \"message_id\": \"%s\"}", (long long)id,
			       op->delivery.message_id),
		       err) &&
	       pg_commit(link, err);
}

/* Its state as JSON, locked. */
static const char *lock_delivery(struct alert_resend *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};

	pg_arg_text(&args, op->tenant);
	pg_arg_int(&args, op->id);
	return admin_json(&op->job, link,
		"SELECT " DELIVERY_JSON " FROM alert_deliveries d WHERE d.tenant = $1 AND d.id = $2 FOR UPDATE", &args,
		err);
}

static bool may_resend(struct alert_resend *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	if (!read_one(&op->job, link, op->tenant, op->id, &op->delivery, err))
		return false;
	if (op->delivery.state == DELIVERY_WAITING)
		return err_set(err, ERR_PRECONDITION, "id: delivery %lld waits for its next attempt already",
			(long long)op->id);
	pg_arg_text(&args, op->tenant);
	pg_arg_text(&args, op->delivery.channel);
	if (!pg_read(link, "SELECT FROM alert_channels WHERE tenant = $1 AND name = $2 FOR KEY SHARE", &args, &result,
		    err))
		return false;
	return PQntuples(result) > 0 ||
	       err_set(err, ERR_PRECONDITION, "id: the channel %s of delivery %lld has been deleted",
		       op->delivery.channel, (long long)op->id);
}

/* As if it were new: its pauses begin with the short ones again. The attempts that were made stay in its log. */
static bool wait_again(const struct alert_resend *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};

	pg_arg_int(&args, op->id);
	pg_arg_int(&args, op->now_us);
	pg_arg_int(&args, op->now_us + op->give_up_us);
	return pg_exec(link,
		"UPDATE alert_deliveries SET state = 1, next_at = to_timestamp($2 / 1000000.0), give_up_at = to_timestamp($3 / "
		"1000000.0), claimed_until = '-infinity', ended_at = NULL, attempts = 0 WHERE id = $1",
		&args, err);
}

bool admin_alert_resend(struct alert_resend *op, struct pg_link *link, struct err *err)
{
	const char *before, *after;

	return pg_begin(link, "", err) && (before = lock_delivery(op, link, err)) && may_resend(op, link, err) &&
	       wait_again(op, link, err) && read_one(&op->job, link, op->tenant, op->id, &op->delivery, err) &&
	       (after = lock_delivery(op, link, err)) &&
	       admin_audit(&op->job, link, op->tenant, "alert_delivery.resend",
		       arena_printf(op->job.arena, "%lld", (long long)op->id), before, after, err) &&
	       pg_commit(link, err);
}
