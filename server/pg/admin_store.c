/* The admin store: every call is one job on the threads, and every change is one transaction (pg/stores.h). */
#include <stdlib.h>

#include "base/arena.h"
#include "base/list.h"
#include "pg/admin/admin.h"
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

/* READ and KEYED operations may be started again on a new connection; WRITE operations only before their transaction has begun. */
enum repeatable { READ = true, KEYED = true, WRITE = false };

#define OPERATION(kind, name, type) \
	static bool run_##name(struct admin_job *job, struct pg_link *link, struct err *err) \
	{ \
		return admin_##name(container_of(job, struct type, job), link, err); \
	} \
	static void store_##name(struct admin_store *store, struct type *op) \
	{ \
		submit(store, &op->job, run_##name, kind); \
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
	struct pg_admin *admin = store ? container_of(store, struct pg_admin, store) : NULL;

	if (!admin)
		return;
	pg_inbox_free(admin->inbox);
	free(admin);
}
