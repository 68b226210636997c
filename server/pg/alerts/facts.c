/* What the alerts role looks for, numbers and tidies up by itself. */
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "pg/admin/price_age.h"
#include "pg/alerts/alerts.h"

/* Deletions at a time, of each table. */
enum { TIDY_ROWS = 5000 };

/* Keys that were rotated end as planned. */
static const char keys_sql[] =
	"SELECT tenant, CASE WHEN label = '' THEN prefix ELSE label END, id, (extract(epoch FROM expires_at) * "
	"1000000)::bigint FROM api_keys WHERE revoked_at IS NULL AND rotated_to IS NULL AND expires_at > "
	"to_timestamp($1 / 1000000.0) AND expires_at <= to_timestamp($2 / 1000000.0) ORDER BY expires_at, id LIMIT 1000";
static const char prices_sql[] =
	"WITH " PRICES_AGED("account = '' AND from_us <= $1 AND (to_us = 0 OR to_us > $1)") " SELECT coalesce((extract(epoch FROM max(a.read_at)) * 1000000)::bigint, 0) FROM aged a WHERE " PRICE_COSTS(
		"a");
static const char waiting_sql[] = "SELECT (SELECT count(*) FROM alert_due), (SELECT count(*) FROM alert_pending) + "
				  "(SELECT count(*) FROM alert_deliveries WHERE state = 1)";

static void read_keys(struct alerts_facts *op, const PGresult *result)
{
	op->keys = PQntuples(result);
	op->key = arena_zalloc(op->op.arena, (size_t)op->keys + 1, sizeof(*op->key));
	for (int i = 0; i < op->keys; i++) {
		const char *tenant = pg_text(result, i, 0), *label = pg_text(result, i, 1);

		op->key[i].tenant = arena_strndup(op->op.arena, tenant, strlen(tenant));
		op->key[i].label = arena_strndup(op->op.arena, label, strlen(label));
		op->key[i].id = pg_i64(result, i, 2);
		op->key[i].expires_at_us = pg_i64(result, i, 3);
	}
}

enum { LOOK_KEYS, LOOK_WAITING, LOOK_PRICES, LOOKS };

bool alerts_run_facts(struct alerts_facts *op, struct pg_link *link, struct err *err)
{
	PG_ARGS keys = {0}, prices = {0};
	PGresult *results[LOOKS];
	const struct pg_statement statements[LOOKS] = {
		[LOOK_KEYS] = {.sql = keys_sql, .args = &keys},
		[LOOK_WAITING] = {.sql = waiting_sql},
		[LOOK_PRICES] = {.sql = prices_sql, .args = &prices},
	};
	int count = op->prices ? LOOKS : LOOK_PRICES;

	pg_arg_int(&keys, op->now_us);
	pg_arg_int(&keys, op->keys_until_us);
	pg_arg_int(&prices, op->now_us);
	if (!pg_pipeline(link, statements, count, results, err))
		return false;
	read_keys(op, results[LOOK_KEYS]);
	op->due = pg_i64(results[LOOK_WAITING], 0, 0);
	op->waiting = pg_i64(results[LOOK_WAITING], 0, 1);
	op->newest_price_us = op->prices ? pg_i64(results[LOOK_PRICES], 0, 0) : 0;
	pg_results_clear(results, count);
	return true;
}

bool alerts_ask(struct pg_link *link, const char *sql, bool *yes, struct err *err)
{
	PG_RESULT result = pg_query(link, sql, NULL, err);

	if (!result)
		return false;
	*yes = pg_bool(result, 0, 0);
	return true;
}

/*
 * The row of the lease is locked until the commit: so the numbers of one transaction are visible before the next one gives any,
 * and a reader who has seen a number has seen all below it.
 */
bool alerts_run_number(struct alerts_number *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;
	bool any;

	op->numbered = 0;
	op->more = false;
	if (!alerts_ask(link, "SELECT EXISTS (SELECT FROM alert_events WHERE seq IS NULL)", &any, err))
		return false;
	if (!any)
		return true;
	pg_arg_int(&args, op->limit);
	if (!pg_begin(link, "", err) ||
		!pg_exec(link,
			"INSERT INTO leases AS l (name, holder, fence, until) VALUES ('alerts-order', '', 1, '-infinity') "
			"ON CONFLICT (name) DO UPDATE SET fence = l.fence + 1",
			NULL, err) ||
		!pg_read(link,
			"UPDATE alert_events e SET seq = n.seq FROM (SELECT id, nextval('alert_seq') AS seq FROM (SELECT "
			"id FROM alert_events WHERE seq IS NULL ORDER BY id LIMIT $1) o) n WHERE e.id = n.id RETURNING e.id",
			&args, &result, err) ||
		!pg_commit(link, err))
		return false;
	op->numbered = PQntuples(result);
	op->more = op->numbered == op->limit;
	return true;
}

/* What is numbered, delivered or given up, and old; of events none that waits for a channel. */
static const char *const tidy_sql[] = {
	"DELETE FROM alert_fired WHERE ctid = ANY (ARRAY(SELECT ctid FROM alert_fired WHERE expires_at < "
	"to_timestamp($1 / 1000000.0) AND $2 IS NOT NULL LIMIT $3))",
	"DELETE FROM alert_deliveries WHERE id = ANY (ARRAY(SELECT id FROM alert_deliveries WHERE state <> 1 AND created_at < "
	"to_timestamp(($1 - $2) / 1000000.0) ORDER BY id LIMIT $3))",
	"DELETE FROM alert_events WHERE id = ANY (ARRAY(SELECT e.id FROM alert_events e WHERE e.at < "
	"to_timestamp(($1 - $2) / 1000000.0) AND e.seq IS NOT NULL AND NOT EXISTS (SELECT FROM alert_pending p WHERE "
	"p.event = e.id) LIMIT $3))",
};

bool alerts_run_upkeep(struct alerts_upkeep *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};

	op->deleted = 0;
	op->more = false;
	pg_arg_int(&args, op->now_us);
	pg_arg_int(&args, op->retention_us);
	pg_arg_int(&args, TIDY_ROWS);
	for (size_t i = 0; i < sizeof(tidy_sql) / sizeof(tidy_sql[0]); i++) {
		PG_RESULT result = pg_query(link, tidy_sql[i], &args, err);
		int64_t deleted;

		if (!result)
			return false;
		deleted = strtoll(PQcmdTuples(result), NULL, 10);
		op->deleted += deleted;
		op->more = op->more || deleted == TIDY_ROWS;
	}
	return true;
}
