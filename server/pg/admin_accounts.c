/* Accounts: read, changed in one transaction with version, policy_changes and audit_log, listed. */
#include "pg/admin.h"

#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "pg/rows.h"

#define ROW_SQL \
	"SELECT " ACCOUNT_COLUMNS ", a.suspended_reason, (extract(epoch FROM a.created_at) * 1000000)::bigint, " \
	"(extract(epoch FROM a.updated_at) * 1000000)::bigint, EXISTS (SELECT FROM policy_changes c WHERE " \
	"c.tenant = a.tenant AND c.kind = a.kind AND c.account = a.id), a.id FROM accounts a "
#define OWN_LIMITS_SQL \
	"SELECT account_id, " OWN_LIMIT_COLUMNS \
	" FROM account_limits WHERE tenant = $1 AND account_kind = $2::smallint "

static void key_args(struct pg_args *args, const struct account_key *key)
{
	pg_arg_text(args, key->tenant);
	pg_arg_int(args, key->kind);
	pg_arg_text(args, key->id);
}

static void read_row(struct admin_job *job, const PGresult *result, int row, struct account_row *out)
{
	out->known = true;
	row_profile(result, row, 0, &out->profile);
	out->suspended_reason = admin_text(job, result, row, ACCOUNT_COLUMN_COUNT);
	out->created_at_us = pg_i64(result, row, ACCOUNT_COLUMN_COUNT + 1);
	out->updated_at_us = pg_i64(result, row, ACCOUNT_COLUMN_COUNT + 2);
	out->pending = pg_bool(result, row, ACCOUNT_COLUMN_COUNT + 3);
}

/* The limits in rows from *at on whose account is `id`. */
static void read_overrides(
	struct admin_job *job, const PGresult *result, int *at, const char *id, struct account_profile *profile)
{
	int first = *at, rows = PQntuples(result);
	struct err err;

	while (*at < rows && strcmp(pg_text(result, *at, 0), id) == 0)
		(*at)++;
	profile->overrides = arena_zalloc(job->arena, (size_t)(*at - first) + 1, sizeof(*profile->overrides));
	profile->override_count = 0;
	for (int row = first; row < *at && profile->override_count < LIMITS_MAX; row++) {
		struct limit *limit = &profile->overrides[profile->override_count];
		row_own_limit(result, row, 1, limit);
		if (limit_prepare(limit, &err))
			profile->override_count++;
		else
			log_error("an account's limit in PostgreSQL is not valid and is left out", F("why", err.text));
	}
}

static bool read_account(struct admin_job *job, struct pg_link *link, const struct account_key *key, bool lock,
	struct account_row *out, struct err *err)
{
	struct pg_args args = {0};
	PGresult *results[2];
	int at = 0;

	key_args(&args, key);
	const struct pg_statement statements[] = {
		{.sql = lock ? ROW_SQL "WHERE a.tenant = $1 AND a.kind = $2::smallint AND a.id = $3 FOR UPDATE"
			     : ROW_SQL "WHERE a.tenant = $1 AND a.kind = $2::smallint AND a.id = $3",
			.args = &args},
		{.sql = OWN_LIMITS_SQL "AND account_id = $3 ORDER BY position", .args = &args},
	};
	bool ok = pg_pipeline(link, statements, 2, results, err);
	pg_args_release(&args);
	if (!ok)
		return false;
	*out = (struct account_row){.key = *key, .suspended_reason = ""};
	if (PQntuples(results[0])) {
		read_row(job, results[0], 0, out);
		read_overrides(job, results[1], &at, key->id, &out->profile);
	}
	PQclear(results[0]);
	PQclear(results[1]);
	return true;
}

bool admin_account_get(struct admin_job *job, struct pg_link *link, struct err *err)
{
	struct account_get *op = container_of(job, struct account_get, job);

	return read_account(job, link, &op->key, false, &op->row, err);
}

/* A row to lock, also for an account that has none yet: two changes at once come one after the other. */
static bool make_row(struct pg_link *link, const struct account_key *key, bool *is_new, struct err *err)
{
	struct pg_args args = {0};

	key_args(&args, key);
	PGresult *result = pg_query(link,
		"INSERT INTO accounts (tenant, kind, id) VALUES ($1, $2::smallint, $3) ON CONFLICT DO NOTHING "
		"RETURNING 1",
		&args, err);
	pg_args_release(&args);
	if (!result)
		return false;
	*is_new = PQntuples(result) == 1;
	PQclear(result);
	return true;
}

