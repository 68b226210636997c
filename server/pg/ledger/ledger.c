/* The ledger store: turns operations into jobs on the threads. */
#include "pg/ledger/ledger.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "pg/stores.h"

#define OP_DEADLINE_US INT64_C(30000000)

static void job_done(struct pg_job *job)
{
	struct ledger_job *own = container_of(job, struct ledger_job, job);
	struct ledger_op *op = own->op;

	op->ok = job->ok;
	op->err = job->err;
	op->done(op);
}

/* Hands the operation to the threads: `run` gets the struct ledger_job. */
static void submit(struct ledger_store *store, struct ledger_op *op,
	bool (*run)(struct pg_job *job, struct pg_link *link, struct err *err))
{
	struct pg_ledger *ledger = container_of(store, struct pg_ledger, store);
	struct ledger_job *own = arena_zalloc(op->arena, 1, sizeof(*own));

	own->ledger = ledger;
	own->op = op;
	own->job.run = run;
	own->job.done = job_done;
	own->job.repeatable = true; /* only reads, and writes that their keys make idempotent */
	own->job.deadline_us = op->deadline_us ? op->deadline_us : clock_mono_us() + OP_DEADLINE_US;
	pg_threads_submit(ledger->threads, ledger->inbox, &own->job);
}

static void store_write(struct ledger_store *store, struct ledger_write *op)
{
	submit(store, &op->op, ledger_run_write);
}

static void store_upkeep(struct ledger_store *store, struct ledger_upkeep *op)
{
	submit(store, &op->op, ledger_run_upkeep);
}

static void store_windows(struct ledger_store *store, struct ledger_windows *op)
{
	submit(store, &op->op, ledger_run_windows);
}

static void store_changes(struct ledger_store *store, struct ledger_changes *op)
{
	submit(store, &op->op, ledger_run_changes);
}

static void store_lease(struct ledger_store *store, struct ledger_lease *op)
{
	submit(store, &op->op, ledger_run_lease);
}

static const struct ledger_store_ops ops = {
	.write = store_write,
	.upkeep = store_upkeep,
	.windows = store_windows,
	.changes = store_changes,
	.lease = store_lease,
};

struct ledger_store *pg_ledger_new(struct pg_threads *threads, uv_loop_t *loop)
{
	struct pg_ledger *ledger = mem_zalloc(1, sizeof(*ledger));

	ledger->store.ops = &ops;
	ledger->threads = threads;
	ledger->inbox = pg_inbox_new(loop);
	pthread_mutex_init(&ledger->lock, NULL);
	return &ledger->store;
}

void pg_ledger_free(struct ledger_store *store)
{
	struct pg_ledger *ledger;

	if (!store)
		return;
	ledger = container_of(store, struct pg_ledger, store);
	pg_inbox_free(ledger->inbox);
	pthread_mutex_destroy(&ledger->lock);
	free(ledger);
}
