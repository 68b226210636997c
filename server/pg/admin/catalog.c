/* Writes tenants and tiers (pg/admin/admin.h). This raises the tenant's epoch and, by a trigger, the generation. */
#include "pg/admin/admin.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "pg/admin/limits_fit.h"
#include "pg/link/rows.h"

static const char *tenant_json(struct admin_job *job, struct pg_link *link, const char *id, struct err *err)
{
	PG_ARGS args = {0};

	pg_arg_text(&args, id);
	return admin_json(job, link, "SELECT to_jsonb(t) FROM tenants t WHERE id = $1", &args, err);
}

/* The tier cannot be deleted meanwhile, because the catalog is locked (catalog_begin). */
static bool tier_check(struct pg_link *link, const char *tenant, const char *tier, const char *field, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;
	bool found;

	pg_arg_text(&args, tenant);
	pg_arg_text(&args, tier);
	if (!pg_read(link, "SELECT FROM tiers WHERE tenant IN ($1, '') AND name = $2 LIMIT 1", &args, &result, err))
		return false;
	found = PQntuples(result) > 0;
	return found || err_invalid(err, field, "there is no tier %s: create it first", tier) ||
	       err_reason_of(err, "TIER_NOT_FOUND", "%s", tier);
}

bool tenant_write(struct admin_job *job, struct pg_link *link, struct tenant *tenant, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;
	const char *before;

	pg_arg_text(&args, tenant->id);
	pg_arg_text(&args, tenant->default_tier);
	pg_arg_int(&args, tenant->unknown_users);
	pg_arg_int(&args, tenant->unknown_model);
	pg_arg_text(&args, tenant->fallback_model);
	pg_arg_text(&args, tenant->language);
	pg_arg_int(&args, tenant->cost_source);
	before = tenant_json(job, link, tenant->id, err);
	if (before && tier_check(link, tenant->id, tenant->default_tier, "tenant.default_tier", err) &&
		admin_raise_epoch(link, tenant->id, err))
		result = pg_query(link,
			"UPDATE tenants SET default_tier = $2, unknown_users = $3::smallint, "
			"unknown_model = $4::smallint, fallback_model = $5, language = $6, cost_source = $7::smallint, updated_at = now() "
			"WHERE id = $1 RETURNING " TENANT_EPOCH ", to_jsonb(tenants)",
			&args, err);
	if (!result)
		return false;
	if (PQntuples(result) == 0)
		return err_set(
			err, ERR_PRECONDITION, "the tenant `default` has no row: the database has not been migrated");
	tenant->epoch = (uint32_t)pg_i64(result, 0, 0);
	return admin_audit(job, link, tenant->id, "tenant.put", tenant->id, before, pg_text(result, 0, 1), err);
}

bool admin_tenant_put(struct tenant_put *op, struct pg_link *link, struct err *err)
{
	return catalog_begin(link, err) && tenant_write(&op->job, link, &op->tenant, err) &&
	       limits_fit_tenant(link, op->tenant.id, "tenant.default_tier", err) &&
	       catalog_commit(&op->job, link, err);
}

/*
 * Includes tenants that were never created but have accounts, because someone sent a check there. Each is found by one
 * search of the accounts' index, without reading the accounts.
 */
static const char tenants_sql[] =
	"WITH RECURSIVE used AS (SELECT min(tenant) AS id FROM accounts WHERE tenant > $1 UNION ALL SELECT (SELECT "
	"min(tenant) FROM accounts WHERE tenant > used.id) FROM used WHERE used.id IS NOT NULL), unknown AS (SELECT "
	"id FROM used WHERE id IS NOT NULL AND NOT EXISTS (SELECT FROM tenants WHERE tenants.id = used.id) LIMIT $2) "
	"SELECT " TENANT_COLUMNS ", true AS known FROM tenants WHERE id > $1 UNION ALL "
	"SELECT u.id, d.default_tier, d.unknown_users, d.unknown_model, d.fallback_model, d.language, d." TENANT_EPOCH
	", d.cost_source, false FROM unknown u JOIN tenants d ON d.id = 'default' ORDER BY 1 LIMIT $2";

enum { TENANT_KNOWN = 8 }; /* the index of that column */

