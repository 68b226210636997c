/* Reads and writes accounts by sets: one statement for any number of them, in the order of ids. */
#include "pg/admin/account_rows.h"

#include <string.h>

#include "base/observe/log.h"
#include "pg/link/rows.h"

#define OF_IDS "WHERE a.tenant = $1 AND a.kind = $2::smallint AND a.id = ANY($3)"
#define OWN_LIMITS "l.tenant = a.tenant AND l.account_kind = a.kind AND l.account_id = a.id"

/* The account as shown in the audit log, without the columns that only older versions of bursard use. */
#define ACCOUNT_JSON \
	"to_jsonb(a) - '{zone_previous,zone_changed_at_us}'::text[] || jsonb_build_object('limits', (SELECT " \
	"jsonb_agg(to_jsonb(l) - " \
	"'{tenant,account_kind,account_id}'::text[] ORDER BY l.position) FROM account_limits l WHERE " OWN_LIMITS "))"

enum { COLUMN_REASON = ACCOUNT_COLUMN_COUNT, COLUMN_CREATED, COLUMN_UPDATED, COLUMN_PENDING, COLUMN_ID, COLUMN_JSON };
#define ROW_COLUMNS \
	ACCOUNT_COLUMNS \
	", a.suspended_reason, (extract(epoch FROM a.created_at) * 1000000)::bigint, " \
	"(extract(epoch FROM a.updated_at) * 1000000)::bigint, EXISTS (SELECT FROM policy_changes c WHERE " \
	"c.tenant = a.tenant AND c.kind = a.kind AND c.account = a.id), a.id"

static void ids_args(struct pg_args *args, const struct account_set *set, const char *const *id, int count)
{
	int ids;

	pg_arg_text(args, set->tenant);
	pg_arg_int(args, set->kind);
	ids = pg_arg_array(args, PG_TEXT);
	for (int i = 0; i < count; i++)
		pg_array_text(args, ids, id[i]);
}

static void read_row(struct admin_job *job, const PGresult *result, int row, struct account_row *out)
{
	out->known = true;
	row_profile(result, row, 0, &out->profile);
	out->suspended_reason = admin_text(job, result, row, COLUMN_REASON);
	out->created_at_us = pg_i64(result, row, COLUMN_CREATED);
	out->updated_at_us = pg_i64(result, row, COLUMN_UPDATED);
	out->pending = pg_bool(result, row, COLUMN_PENDING);
	out->key.id = admin_text(job, result, row, COLUMN_ID);
}

/* Reads the limits of account `id`, starting at row *at, and advances it. */
static void read_overrides(
	struct admin_job *job, const PGresult *result, int *at, const char *id, struct account_profile *profile)
{
	int first = *at, rows = PQntuples(result);
	struct err err;

	while (*at < rows && strcmp(pg_text(result, *at, 0), id) == 0)
		(*at)++;
	profile->override_count = 0;
	if (*at == first)
		return;
	profile->overrides = arena_zalloc(job->arena, (size_t)(*at - first), sizeof(*profile->overrides));
	for (int row = first; row < *at && profile->override_count < LIMITS_MAX; row++) {
		struct limit *limit = &profile->overrides[profile->override_count];
		row_own_limit(result, row, 1, limit);
		if (limit_prepare(limit, &err))
			profile->override_count++;
		else
			log_error("ignored an invalid account limit in PostgreSQL", F("why", err.text));
	}
}

static void read_rows(struct admin_job *job, struct account_read *read, PGresult *const *results)
{
	int at = 0;

	read->found = PQntuples(results[0]);
	for (int i = 0; i < read->found; i++) {
		struct account_row *row = &read->rows[i];
		*row = (struct account_row){.key = {.kind = read->set.kind, .tenant = read->set.tenant}};
		read_row(job, results[0], i, row);
		/* Skips the limits of accounts that the filter excluded. */
		while (at < PQntuples(results[1]) && strcmp(pg_text(results[1], at, 0), row->key.id) < 0)
			at++;
		read_overrides(job, results[1], &at, row->key.id, &row->profile);
		if (read->before)
			read->before[i] = admin_text(job, results[0], i, COLUMN_JSON);
		if (read->before)
			etag_of(read->before[i], row->etag);
	}
}

