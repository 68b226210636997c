/*
 * One evaluation: takes what is due, reads the accounts, lets them be judged, and stores what fires (pg/alerts/alerts.h).
 *
 * Due rows are committed together with the use that they stand for, and a statement sees what was committed before it began. So what
 * is read after the rows were taken shows at least that use. What has fired is read first of all: whoever stored it had read
 * no more than what is read here, so nothing of it is forgotten because of an older view.
 *
 * Two evaluations never wait for each other in a circle: they insert in the order of keys, and delete last, only what is not locked.
 */
#include <stdlib.h>
#include <string.h>

#include "base/observe/log.h"
#include "base/units.h"
#include "pg/alerts/alerts.h"
#include "pg/link/rows.h"

enum { DUE_ROWS = 256, PAST_DAYS = 14 };

static const char due_sql[] =
	"WITH waiting AS MATERIALIZED (SELECT id, cardinality(kinds) AS n FROM alert_due ORDER BY id LIMIT $2 "
	"FOR UPDATE SKIP LOCKED), "
	"summed AS (SELECT id, sum(n) OVER (ORDER BY id) - n AS ahead FROM waiting), "
	"taken AS (DELETE FROM alert_due d USING summed s WHERE d.id = s.id AND s.ahead < $1 "
	"RETURNING d.tenants, d.kinds, d.ids) "
	"SELECT k.tenant, k.kind, k.id, (SELECT count(*) FROM waiting) = $2 OR (SELECT count(*) FROM waiting) > "
	"(SELECT count(*) FROM taken) FROM (SELECT DISTINCT u.* FROM taken t, unnest(t.tenants, t.kinds, t.ids) AS u "
	"(tenant, kind, id)) AS k";

static const char notes_sql[] =
	"WITH e AS (DELETE FROM alert_notes WHERE id IN (SELECT id FROM alert_notes ORDER BY id LIMIT $1 "
	"FOR UPDATE SKIP LOCKED) RETURNING *) SELECT " ALERT_NOTE_COLUMNS " FROM e ORDER BY e.id";

static const char any_sql[] = "SELECT EXISTS (SELECT FROM alert_due) OR EXISTS (SELECT FROM alert_notes)";

static bool take(struct alerts_evaluate *op, struct pg_link *link, PGresult *results[2], struct err *err)
{
	PG_ARGS due = {0}, notes = {0};
	const struct pg_statement statements[] = {{.sql = due_sql, .args = &due}, {.sql = notes_sql, .args = &notes}};

	pg_arg_int(&due, op->limit);
	pg_arg_int(&due, DUE_ROWS);
	pg_arg_int(&notes, op->limit);
	return pg_pipeline(link, statements, 2, results, err);
}

static const char *text_of(const PGresult *result, int row, int column, struct arena *arena)
{
	return arena_strndup(arena, pg_text(result, row, column), (size_t)PQgetlength(result, row, column));
}

/* The accounts of what was taken, each once. */
static void accounts_list(struct alerts_evaluate *op, const PGresult *due)
{
	size_t room = (size_t)PQntuples(due) + (size_t)op->notes + 1;
	struct alert_account *account = arena_zalloc(op->op.arena, room, sizeof(*account));
	int count = 0, kept = 0;

	for (int i = 0; i < PQntuples(due); i++) {
		account[count].tenant = text_of(due, i, 0, op->op.arena);
		account[count].kind = (enum account_kind)pg_i64(due, i, 1);
		account[count++].id = text_of(due, i, 2, op->op.arena);
	}
	for (int i = 0; i < op->notes; i++) {
		if (!op->note[i].account_kind)
			continue;
		account[count].tenant = op->note[i].tenant;
		account[count].kind = op->note[i].account_kind;
		account[count++].id = op->note[i].account;
	}
	if (count)
		qsort(account, (size_t)count, sizeof(*account), alert_account_order);
	for (int i = 0; i < count; i++)
		if (kept == 0 || alert_account_order(&account[kept - 1], &account[i]) != 0)
			account[kept++] = account[i];
	op->account = account;
	op->accounts = kept;
}

static void taken_read(struct alerts_evaluate *op, const PGresult *due, const PGresult *notes)
{
	op->notes = PQntuples(notes);
	op->note = arena_zalloc(op->op.arena, (size_t)op->notes + 1, sizeof(*op->note));
	for (int i = 0; i < op->notes; i++)
		row_alert_event(notes, i, 0, op->op.arena, &op->note[i]);
	op->more = op->notes == op->limit || (PQntuples(due) && pg_bool(due, 0, 3));
	accounts_list(op, due);
}

/* How many rows, starting at `row`, are of that row's account. */
static int same_account(const PGresult *result, int row)
{
	int n = 1;

	while (row + n < PQntuples(result) && pg_i64(result, row + n, 0) == pg_i64(result, row, 0))
		n++;
	return n;
}

static struct alert_account *account_at(struct alerts_evaluate *op, const PGresult *result, int row)
{
	return &op->account[pg_i64(result, row, 0) - 1];
}