bool admin_tenant_list(struct tenant_list *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, op->after ? op->after : "");
	pg_arg_page(&args, op->limit);
	if (!pg_read(link, tenants_sql, &args, &result, err))
		return false;
	pg_page_begin(op, result, op->job.arena);
	op->known = arena_zalloc(op->job.arena, (size_t)op->count + 1, sizeof(*op->known));
	for (int i = 0; i < op->count; i++) {
		row_tenant(result, i, 0, &op->rows[i]);
		op->known[i] = pg_bool(result, i, TENANT_KNOWN);
	}
	return true;
}

static bool write_tier(struct pg_link *link, const char *tenant, const struct tier *tier, struct err *err)
{
	PG_ARGS args = {0};

	pg_arg_text(&args, tenant);
	pg_arg_text(&args, tier->name);
	pg_arg_int(&args, tier->pool_priority);
	pg_arg_int(&args, tier->pool_concurrent);
	pg_arg_int(&args, tier->default_output_tokens);
	pg_arg_int(&args, tier->fail_policy);
	pg_arg_text(&args, tier->upgrade_to);
	return pg_exec(link,
		"INSERT INTO tiers (tenant, name, pool_priority, pool_concurrent, default_output_tokens, "
		"fail_policy, upgrade_to) VALUES ($1, $2, $3::int, $4::int, $5, $6::smallint, $7) ON CONFLICT "
		"(tenant, name) DO UPDATE SET pool_priority = excluded.pool_priority, pool_concurrent = "
		"excluded.pool_concurrent, default_output_tokens = excluded.default_output_tokens, fail_policy = "
		"excluded.fail_policy, upgrade_to = excluded.upgrade_to, updated_at = now()",
		&args, err);
}

static bool write_limits(struct pg_link *link, const char *tenant, const struct tier *tier, struct err *err)
{
	PG_ARGS key = {0}, args = {0};
	int first;

	pg_arg_text(&key, tenant);
	pg_arg_text(&key, tier->name);
	pg_arg_text(&args, tenant);
	pg_arg_text(&args, tier->name);
	first = args_limits_begin(&args);
	for (int i = 0; i < tier->policy.count; i++)
		args_limit(&args, first, &tier->policy.limits[i]);
	return pg_exec(link, "DELETE FROM tier_limits WHERE tenant = $1 AND tier = $2", &key, err) &&
	       (tier->policy.count == 0 ||
		       pg_exec(link,
			       "INSERT INTO tier_limits (tenant, tier, position, " LIMIT_COLUMNS
			       ") SELECT $1, $2, l.position - 1, " LIMIT_COLUMNS
			       " FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) WITH ORDINALITY AS "
			       "l (" LIMIT_COLUMNS ", position)",
			       &args, err));
}

/* The tier that applies to the tenant, its own or the shipped one, as shown in the audit log. */
static const char *tier_json(
	struct admin_job *job, struct pg_link *link, const char *tenant, const char *name, struct err *err)
{
	PG_ARGS args = {0};

	pg_arg_text(&args, tenant);
	pg_arg_text(&args, name);
	return admin_json(job, link,
		"SELECT " TIER_JSON " FROM tiers WHERE tenant IN ($1, '') AND name = $2 ORDER BY tenant DESC LIMIT 1",
		&args, err);
}

bool tier_write(
	struct admin_job *job, struct pg_link *link, const char *tenant, const struct tier *tier, struct err *err)
{
	const char *before, *after;

	return (before = tier_json(job, link, tenant, tier->name, err)) && write_tier(link, tenant, tier, err) &&
	       write_limits(link, tenant, tier, err) && admin_raise_epoch(link, tenant, err) &&
	       (after = tier_json(job, link, tenant, tier->name, err)) &&
	       admin_audit(job, link, tenant, "tier.put", tier->name, before, after, err);
}

bool admin_tier_put(struct tier_put *op, struct pg_link *link, struct err *err)
{
	const char *better = op->tier.upgrade_to;

	return catalog_begin(link, err) &&
	       (!better[0] || tier_check(link, op->tenant, better, "tier.upgrade_to", err)) &&
	       tier_write(&op->job, link, op->tenant, &op->tier, err) &&
	       limits_fit_tenant(link, op->tenant, "tier.limits", err) && catalog_commit(&op->job, link, err);
}

