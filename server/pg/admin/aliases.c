/* Writes the names of models: aliases, and families of models without a price (pg/admin/admin.h). */
#include "pg/admin/admin.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "pg/link/link.h"

/* What the audit log shows. */
#define ALIAS_JSON "jsonb_build_object('leads_to', provider || '/' || model)"
#define FAMILY_JSON "jsonb_build_object('costs_as', provider || '/' || model, 'from_us', from_us)"

/* The counts cannot change before the commit: catalog_begin excludes other changes. */
static bool count_check(
	struct pg_link *link, const char *sql, const char *tenant, const char *what, int most, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, tenant);
	if (!pg_read(link, sql, &args, &result, err))
		return false;
	return pg_i64(result, 0, 0) <= most ||
	       err_set(err, ERR_PRECONDITION, "there are %d %s%s%s, the maximum: delete some first", most, what,
		       tenant[0] ? " of tenant " : "", tenant);
}

static void alias_key(struct pg_args *args, const struct price_alias *alias)
{
	pg_arg_text(args, alias->tenant);
	pg_arg_text(args, alias->alias);
}

static const char *alias_json(
	struct admin_job *job, struct pg_link *link, const struct price_alias *alias, struct err *err)
{
	PG_ARGS key = {0};

	alias_key(&key, alias);
	return admin_json(
		job, link, "SELECT " ALIAS_JSON " FROM model_aliases WHERE tenant = $1 AND alias = $2", &key, err);
}

bool alias_write(struct admin_job *job, struct pg_link *link, const struct price_alias *alias, struct err *err)
{
	const char *before, *after;
	PG_ARGS args = {0};

	alias_key(&args, alias);
	pg_arg_text(&args, alias->provider);
	pg_arg_text(&args, alias->model);
	return (before = alias_json(job, link, alias, err)) &&
	       pg_exec(link,
		       "INSERT INTO model_aliases (tenant, alias, provider, model) VALUES ($1, $2, $3, $4) ON CONFLICT "
		       "(tenant, alias) DO UPDATE SET provider = excluded.provider, model = excluded.model",
		       &args, err) &&
	       count_check(link, "SELECT count(*) FROM model_aliases WHERE tenant = $1", alias->tenant, "aliases",
		       ALIASES_MAX, err) &&
	       (after = alias_json(job, link, alias, err)) &&
	       admin_audit(job, link, alias->tenant, "alias.put", alias->alias, before, after, err);
}

bool admin_alias_put(struct alias_put *op, struct pg_link *link, struct err *err)
{
	return catalog_begin(link, err) && alias_write(&op->job, link, &op->alias, err) &&
	       catalog_commit(&op->job, link, err);
}

static bool row_decide(struct pg_link *link, struct alias_put_row *row, struct err *err)
{
	PG_ARGS key = {0};
	PG_RESULT result = NULL;

	alias_key(&key, &row->alias);
	if (!pg_read(link, "SELECT provider, model FROM model_aliases WHERE tenant = $1 AND alias = $2", &key, &result,
		    err))
		return false;
	row->change = ALIAS_NEW;
	if (PQntuples(result) == 0)
		return true;
	row->before = row->alias;
	pg_copy(result, 0, 0, row->before.provider, sizeof(row->before.provider));
	pg_copy(result, 0, 1, row->before.model, sizeof(row->before.model));
	row->change = strcmp(row->before.provider, row->alias.provider) == 0 &&
				      strcmp(row->before.model, row->alias.model) == 0
			      ? ALIAS_SAME
			      : ALIAS_MOVED;
	return true;
}

/* A dry run does the same and is rolled back. */
bool admin_aliases_put(struct aliases_put *op, struct pg_link *link, struct err *err)
{
	if (!catalog_begin(link, err))
		return false;
	for (int i = 0; i < op->count; i++) {
		struct alias_put_row *row = &op->row[i];

		if (!row_decide(link, row, err) ||
			(row->change != ALIAS_SAME && !alias_write(&op->job, link, &row->alias, err)))
			return err_prefix(err, "aliases[%d].", i);
		op->changed = op->changed || row->change != ALIAS_SAME;
	}
	return op->dry_run || !op->changed || catalog_commit(&op->job, link, err);
}