static bool write_row(struct pg_link *link, const struct account_row *row, struct err *err)
{
	const struct account_profile *profile = &row->profile;
	struct pg_args args = {0};

	key_args(&args, &row->key);
	pg_arg_text(&args, profile->tier);
	pg_arg_text(&args, profile->team);
	pg_arg_text(&args, profile->org);
	pg_arg_bool(&args, profile->suspended);
	pg_arg_text(&args, row->suspended_reason ? row->suspended_reason : "");
	pg_arg_bool(&args, profile->bypass);
	pg_arg_bool(&args, profile->deleted);
	pg_arg_int(&args, profile->grace_percent);
	pg_arg_int(&args, profile->grace_until_us);
	pg_arg_text(&args, profile->zone.name);
	pg_arg_text(&args, profile->zone.previous);
	pg_arg_int(&args, profile->zone.changed_at_us);
	bool ok = pg_exec(link,
		"UPDATE accounts SET tier = $4, team = $5, org = $6, suspended = $7, suspended_reason = $8, bypass = "
		"$9, "
		"deleted = $10, grace_percent = $11::int, grace_until_us = $12, zone = $13, zone_previous = $14, "
		"zone_changed_at_us = $15, version = version + 1, updated_at = now() "
		"WHERE tenant = $1 AND kind = $2::smallint AND id = $3",
		&args, err);
	pg_args_release(&args);
	return ok;
}

static bool write_overrides(struct pg_link *link, const struct account_row *row, struct err *err)
{
	struct pg_args key = {0}, args = {0};

	key_args(&key, &row->key);
	key_args(&args, &row->key);
	int first = args_limits_begin(&args);
	int ends = pg_arg_array(&args, PG_INT8);
	for (int i = 0; i < row->profile.override_count; i++) {
		args_limit(&args, first, &row->profile.overrides[i]);
		pg_array_int(&args, ends, row->profile.overrides[i].until_us);
	}
	bool ok =
		pg_exec(link,
			"DELETE FROM account_limits WHERE tenant = $1 AND account_kind = $2::smallint AND account_id = "
			"$3",
			&key, err) &&
		(row->profile.override_count == 0 ||
			pg_exec(link,
				"INSERT INTO account_limits (tenant, account_kind, account_id, "
				"position, " OWN_LIMIT_COLUMNS ") "
				"SELECT $1, $2::smallint, $3, l.position - 1, " OWN_LIMIT_COLUMNS
				" FROM unnest($4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) WITH "
				"ORDINALITY AS "
				"l (" OWN_LIMIT_COLUMNS ", position)",
				&args, err));
	pg_args_release(&key);
	pg_args_release(&args);
	return ok;
}

/* The account as an auditor wants to read it. */
#define ACCOUNT_JSON \
	"SELECT to_jsonb(a) || jsonb_build_object('limits', (SELECT jsonb_agg(to_jsonb(l) - " \
	"'{tenant,account_kind,account_id}'::text[] ORDER BY l.position) FROM account_limits l WHERE l.tenant = " \
	"a.tenant " \
	"AND l.account_kind = a.kind AND l.account_id = a.id)) FROM accounts a WHERE tenant = $1 AND kind = " \
	"$2::smallint " \
	"AND id = $3"

/* What the ledger role repeats until Redis has it, and what auditors read. */
static bool write_trail(
	struct admin_job *job, struct pg_link *link, const struct account_key *key, const char *before, struct err *err)
{
	struct pg_args change = {0}, audit = {0};
	PGresult *results[2];

	key_args(&change, key);
	key_args(&audit, key);
	pg_arg_text(&audit, job->actor ? job->actor : "");
	pg_arg_text(&audit, job->reason ? job->reason : "");
	pg_arg_text(&audit, account_kind_name(key->kind));
	pg_arg_text(&audit, before);
	const struct pg_statement statements[] = {
		{.sql = "INSERT INTO policy_changes (tenant, kind, account, version) SELECT tenant, kind, id, version "
			"FROM accounts "
			"WHERE tenant = $1 AND kind = $2::smallint AND id = $3",
			.args = &change},
		{.sql = "INSERT INTO audit_log (tenant, actor, action, target, reason, before, details) SELECT $1, $4, "
			"'account.change', $6 || '/' || $3, $5, $7::jsonb, (" ACCOUNT_JSON ")",
			.args = &audit},
	};
	bool ok = pg_pipeline(link, statements, 2, results, err);
	for (int i = 0; ok && i < 2; i++)
		PQclear(results[i]);
	pg_args_release(&change);
	pg_args_release(&audit);
	return ok;
}

static const char *json_before(
	struct admin_job *job, struct pg_link *link, const struct account_key *key, bool is_new, struct err *err)
{
	struct pg_args args = {0};

	if (is_new)
		return "null";
	key_args(&args, key);
	const char *json = admin_json(job, link, ACCOUNT_JSON, &args, err);
	pg_args_release(&args);
	return json;
}