bool account_rows_read(struct admin_job *job, struct pg_link *link, struct account_read *read, struct err *err)
{
	PG_ARGS args = {0}, ids = {0};
	struct buf sql = {0};
	PGresult *results[2];
	struct pg_statement statements[] = {
		{.args = &args},
		{.sql = "SELECT account_id, " OWN_LIMIT_COLUMNS
			" FROM account_limits WHERE tenant = $1 AND account_kind = "
			"$2::smallint AND account_id = ANY($3) ORDER BY account_id, position",
			.args = &ids},
	};
	bool ok;

	ids_args(&args, &read->set, read->id, read->count);
	ids_args(&ids, &read->set, read->id, read->count);
	buf_putf(&sql, "SELECT " ROW_COLUMNS "%s FROM accounts a " OF_IDS, read->before ? ", " ACCOUNT_JSON : "");
	if (read->set.filter)
		account_filter_put(&sql, &args, read->set.filter);
	buf_putf(&sql, " ORDER BY a.id%s", read->lock ? " FOR UPDATE OF a" : "");
	statements[0].sql = buf_str(&sql);
	ok = pg_pipeline(link, statements, 2, results, err);
	buf_release(&sql);
	if (!ok)
		return false;
	read_rows(job, read, results);
	pg_results_clear(results, 2);
	return true;
}

bool account_rows_make(struct pg_link *link, const struct account_set *set, const char *const *id, int count,
	bool *made, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	ids_args(&args, set, id, count);
	if (!pg_read(link,
		    "WITH made AS (INSERT INTO accounts (tenant, kind, id) SELECT $1, $2::smallint, i FROM unnest($3) AS i "
		    "ORDER BY i COLLATE \"C\" ON CONFLICT DO NOTHING RETURNING id) SELECT id FROM made ORDER BY id",
		    &args, &result, err))
		return false;
	for (int i = 0, at = 0; i < count; i++) {
		made[i] = at < PQntuples(result) && strcmp(pg_text(result, at, 0), id[i]) == 0;
		at += made[i];
	}
	return true;
}

static void key_arrays(struct pg_args *args, const struct account_written *written, int count)
{
	int ids;

	pg_arg_text(args, written[0].row->key.tenant);
	pg_arg_int(args, written[0].row->key.kind);
	ids = pg_arg_array(args, PG_TEXT);
	for (int i = 0; i < count; i++)
		pg_array_text(args, ids, written[i].row->key.id);
}

static void row_arrays(struct pg_args *args, const struct account_written *written, int count)
{
	static const enum pg_type types[] = {
		PG_TEXT, PG_TEXT, PG_TEXT, PG_BOOL, PG_TEXT, PG_BOOL, PG_BOOL, PG_INT4, PG_INT8, PG_TEXT, PG_TEXT};
	int at = args->count;

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		pg_arg_array(args, types[i]);
	for (int i = 0; i < count; i++) {
		const struct account_profile *profile = &written[i].row->profile;
		const char *reason = written[i].row->suspended_reason;
		char kept[ZONE_KEPT_TEXT_MAX];

		pg_array_text(args, at, profile->tier);
		pg_array_text(args, at + 1, profile->team);
		pg_array_text(args, at + 2, profile->org);
		pg_array_int(args, at + 3, profile->suspended);
		pg_array_text(args, at + 4, reason ? reason : "");
		pg_array_int(args, at + 5, profile->bypass);
		pg_array_int(args, at + 6, profile->deleted);
		pg_array_int(args, at + 7, profile->grace_percent);
		pg_array_int(args, at + 8, profile->grace_until_us);
		pg_array_text(args, at + 9, profile->zone.name);
		zone_kept_text(&profile->zone, kept);
		pg_array_text(args, at + 10, kept);
	}
}

static void limit_arrays(struct pg_args *args, const struct account_written *written, int count)
{
	int ids, positions, first, ends;

	pg_arg_text(args, written[0].row->key.tenant);
	pg_arg_int(args, written[0].row->key.kind);
	ids = pg_arg_array(args, PG_TEXT);
	positions = pg_arg_array(args, PG_INT2);
	first = args_limits_begin(args);
	ends = pg_arg_array(args, PG_INT8);
	for (int i = 0; i < count; i++) {
		for (int k = 0; k < written[i].row->profile.override_count; k++) {
			pg_array_text(args, ids, written[i].row->key.id);
			pg_array_int(args, positions, k);
			args_limit(args, first, &written[i].row->profile.overrides[k]);
			pg_array_int(args, ends, written[i].row->profile.overrides[k].until_us);
		}
	}
}