static void read_fired(struct alerts_evaluate *op, const PGresult *result)
{
	for (int row = 0, n; row < PQntuples(result); row += n) {
		struct alert_account *account = account_at(op, result, row);

		n = same_account(result, row);
		account->fired = n;
		account->fired_row = arena_zalloc(op->op.arena, (size_t)n, sizeof(*account->fired_row));
		for (int i = 0; i < n; i++)
			account->fired_row[i] = (struct alert_fired){
				.rule = text_of(result, row + i, 1, op->op.arena),
				.key = text_of(result, row + i, 2, op->op.arena),
				.window_us = pg_i64(result, row + i, 3),
				.point = pg_i64(result, row + i, 4),
				.used = pg_i64(result, row + i, 5),
			};
	}
}

static void read_profiles(struct alerts_evaluate *op, const PGresult *result)
{
	for (int row = 0; row < PQntuples(result); row++)
		row_profile(result, row, 1, &account_at(op, result, row)->profile);
}

static void read_limits(struct alerts_evaluate *op, const PGresult *result)
{
	for (int row = 0, n; row < PQntuples(result); row += n) {
		struct account_profile *profile = &account_at(op, result, row)->profile;
		struct err err;

		n = same_account(result, row);
		profile->overrides = arena_zalloc(op->op.arena, (size_t)n, sizeof(*profile->overrides));
		for (int i = 0; i < n && profile->override_count < LIMITS_MAX; i++) {
			row_own_limit(result, row + i, 1, &profile->overrides[profile->override_count]);
			if (limit_prepare(&profile->overrides[profile->override_count], &err))
				profile->override_count++;
			else
				log_error("ignored an invalid account limit in PostgreSQL", F("why", err.text));
		}
	}
}

static void read_windows(struct alerts_evaluate *op, const PGresult *result)
{
	for (int row = 0, n; row < PQntuples(result); row += n) {
		struct alert_account *account = account_at(op, result, row);

		n = same_account(result, row);
		account->windows = n;
		account->window = arena_zalloc(op->op.arena, (size_t)n, sizeof(*account->window));
		for (int i = 0; i < n; i++)
			row_usage(result, row + i, 1, op->op.arena, &account->window[i]);
	}
}

static void read_days(struct alerts_evaluate *op, const PGresult *result)
{
	for (int row = 0; row < PQntuples(result); row++) {
		struct alert_account *account = account_at(op, result, row);

		account->today_nano = pg_i64(result, row, 1);
		account->today_unpriced = pg_i64(result, row, 2);
		account->past_nano = pg_i64(result, row, 3);
		account->past_days = (int)pg_i64(result, row, 4);
	}
}

#define KEYS "FROM unnest($1, $2, $3) WITH ORDINALITY AS k (tenant, kind, id, position) "

/*
 * Today's cost by a table of roll-ups; and what was before, if the cost of today is worth a comparison. Records without tokens and
 * model, as made by 'bursar run', need no price.
 */
#define DAYS_SQL(table, mine, kinds) \
	"SELECT k.position, t.cost, t.unpriced, coalesce(p.cost, 0), coalesce(least(f.days, $7), 0) " KEYS \
	"CROSS JOIN LATERAL (SELECT coalesce(sum(u.cost_nano), 0)::bigint AS cost, coalesce(sum(u.unpriced) " \
	"FILTER (WHERE u.model <> '' OR u.charged_input + u.charged_output > 0), 0)::bigint AS unpriced FROM " table \
	" u WHERE " mine " AND u.day = ($4::date[])[1]) t " \
	"LEFT JOIN LATERAL (SELECT sum(u.cost_nano)::bigint AS cost FROM " table " u WHERE " mine \
	" AND u.day >= ($4::date[])[1] - $7::int AND u.day < ($4::date[])[1]) p ON t.cost >= $6 AND t.cost > 0 " \
	"LEFT JOIN LATERAL (SELECT (($4::date[])[1] - min(u.day))::bigint AS days FROM " table " u WHERE " mine \
	") f ON t.cost >= $6 AND t.cost > 0 WHERE ($5 >> k.kind::int) & 1 = 1 AND k.kind IN (" kinds ")"
static const char days_sql[] = DAYS_SQL("usage_shared_daily", "u.tenant = k.tenant AND u.kind = k.kind AND u.id = k.id",
	"2, 3, 5") " UNION ALL " DAYS_SQL("usage_daily", "u.tenant = k.tenant AND u.user_id = k.id", "1");

static void keys_args(const struct alerts_evaluate *op, struct pg_args *args)
{
	pg_arg_array(args, PG_TEXT);
	pg_arg_array(args, PG_INT2);
	pg_arg_array(args, PG_TEXT);
	for (int i = 0; i < op->accounts; i++) {
		pg_array_text(args, 0, op->account[i].tenant);
		pg_array_int(args, 1, op->account[i].kind);
		pg_array_text(args, 2, op->account[i].id);
	}
}

static void days_args(const struct alerts_evaluate *op, struct pg_args *args)
{
	int day;

	keys_args(op, args);
	day = pg_arg_array(args, PG_DATE);
	pg_array_int(args, day, op->now_us);
	pg_arg_int(args, op->daily_kinds);
	pg_arg_int(args, op->daily_minimum_nano);
	pg_arg_int(args, PAST_DAYS);
}

