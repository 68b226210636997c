/* Reads accounts, and changes one with its version, policy_changes and audit row (pg/admin/admin.h). */
#include "pg/admin/admin.h"

#include <string.h>

#include "pg/admin/account_rows.h"
#include "pg/admin/limits_fit.h"

static struct account_set set_of(const struct account_key *key)
{
	return (struct account_set){.tenant = key->tenant, .kind = key->kind};
}

static bool read_account(struct admin_job *job, struct pg_link *link, const struct account_key *key, bool lock,
	struct account_row *out, const char **before, struct err *err)
{
	struct account_read read = {.set = set_of(key),
		.id = (const char *const[]){key->id},
		.count = 1,
		.lock = lock,
		.rows = out,
		.before = before};

	if (!account_rows_read(job, link, &read, err))
		return false;
	if (!read.found)
		*out = (struct account_row){.suspended_reason = ""};
	out->key = *key;
	return true;
}

bool admin_account_get(struct account_get *op, struct pg_link *link, struct err *err)
{
	const char *now;

	return read_account(&op->job, link, &op->key, false, &op->row, &now, err);
}

bool account_tier_hold(struct pg_link *link, const char *tenant, const char *tier, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;
	bool found;

	pg_arg_text(&args, tenant);
	pg_arg_text(&args, tier);
	if (!pg_read(link, "SELECT FROM tiers WHERE tenant IN ($1, '') AND name = $2 FOR KEY SHARE", &args, &result,
		    err))
		return false;
	found = PQntuples(result) > 0;
	return found || err_invalid(err, "tier", "tenant %s has no tier %s", tenant, tier) ||
	       err_reason_of(err, "TIER_NOT_FOUND", "%s", tier);
}

static bool room_for_limits(struct pg_link *link, const struct account_row *row, struct err *err)
{
	struct tier_limits tiers = {0};
	bool ok;

	if (row->profile.override_count == 0)
		return true;
	ok = tier_limits_read(&tiers, link, row->key.tenant, err) && limits_fit(&tiers, row, err);
	tier_limits_release(&tiers);
	return ok;
}

bool account_change_write(struct admin_job *job, struct pg_link *link, struct account_change *op, struct err *err)
{
	struct account_set set = set_of(&op->key);
	struct account_written written = {.row = &op->row};
	const struct limit *overrides;
	char tier[TIER_NAME_MAX + 1];
	bool made, moved;
	const char *now;

	/* Makes a row to lock even for an account that has none yet, so that concurrent changes are serialized. */
	if (!account_rows_make(link, &set, &op->key.id, 1, &made, err) ||
		!read_account(job, link, &op->key, true, &op->row, &written.before, err))
		return false;
	if (made)
		written.before = "null";
	if (!admin_match(job, written.before, err))
		return false;
	op->row.known = !made;
	memcpy(tier, op->row.profile.tier, sizeof(tier));
	overrides = op->row.profile.overrides;
	if (!op->change(op, &op->row, err))
		return false;
	now = op->row.profile.tier;
	moved = strcmp(tier, now) != 0;
	if (now[0] && moved && !account_tier_hold(link, op->key.tenant, now, err))
		return false;
	if ((moved || op->row.profile.overrides != overrides) && !room_for_limits(link, &op->row, err))
		return false;
	return account_rows_write(job, link, &written, 1, true, 0, err) &&
	       read_account(job, link, &op->key, false, &op->row, &written.before, err);
}

bool admin_account_change(struct account_change *op, struct pg_link *link, struct err *err)
{
	/* A new account of these kinds is part of the catalog, whose lock must come before the row's, as everywhere. */
	if (op->key.kind == ACCOUNT_MODEL || op->key.kind == ACCOUNT_TENANT)
		return catalog_begin(link, err) && account_change_write(&op->job, link, op, err) &&
		       catalog_commit(&op->job, link, err);
	return pg_begin(link, "", err) && account_change_write(&op->job, link, op, err) && pg_commit(link, err);
}

bool admin_account_confirm(struct account_confirm *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	static const enum pg_type types[] = {PG_TEXT, PG_INT2, PG_TEXT, PG_INT8, PG_INT8};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		pg_arg_array(&args, types[i]);
	for (int i = 0; i < op->count; i++) {
		const struct policy_note *note = &op->note[i];

		pg_array_text(&args, 0, note->key.tenant);
		pg_array_int(&args, 1, note->key.kind);
		pg_array_text(&args, 2, note->key.id);
		pg_array_int(&args, 3, note->version);
		pg_array_int(&args, 4, note->again_us);
	}
	return pg_exec(link,
		"WITH n AS (SELECT * FROM unnest($1, $2, $3, $4, $5) AS n (tenant, kind, account, version, again_us)), "
		"confirmed AS (DELETE FROM policy_changes c USING n WHERE c.tenant = n.tenant AND c.kind = n.kind AND "
		"c.account = n.account AND c.version <= n.version AND n.again_us = 0) "
		"UPDATE policy_changes c SET repeat_at = clock_timestamp() + n.again_us * interval '1 microsecond' "
		"FROM n WHERE c.tenant = n.tenant AND c.kind = n.kind AND c.account = n.account AND c.version <= "
		"n.version AND n.again_us > 0",
		&args, err);
}

bool admin_override_ends(struct override_ends *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_int(&args, op->now_us);
	pg_arg_int(&args, op->limit);
	if (!pg_read(link,
		    "SELECT DISTINCT tenant, account_kind, account_id FROM (SELECT tenant, account_kind, account_id FROM "
		    "account_limits WHERE until_us > 0 AND until_us <= $1 ORDER BY until_us LIMIT $2) l",
		    &args, &result, err))
		return false;
	op->count = PQntuples(result);
	op->key = arena_zalloc(op->job.arena, (size_t)op->count + 1, sizeof(*op->key));
	for (int i = 0; i < op->count; i++)
		op->key[i] = (struct account_key){
			.kind = (enum account_kind)pg_i64(result, i, 1),
			.tenant = admin_text(&op->job, result, i, 0),
			.id = admin_text(&op->job, result, i, 2),
		};
	return true;
}

bool admin_account_list(struct account_list *op, struct pg_link *link, struct err *err)
{
	struct account_read read = {.set = {.tenant = op->tenant, .kind = op->kind}};
	struct account_set set = {.tenant = op->tenant, .kind = op->kind, .filter = &op->filter};
	struct account_ids ids;

	if (op->count_only)
		return account_ids_count(link, &set, op->after, &op->matched, err);
	if (!pg_begin(link, "ISOLATION LEVEL REPEATABLE READ READ ONLY", err) ||
		!account_ids_find(link, &set, op->after, op->limit, op->job.arena, &ids, err))
		return false;
	read.id = ids.id;
	read.count = ids.count;
	read.rows = arena_zalloc(op->job.arena, (size_t)ids.count + 1, sizeof(*read.rows));
	if (!account_rows_read(&op->job, link, &read, err) || !pg_commit(link, err))
		return false;
	op->count = read.found;
	op->rows = read.rows;
	op->more = ids.more;
	return true;
}