static void audit_arrays(
	struct pg_args *args, const struct admin_job *job, const struct account_written *written, int count)
{
	int before;

	key_arrays(args, written, count);
	before = pg_arg_array(args, PG_TEXT);
	for (int i = 0; i < count; i++)
		pg_array_text(args, before, written[i].before);
	pg_arg_text(args, job->actor ? job->actor : "");
	pg_arg_text(args, job->reason ? job->reason : "");
	pg_arg_text(args, account_kind_name(written[0].row->key.kind));
}

/* Repeats the ids as a condition, because a planner without good statistics would otherwise scan the whole tenant. */
static const char update_sql[] =
	"UPDATE accounts a SET tier = n.tier, team = n.team, org = n.org, suspended = n.suspended, suspended_reason = "
	"n.suspended_reason, bypass = n.bypass, deleted = n.deleted, grace_percent = n.grace_percent, grace_until_us = "
	"n.grace_until_us, zone = n.zone, zone_kept_us = n.zone_kept_us::bigint[], "
	"version = CASE WHEN a.version = 0 THEN (SELECT erased_version FROM catalog_epoch) ELSE a.version END + 1, "
	"updated_at = now() FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) "
	"AS n (id, tier, team, org, suspended, suspended_reason, bypass, deleted, grace_percent, grace_until_us, "
	"zone, zone_kept_us) WHERE a.tenant = $1 AND a.kind = $2::smallint AND a.id = n.id "
	"AND a.id = ANY($3)";
static const char limits_drop_sql[] =
	"DELETE FROM account_limits WHERE tenant = $1 AND account_kind = $2::smallint AND account_id = ANY($3)";
static const char limits_sql[] =
	"INSERT INTO account_limits (tenant, account_kind, account_id, position, " OWN_LIMIT_COLUMNS
	") SELECT $1, $2::smallint, l.* FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, "
	"$17) AS l";
/* The ledger role repeats the change only after repeat_at, which gives the writer a head start. */
static const char notes_sql[] =
	"INSERT INTO policy_changes (tenant, kind, account, version, repeat_at) SELECT a.tenant, a.kind, a.id, "
	"a.version, now() + $4 * interval '1 microsecond' FROM accounts a " OF_IDS;
static const char audit_sql[] =
	"INSERT INTO audit_log (tenant, actor, action, target, reason, before, details) SELECT a.tenant, $5, "
	"'account.change', $7 || '/' || a.id, $6, w.before::jsonb, " ACCOUNT_JSON
	" FROM unnest($3, $4) AS w (id, before) JOIN accounts a ON a.tenant = $1 AND a.kind = $2::smallint AND a.id = "
	"w.id AND a.id = ANY($3) ORDER BY a.id";

bool account_rows_write(struct admin_job *job, struct pg_link *link, const struct account_written *written, int count,
	bool limits, int64_t repeat_after_us, struct err *err)
{
	enum { UPDATE, NOTES, AUDIT, DROP, LIMITS, STATEMENTS };
	struct pg_args args[STATEMENTS] = {0};
	PGresult *results[STATEMENTS];
	int n = 0;
	struct pg_statement statements[STATEMENTS];
	bool ok;

	key_arrays(&args[UPDATE], written, count);
	row_arrays(&args[UPDATE], written, count);
	statements[n++] = (struct pg_statement){.sql = update_sql, .args = &args[UPDATE]};
	if (limits) {
		key_arrays(&args[DROP], written, count);
		statements[n++] = (struct pg_statement){.sql = limits_drop_sql, .args = &args[DROP]};
		limit_arrays(&args[LIMITS], written, count);
		statements[n++] = (struct pg_statement){.sql = limits_sql, .args = &args[LIMITS]};
	}
	key_arrays(&args[NOTES], written, count);
	pg_arg_int(&args[NOTES], repeat_after_us);
	statements[n++] = (struct pg_statement){.sql = notes_sql, .args = &args[NOTES]};
	audit_arrays(&args[AUDIT], job, written, count);
	statements[n++] = (struct pg_statement){.sql = audit_sql, .args = &args[AUDIT]};
	ok = pg_pipeline(link, statements, n, results, err);
	if (ok)
		pg_results_clear(results, n);
	for (int i = 0; ok && i < count; i++)
		written[i].row->profile.version++;
	for (int i = 0; i < STATEMENTS; i++)
		pg_args_release(&args[i]);
	return ok;
}
