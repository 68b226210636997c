/* A tenant's own templates of the sentences for users (pg/admin/admin.h). */
#include "pg/admin/admin.h"

#include "base/arena.h"

static const char *text_json(struct admin_job *job, struct pg_link *link, const struct pg_args *key, struct err *err)
{
	return admin_json(job, link,
		"SELECT to_jsonb(t) - '{tenant,updated_at}'::text[] FROM texts t WHERE tenant = $1 AND code = $2 AND "
		"language = $3",
		key, err);
}

static void key_args(struct pg_args *args, const char *tenant, const char *code, const char *language)
{
	pg_arg_text(args, tenant);
	pg_arg_text(args, code);
	pg_arg_text(args, language);
}

/* The count cannot change before the commit: catalog_begin excludes other changes. */
static bool count_check(struct pg_link *link, const char *tenant, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, tenant);
	if (!pg_read(link, "SELECT count(*) FROM texts WHERE tenant = $1", &args, &result, err))
		return false;
	return pg_i64(result, 0, 0) <= TEXTS_MAX ||
	       err_set(err, ERR_PRECONDITION, "tenant %s has %d texts, the maximum: delete some first", tenant,
		       TEXTS_MAX);
}

bool text_write(struct admin_job *job, struct pg_link *link, const char *tenant, const struct text_template *text,
	struct err *err)
{
	const char *target = arena_printf(job->arena, "%s/%s", text->code, text->language);
	const char *before, *after;
	PG_ARGS key = {0}, args = {0};

	key_args(&key, tenant, text->code, text->language);
	key_args(&args, tenant, text->code, text->language);
	pg_arg_text(&args, text->text);
	return (before = text_json(job, link, &key, err)) &&
	       pg_exec(link,
		       "INSERT INTO texts (tenant, code, language, text) VALUES ($1, $2, $3, $4) ON CONFLICT "
		       "(tenant, code, language) DO UPDATE SET text = excluded.text, updated_at = now()",
		       &args, err) &&
	       count_check(link, tenant, err) && (after = text_json(job, link, &key, err)) &&
	       admin_audit(job, link, tenant, "text.put", target, before, after, err);
}

bool text_remove(struct admin_job *job, struct pg_link *link, const char *tenant, const char *code,
	const char *language, struct err *err)
{
	const char *target = arena_printf(job->arena, "%s/%s", code, language);
	const char *before;
	PG_ARGS key = {0};

	key_args(&key, tenant, code, language);
	before = admin_json(job, link,
		"DELETE FROM texts t WHERE tenant = $1 AND code = $2 AND language = $3 RETURNING to_jsonb(t) - "
		"'{tenant,updated_at}'::text[]",
		&key, err);
	if (!before)
		return false;
	if (before[0] != '{') {
		err_set(err, ERR_NOT_FOUND, "tenant %s has no text %s in %s: the built-in one applies", tenant, code,
			language);
		return err_reason(err, "TEXT_NOT_FOUND");
	}
	return admin_audit(job, link, tenant, "text.delete", target, before, "null", err);
}

bool admin_text_put(struct text_put *op, struct pg_link *link, struct err *err)
{
	return catalog_begin(link, err) && text_write(&op->job, link, op->tenant, &op->text, err) &&
	       catalog_commit(&op->job, link, err);
}

bool admin_text_delete(struct text_delete *op, struct pg_link *link, struct err *err)
{
	return catalog_begin(link, err) && text_remove(&op->job, link, op->tenant, op->code, op->language, err) &&
	       catalog_commit(&op->job, link, err);
}

bool texts_read(struct admin_job *job, struct pg_link *link, const char *tenant, struct text_template **texts,
	int *count, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, tenant);
	if (!pg_read(link, "SELECT code, language, text FROM texts WHERE tenant = $1 ORDER BY code, language", &args,
		    &result, err))
		return false;
	*count = PQntuples(result);
	*texts = arena_zalloc(job->arena, (size_t)*count + 1, sizeof(**texts));
	for (int i = 0; i < *count; i++)
		(*texts)[i] = (struct text_template){.code = admin_text(job, result, i, 0),
			.language = admin_text(job, result, i, 1),
			.text = admin_text(job, result, i, 2)};
	return true;
}