enum { READ_FIRED, READ_GENERATION, READ_PROFILES, READ_LIMITS, READ_WINDOWS, READ_DAYS, READS };

static bool accounts_read(struct alerts_evaluate *op, struct pg_link *link, struct err *err)
{
	PG_ARGS keys = {0}, since = {0}, days = {0};
	PGresult *results[READS];
	const struct pg_statement statements[READS] = {
		[READ_FIRED] =
			{.sql = "SELECT k.position, f.rule, f.key, f.window_us, f.point, f.used " KEYS
				"JOIN LATERAL (SELECT a.* FROM alert_fired a WHERE a.tenant = k.tenant AND "
				"a.account_kind = k.kind AND a.account = k.id OFFSET 0) f ON true ORDER BY k.position",
				.args = &keys},
		[READ_GENERATION] = {.sql = "SELECT generation FROM catalog_epoch"},
		[READ_PROFILES] = {.sql = "SELECT k.position, " ACCOUNT_COLUMNS " " KEYS
					  "JOIN accounts a USING (tenant, kind, id)",
			.args = &keys},
		[READ_LIMITS] =
			{.sql = "SELECT k.position, l.name, l.dimension, l.kind, l.unit, l.amount, l.period_us, l.burst, "
				"l.interface, l.model, l.shadow, l.notify, l.warn_percent, l.until_us " KEYS
				"JOIN account_limits l ON l.tenant = k.tenant AND l.account_kind = k.kind AND "
				"l.account_id = k.id ORDER BY k.position, l.position",
				.args = &keys},
		[READ_WINDOWS] = {.sql = "SELECT k.position, " USAGE_COLUMNS " " KEYS USAGE_SINCE("$4", "$5", "$6")
					  USAGE_JOIN "ORDER BY 1",
			.args = &since},
		[READ_DAYS] = {.sql = days_sql, .args = &days},
	};

	keys_args(op, &keys);
	keys_args(op, &since);
	args_usage_since(&since, op->now_us);
	days_args(op, &days);
	if (!pg_pipeline(link, statements, READS, results, err))
		return false;
	read_fired(op, results[READ_FIRED]);
	op->stale = pg_i64(results[READ_GENERATION], 0, 0) != op->catalog_stored;
	read_profiles(op, results[READ_PROFILES]);
	read_limits(op, results[READ_LIMITS]);
	read_windows(op, results[READ_WINDOWS]);
	read_days(op, results[READ_DAYS]);
	pg_results_clear(results, READS);
	return true;
}

static bool rearm(const struct alerts_evaluate *op, struct pg_link *link, struct err *err)
{
	static const enum pg_type types[] = {PG_TEXT, PG_INT2, PG_TEXT, PG_TEXT, PG_TEXT, PG_INT8, PG_INT8, PG_INT8};
	PG_ARGS args = {0};

	if (op->rearms == 0)
		return true;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		pg_arg_array(&args, types[i]);
	for (int i = 0; i < op->rearms; i++) {
		const struct alert_rearm *one = &op->rearm[i];

		pg_array_text(&args, 0, one->tenant);
		pg_array_int(&args, 1, one->kind);
		pg_array_text(&args, 2, one->id);
		pg_array_text(&args, 3, one->fired.rule);
		pg_array_text(&args, 4, one->fired.key);
		pg_array_int(&args, 5, one->fired.window_us);
		pg_array_int(&args, 6, one->fired.point);
		pg_array_int(&args, 7, one->fired.used);
	}
	return pg_exec(link,
		"DELETE FROM alert_fired WHERE ctid IN (SELECT f.ctid FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS k (tenant, "
		"kind, id, rule, key, window_us, point, used) JOIN alert_fired f ON f.tenant = k.tenant AND f.account_kind = k.kind "
		"AND f.account = k.id AND f.rule = k.rule AND f.key = k.key AND f.window_us = k.window_us "
		"AND f.point = k.point AND f.used = k.used FOR UPDATE OF f SKIP LOCKED)",
		&args, err);
}

static bool judge_and_store(struct alerts_evaluate *op, struct pg_link *link, struct err *err)
{
	return accounts_read(op, link, err) && op->judge(op, err) &&
	       alerts_fire(link, op->firing, op->firings, op->op.arena, err) && rearm(op, link, err) &&
	       pg_commit(link, err);
}

bool alerts_run_evaluate(struct alerts_evaluate *op, struct pg_link *link, struct err *err)
{
	PGresult *taken[2];
	bool any;

	op->firings = op->rearms = op->stored = 0;
	op->accounts = op->notes = 0;
	op->more = false;
	if (!alerts_ask(link, any_sql, &any, err))
		return false;
	if (!any)
		return true;
	if (!pg_begin(link, "", err) || !take(op, link, taken, err))
		return false;
	taken_read(op, taken[0], taken[1]);
	pg_results_clear(taken, 2);
	if (op->accounts + op->notes == 0)
		return pg_commit(link, err);
	if (!judge_and_store(op, link, err))
		return false;
	op->stored = alerts_fired_count(op->firing, op->firings);
	return true;
}