bool admin_account_change(struct admin_job *job, struct pg_link *link, struct err *err)
{
	struct account_change *op = container_of(job, struct account_change, job);
	const char *before;
	bool is_new;

	if (!pg_begin(link, "", err) || !make_row(link, &op->key, &is_new, err) ||
		!(before = json_before(job, link, &op->key, is_new, err)) ||
		!read_account(job, link, &op->key, true, &op->row, err))
		return false;
	op->row.known = !is_new;
	if (!op->change(op, &op->row, err))
		return false;
	op->row.key = op->key;
	return write_row(link, &op->row, err) && write_overrides(link, &op->row, err) &&
	       write_trail(job, link, &op->key, before, err) &&
	       read_account(job, link, &op->key, false, &op->row, err) && pg_commit(link, err);
}

bool admin_account_confirm(struct admin_job *job, struct pg_link *link, struct err *err)
{
	struct account_confirm *op = container_of(job, struct account_confirm, job);
	struct pg_args args = {0};

	key_args(&args, &op->key);
	pg_arg_int(&args, op->version);
	bool ok = pg_exec(link,
		"DELETE FROM policy_changes WHERE tenant = $1 AND kind = $2::smallint AND account = $3 AND version <= "
		"$4",
		&args, err);
	pg_args_release(&args);
	return ok;
}

bool admin_override_ends(struct admin_job *job, struct pg_link *link, struct err *err)
{
	struct override_ends *op = container_of(job, struct override_ends, job);
	struct pg_args args = {0};

	pg_arg_int(&args, op->now_us);
	pg_arg_int(&args, op->limit);
	PGresult *result = pg_query(link,
		"SELECT DISTINCT tenant, account_kind, account_id FROM (SELECT tenant, account_kind, account_id FROM "
		"account_limits WHERE until_us > 0 AND until_us <= $1 ORDER BY until_us LIMIT $2) l",
		&args, err);
	pg_args_release(&args);
	if (!result)
		return false;
	op->count = PQntuples(result);
	op->key = arena_zalloc(job->arena, (size_t)op->count + 1, sizeof(*op->key));
	for (int i = 0; i < op->count; i++)
		op->key[i] = (struct account_key){
			.kind = (enum account_kind)pg_i64(result, i, 1),
			.tenant = admin_text(job, result, i, 0),
			.id = admin_text(job, result, i, 2),
		};
	PQclear(result);
	return true;
}

static void list_args(struct pg_args *args, const struct account_list *op)
{
	pg_arg_text(args, op->tenant);
	pg_arg_int(args, op->kind);
	pg_arg_text(args, op->after ? op->after : "");
	pg_arg_text(args, op->tier ? op->tier : "");
	pg_arg_bool(args, op->suspended_only);
	pg_arg_text(args, op->id_prefix ? op->id_prefix : "");
	pg_arg_int(args, op->limit + 1);
}

/* An account on no tier of its own is on the tenant's default. */
#define LIST_WHERE \
	"WHERE a.tenant = $1 AND a.kind = $2::smallint AND a.id > $3 AND ($4 = '' OR a.tier = $4 OR (a.tier = '' AND " \
	"$4 = " \
	"(SELECT default_tier FROM tenants WHERE id IN ($1, 'default') ORDER BY id <> $1 LIMIT 1))) AND (NOT $5 OR " \
	"a.suspended) " \
	"AND starts_with(a.id, $6) ORDER BY a.id LIMIT $7"

bool admin_account_list(struct admin_job *job, struct pg_link *link, struct err *err)
{
	struct account_list *op = container_of(job, struct account_list, job);
	struct pg_args args = {0};
	PGresult *results[4];
	int at = 0;

	list_args(&args, op);
	const struct pg_statement statements[] = {
		{.sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"},
		{.sql = ROW_SQL LIST_WHERE, .args = &args},
		{.sql = OWN_LIMITS_SQL "AND account_id IN (SELECT a.id FROM accounts a " LIST_WHERE
				       ") ORDER BY account_id, position",
			.args = &args},
		{.sql = "COMMIT"},
	};
	bool ok = pg_pipeline(link, statements, 4, results, err);
	pg_args_release(&args);
	if (!ok)
		return false;
	int rows = PQntuples(results[1]);
	op->more = rows > op->limit;
	op->count = op->more ? op->limit : rows;
	op->rows = arena_zalloc(job->arena, (size_t)op->count + 1, sizeof(*op->rows));
	for (int i = 0; i < op->count; i++) {
		struct account_row *row = &op->rows[i];
		row->key = (struct account_key){.kind = op->kind, .tenant = op->tenant};
		row->key.id = admin_text(job, results[1], i, ACCOUNT_COLUMN_COUNT + 4);
		read_row(job, results[1], i, row);
		read_overrides(job, results[2], &at, row->key.id, &row->profile);
	}
	for (int i = 0; i < 4; i++)
		PQclear(results[i]);
	return true;
}