/* Deletes the row; *shipped: a shipped tier of that name remains. Putting an account on the tier now waits for us. */
static bool take_away(struct pg_link *link, const struct pg_args *key, const char *name, bool *shipped, struct err *err)
{
	PG_RESULT result = pg_query(link,
		"WITH gone AS (DELETE FROM tiers WHERE tenant = $1 AND name = $2 RETURNING 1) SELECT EXISTS (SELECT "
		"FROM gone), EXISTS (SELECT FROM tiers WHERE tenant = '' AND name = $2)",
		key, err);
	bool gone;

	if (!result)
		return false;
	gone = pg_bool(result, 0, 0);
	*shipped = pg_bool(result, 0, 1);
	if (gone)
		return true;
	if (*shipped)
		return err_set(err, ERR_PRECONDITION, "name: %s is a shipped tier, which cannot be deleted", name);
	return err_set(err, ERR_NOT_FOUND, "name: the tenant has no tier %s of its own", name) ||
	       err_reason_of(err, "TIER_NOT_FOUND", "%s", name);
}

/* Deleted accounts count too: they may come back, and are still looked up. */
static bool still_on_it(const char *name, int64_t accounts, int64_t deleted, struct err *err)
{
	char those[48] = "";

	if (accounts == 0)
		return true;
	if (deleted)
		snprintf(those, sizeof(those), ", %" PRId64 " of them deleted", deleted);
	return err_set(err, ERR_PRECONDITION,
		"tier %s: %" PRId64
		" %s on it%s; move them to another tier first (bursar bulk set-tier TIER --tier %s%s)",
		name, accounts, accounts == 1 ? "account is" : "accounts are", those, name,
		deleted ? ", then with --deleted" : "");
}

/* Runs after the row has been deleted, so that it counts every account that was put on the tier before. */
static bool is_unused(struct pg_link *link, const struct pg_args *key, const char *name, struct err *err)
{
	PG_RESULT result = pg_query(link,
		"SELECT count(*), count(*) FILTER (WHERE deleted), coalesce($2 = (SELECT default_tier FROM tenants "
		"WHERE id IN ($1, 'default') ORDER BY id <> $1 LIMIT 1), false), coalesce((SELECT string_agg(name, "
		"', ' ORDER BY name) FROM tiers WHERE tenant = $1 AND upgrade_to = $2), '') FROM accounts WHERE "
		"tenant = $1 AND kind IN (1, 2, 3, 4, 5) AND tier = $2",
		key, err);
	bool ok;

	if (!result)
		return false;
	ok = still_on_it(name, pg_i64(result, 0, 0), pg_i64(result, 0, 1), err);
	if (ok && pg_bool(result, 0, 2))
		ok = err_set(
			err, ERR_PRECONDITION, "tier %s: is the tenant's default tier; choose another first", name);
	if (ok && pg_text(result, 0, 3)[0])
		ok = err_set(err, ERR_PRECONDITION, "tier %s: is the upgrade of %.200s; change that first", name,
			pg_text(result, 0, 3));
	return ok;
}

bool tier_remove(struct admin_job *job, struct pg_link *link, const char *tenant, const char *name, struct err *err)
{
	PG_ARGS key = {0};
	const char *before, *after;
	bool shipped;

	pg_arg_text(&key, tenant);
	pg_arg_text(&key, name);
	return (before = tier_json(job, link, tenant, name, err)) && take_away(link, &key, name, &shipped, err) &&
	       (shipped || is_unused(link, &key, name, err)) && admin_raise_epoch(link, tenant, err) &&
	       (after = tier_json(job, link, tenant, name, err)) &&
	       admin_audit(job, link, tenant, "tier.delete", name, before, after, err);
}

bool admin_tier_delete(struct tier_delete *op, struct pg_link *link, struct err *err)
{
	/* Accounts on it may have too many limits with the shipped tier that takes its place. */
	return catalog_begin(link, err) && tier_remove(&op->job, link, op->tenant, op->name, err) &&
	       limits_fit_tenant(link, op->tenant, "name", err) && catalog_commit(&op->job, link, err);
}
