/* The admin store: every call is one job on the threads, and every change is one transaction. */
#include "pg/admin/admin.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/list.h"
#include "pg/stores.h"
#include "store/document.h"

struct pg_admin {
	struct admin_store store; /* first */
	struct pg_threads *threads;
	struct pg_inbox *inbox;
};

/* Adds the function that runs the operation, for which the operation itself has no room. */
struct admin_task {
	struct admin_run run;
	admin_fn *fn;
};

static bool task_run(struct pg_job *job, struct pg_link *link, struct err *err)
{
	struct admin_run *run = container_of(job, struct admin_run, job);
	struct admin_task *task = container_of(run, struct admin_task, run);

	return task->fn(run->own, link, err);
}

static void task_done(struct pg_job *job)
{
	struct admin_job *own = container_of(job, struct admin_run, job)->own;

	own->ok = job->ok;
	own->err = job->err;
	own->done(own);
}

static void submit(struct admin_store *store, struct admin_job *own, admin_fn *fn, bool repeatable)
{
	struct pg_admin *admin = container_of(store, struct pg_admin, store);
	struct admin_task *task = arena_zalloc(own->arena, 1, sizeof(*task));

	task->fn = fn;
	task->run.own = own;
	task->run.job.deadline_us = own->deadline_us;
	task->run.job.run = task_run;
	task->run.job.done = task_done;
	task->run.job.repeatable = repeatable;
	pg_threads_submit(admin->threads, admin->inbox, &task->run.job);
}

/* What only reads, and what is done once by its key, may begin again on a fresh connection; the rest only in an unstarted transaction. */
enum repeatable { READ = true, KEYED = true, WRITE = false };

#define OPERATION(kind, name, type) \
	static void store_##name(struct admin_store *store, struct type *op) \
	{ \
		submit(store, &op->job, admin_##name, kind); \
	}
#include "store/admin_ops.def"

static const struct admin_store_ops ops = {
#define OPERATION(kind, name, type) .name = store_##name,
#include "store/admin_ops.def"
};

struct admin_store *pg_admin_new(struct pg_threads *threads, uv_loop_t *loop)
{
	struct pg_admin *admin = mem_zalloc(1, sizeof(*admin));

	admin->store.ops = &ops;
	admin->threads = threads;
	admin->inbox = pg_inbox_new(loop);
	return &admin->store;
}

void pg_admin_free(struct admin_store *store)
{
	struct pg_admin *admin;

	if (!store)
		return;
	admin = container_of(store, struct pg_admin, store);
	pg_inbox_free(admin->inbox);
	free(admin);
}

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

bool admin_audit(struct admin_job *job, struct pg_link *link, const char *tenant, const char *action,
	const char *target, const char *before, const char *details, struct err *err)
{
	PG_ARGS args = {0};

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
		"INSERT INTO tenants AS t (id, default_tier, unknown_users, unknown_model, fallback_model, language, "
		"epoch) SELECT $1, default_tier, unknown_users, unknown_model, fallback_model, language, epoch + 1 "
		"FROM tenants WHERE id = 'default' ON CONFLICT (id) DO UPDATE SET epoch = t.epoch + 1, updated_at = "
		"now()",
		&args, err);
}
