/* What the operations of the admin store share (pg/admin/admin.h). */
#include "pg/admin/admin.h"

#include <string.h>

#include "base/arena.h"

bool catalog_begin(struct pg_link *link, struct err *err)
{
	return pg_begin(link, "", err) && pg_exec(link, "SELECT FROM catalog_epoch FOR UPDATE", NULL, err);
}

bool catalog_commit(struct admin_job *job, struct pg_link *link, struct err *err)
{
	PG_RESULT result = pg_query(link, "SELECT generation FROM catalog_epoch", NULL, err);

	if (!result)
		return false;
	job->generation = PQntuples(result) ? pg_i64(result, 0, 0) : 0;
	return pg_commit(link, err);
}

const char *admin_text(struct admin_job *job, const PGresult *result, int row, int column)
{
	return arena_strndup(job->arena, pg_text(result, row, column), (size_t)PQgetlength(result, row, column));
}

bool admin_match(const struct admin_job *job, const char *before, struct err *err)
{
	char etag[ETAG_SIZE];

	etag_of(before, etag);
	if (!job->if_match || etag_list_has(job->if_match, etag))
		return true;
	err_set(err, ERR_ABORTED, "%s; read it again, and repeat the change if it still makes sense",
		etag[0] ? "it has changed since the etag in If-Match was read"
			: "what If-Match expects does not exist");
	return err_reason(err, "ETAG_MISMATCH");
}

bool admin_audit(struct admin_job *job, struct pg_link *link, const char *tenant, const char *action,
	const char *target, const char *before, const char *details, struct err *err)
{
	PG_ARGS args = {0};

	if (!admin_match(job, before, err))
		return false;
	etag_of(details, job->etag);
	pg_arg_text(&args, tenant);
	pg_arg_text(&args, job->actor ? job->actor : "");
	pg_arg_text(&args, action);
	pg_arg_text(&args, target);
	pg_arg_text(&args, job->reason ? job->reason : "");
	pg_arg_text(&args, before);
	pg_arg_text(&args, details);
	return pg_exec(link,
		"INSERT INTO audit_log (tenant, actor, action, target, reason, before, details) VALUES ($1, $2, $3, "
		"$4, $5, $6::jsonb, $7::jsonb)",
		&args, err);
}

const char *admin_json(
	struct admin_job *job, struct pg_link *link, const char *sql, const struct pg_args *args, struct err *err)
{
	PG_RESULT result = pg_query(link, sql, args, err);
	const char *json = NULL;

	if (result)
		json = PQntuples(result) ? admin_text(job, result, 0, 0) : "null";
	return json;
}

bool admin_raise_epoch(struct pg_link *link, const char *tenant, struct err *err)
{
	PG_ARGS args = {0};

	if (tenant[0] == '\0')
		return pg_exec(link, "UPDATE tenants SET epoch = epoch + 1", NULL, err);
	pg_arg_text(&args, tenant);
	/* Higher than the epoch of `default`, under which the tenant's accounts have been known so far. */
	return pg_exec(link,
		"INSERT INTO tenants AS t (id, default_tier, unknown_users, unknown_model, fallback_model, language, cost_source, "
		"epoch) SELECT $1, default_tier, unknown_users, unknown_model, fallback_model, language, cost_source, epoch + 1 "
		"FROM tenants WHERE id = 'default' ON CONFLICT (id) DO UPDATE SET epoch = t.epoch + 1, updated_at = "
		"now()",
		&args, err);
}