bool alias_remove(struct admin_job *job, struct pg_link *link, struct price_alias *alias, struct err *err)
{
	PG_ARGS key = {0};
	PG_RESULT result = NULL;

	alias_key(&key, alias);
	result = pg_query(link,
		"DELETE FROM model_aliases WHERE tenant = $1 AND alias = $2 RETURNING provider, model, " ALIAS_JSON,
		&key, err);
	if (!result)
		return false;
	if (PQntuples(result) == 0)
		return err_set(err, ERR_NOT_FOUND, "name: there is no alias %s%s%s", alias->alias,
			       alias->tenant[0] ? " of tenant " : " for all tenants", alias->tenant) ||
		       err_reason_of(err, "ALIAS_NOT_FOUND", "%s", alias->alias);
	pg_copy(result, 0, 0, alias->provider, sizeof(alias->provider));
	pg_copy(result, 0, 1, alias->model, sizeof(alias->model));
	return admin_audit(job, link, alias->tenant, "alias.delete", alias->alias, pg_text(result, 0, 2), "null", err);
}

bool admin_alias_delete(struct alias_delete *op, struct pg_link *link, struct err *err)
{
	return catalog_begin(link, err) && alias_remove(&op->job, link, &op->alias, err) &&
	       catalog_commit(&op->job, link, err);
}

bool aliases_read(struct admin_job *job, struct pg_link *link, const char *tenant, struct price_alias **aliases,
	int *count, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, tenant);
	if (!pg_read(link, "SELECT tenant, alias, provider, model FROM model_aliases WHERE tenant = $1 ORDER BY alias",
		    &args, &result, err))
		return false;
	*count = PQntuples(result);
	*aliases = arena_zalloc(job->arena, (size_t)*count + 1, sizeof(**aliases));
	for (int i = 0; i < *count; i++) {
		struct price_alias *alias = &(*aliases)[i];

		pg_copy(result, i, 0, alias->tenant, sizeof(alias->tenant));
		pg_copy(result, i, 1, alias->alias, sizeof(alias->alias));
		pg_copy(result, i, 2, alias->provider, sizeof(alias->provider));
		pg_copy(result, i, 3, alias->model, sizeof(alias->model));
	}
	return true;
}

static void family_key(struct pg_args *args, struct admin_job *job, const struct price_family *family)
{
	pg_arg_text(args, family->tenant);
	pg_arg_text(args, arena_printf(job->arena, "%s*", family->prefix));
	pg_arg_int(args, family->from_us);
}

/* Decides when a rule without a beginning begins; *same: the rule in force says it already. */
static bool family_begin(struct family_put *op, struct pg_link *link, bool *same, struct err *err)
{
	struct price_family *family = &op->family, now = *family;
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	*same = false;
	if (family->from_us)
		return true;
	now.from_us = op->now_us;
	family_key(&args, &op->job, &now);
	if (!pg_read(link,
		    "SELECT from_us, provider, model FROM model_families WHERE tenant = $1 AND pattern = $2 AND from_us "
		    "<= $3 ORDER BY from_us DESC LIMIT 1",
		    &args, &result, err))
		return false;
	if (PQntuples(result) == 0)
		return true;
	*same = strcmp(pg_text(result, 0, 1), family->provider) == 0 &&
		strcmp(pg_text(result, 0, 2), family->model) == 0;
	family->from_us = *same ? pg_i64(result, 0, 0) : op->now_us;
	return true;
}

static const char *family_json(
	struct admin_job *job, struct pg_link *link, const struct price_family *family, struct err *err)
{
	PG_ARGS key = {0};

	family_key(&key, job, family);
	return admin_json(job, link,
		"SELECT " FAMILY_JSON
		" FROM model_families WHERE tenant = $1 AND pattern = $2 AND from_us <= $3 ORDER BY "
		"from_us DESC LIMIT 1",
		&key, err);
}

bool family_write(struct admin_job *job, struct pg_link *link, const struct price_family *family, struct err *err)
{
	const char *before, *after;
	PG_ARGS args = {0};

	family_key(&args, job, family);
	pg_arg_text(&args, family->provider);
	pg_arg_text(&args, family->model);
	return (before = family_json(job, link, family, err)) &&
	       pg_exec(link,
		       "INSERT INTO model_families (tenant, pattern, from_us, provider, model) VALUES ($1, $2, $3, $4, "
		       "$5) ON CONFLICT (tenant, pattern, from_us) DO UPDATE SET provider = excluded.provider, model = "
		       "excluded.model",
		       &args, err) &&
	       count_check(link, "SELECT count(*) FROM model_families WHERE tenant = $1", family->tenant,
		       "rules for families of models", FAMILIES_MAX, err) &&
	       (after = family_json(job, link, family, err)) &&
	       admin_audit(job, link, family->tenant, "family.put", arena_printf(job->arena, "%s*", family->prefix),
		       before, after, err);
}

bool admin_family_put(struct family_put *op, struct pg_link *link, struct err *err)
{
	bool same;

	if (!catalog_begin(link, err) || !family_begin(op, link, &same, err))
		return false;
	return (same || family_write(&op->job, link, &op->family, err)) && catalog_commit(&op->job, link, err);
}

static const char delete_sql[] =
	"WITH gone AS (DELETE FROM model_families WHERE tenant = $1 AND pattern = $2 AND $3 IN (0, from_us) RETURNING *) "
	"SELECT from_us, provider, model, (SELECT jsonb_agg(" FAMILY_JSON
	" ORDER BY from_us) FROM gone) FROM gone ORDER "
	"BY from_us DESC";

bool admin_family_delete(struct family_delete *op, struct pg_link *link, struct err *err)
{
	const char *pattern = arena_printf(op->job.arena, "%s*", op->prefix);
	PG_ARGS key = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&key, op->tenant);
	pg_arg_text(&key, pattern);
	pg_arg_int(&key, op->from_us);
	if (!catalog_begin(link, err) || !(result = pg_query(link, delete_sql, &key, err)))
		return false;
	op->count = PQntuples(result);
	if (op->count == 0)
		return err_set(err, ERR_NOT_FOUND, "pattern: there is no rule %s%s%s%s", pattern,
			       op->tenant[0] ? " of tenant " : " for all tenants", op->tenant,
			       op->from_us ? " that begins then" : "") ||
		       err_reason_of(err, "FAMILY_NOT_FOUND", "%s", pattern);
	op->rows = arena_zalloc(op->job.arena, (size_t)op->count, sizeof(*op->rows));
	for (int i = 0; i < op->count; i++) {
		struct price_family *family = &op->rows[i];

		memcpy(family->tenant, op->tenant, strlen(op->tenant) + 1);
		memcpy(family->prefix, op->prefix, strlen(op->prefix) + 1);
		family->from_us = pg_i64(result, i, 0);
		pg_copy(result, i, 1, family->provider, sizeof(family->provider));
		pg_copy(result, i, 2, family->model, sizeof(family->model));
	}
	return admin_audit(&op->job, link, op->tenant, "family.delete", pattern, pg_text(result, 0, 3), "null", err) &&
	       catalog_commit(&op->job, link, err);
}

bool family_remove(struct admin_job *job, struct pg_link *link, const struct price_family *family, struct err *err)
{
	PG_ARGS key = {0};
	PG_RESULT result = NULL;

	family_key(&key, job, family);
	result = pg_query(link,
		"DELETE FROM model_families WHERE tenant = $1 AND pattern = $2 AND from_us = $3 RETURNING jsonb_build_array(" FAMILY_JSON
		")",
		&key, err);
	return result && (PQntuples(result) == 0 || admin_audit(job, link, family->tenant, "family.delete",
							    arena_printf(job->arena, "%s*", family->prefix),
							    pg_text(result, 0, 0), "null", err));
}

bool families_read(struct admin_job *job, struct pg_link *link, const char *tenant, struct price_family **families,
	int *count, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, tenant);
	if (!pg_read(link,
		    "SELECT tenant, rtrim(pattern, '*'), from_us, provider, model FROM model_families WHERE tenant = $1 "
		    "ORDER BY pattern, from_us",
		    &args, &result, err))
		return false;
	*count = PQntuples(result);
	*families = arena_zalloc(job->arena, (size_t)*count + 1, sizeof(**families));
	for (int i = 0; i < *count; i++) {
		struct price_family *family = &(*families)[i];

		pg_copy(result, i, 0, family->tenant, sizeof(family->tenant));
		pg_copy(result, i, 1, family->prefix, sizeof(family->prefix));
		family->from_us = pg_i64(result, i, 2);
		pg_copy(result, i, 3, family->provider, sizeof(family->provider));
		pg_copy(result, i, 4, family->model, sizeof(family->model));
	}
	return true;
}
