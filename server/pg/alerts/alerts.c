/* The alerts store: turns operations into jobs on the threads. */
#include "pg/alerts/alerts.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "pg/stores.h"

#define OP_DEADLINE_US INT64_C(30000000)

struct pg_alerts {
	struct alerts_store store; /* first */
	struct pg_threads *threads;
	struct pg_inbox *inbox;
};

/* An operation in progress, in its own arena. */
struct alerts_job {
	struct pg_job job;
	struct alerts_op *op;
};

static void job_done(struct pg_job *job)
{
	struct alerts_op *op = container_of(job, struct alerts_job, job)->op;

	op->ok = job->ok;
	op->err = job->err;
	op->done(op);
}

static void submit(struct alerts_store *store, struct alerts_op *op,
	bool (*run)(struct pg_job *job, struct pg_link *link, struct err *err))
{
	struct pg_alerts *alerts = container_of(store, struct pg_alerts, store);
	struct alerts_job *own = arena_zalloc(op->arena, 1, sizeof(*own));

	own->op = op;
	own->job.run = run;
	own->job.done = job_done;
	own->job.repeatable = true; /* what is taken, fired or finished twice is found so by its key */
	own->job.deadline_us = op->deadline_us ? op->deadline_us : clock_mono_us() + OP_DEADLINE_US;
	pg_threads_submit(alerts->threads, alerts->inbox, &own->job);
}

/* For each operation: what runs it on a thread, and what submits it. */
#define OPERATION(name) \
	static bool run_##name(struct pg_job *job, struct pg_link *link, struct err *err) \
	{ \
		struct alerts_op *op = container_of(job, struct alerts_job, job)->op; \
\
		return alerts_run_##name(container_of(op, struct alerts_##name, op), link, err); \
	} \
	static void store_##name(struct alerts_store *store, struct alerts_##name *op) \
	{ \
		submit(store, &op->op, run_##name); \
	}
OPERATION(setup)
OPERATION(evaluate)
OPERATION(store_firings)
OPERATION(facts)
OPERATION(number)
OPERATION(claim)
OPERATION(finish)
OPERATION(upkeep)
#undef OPERATION

static const struct alerts_store_ops ops = {
	.setup = store_setup,
	.evaluate = store_evaluate,
	.store_firings = store_store_firings,
	.facts = store_facts,
	.number = store_number,
	.claim = store_claim,
	.finish = store_finish,
	.upkeep = store_upkeep,
};

struct alerts_store *pg_alerts_new(struct pg_threads *threads, uv_loop_t *loop)
{
	struct pg_alerts *alerts = mem_zalloc(1, sizeof(*alerts));

	alerts->store.ops = &ops;
	alerts->threads = threads;
	alerts->inbox = pg_inbox_new(loop);
	return &alerts->store;
}

void pg_alerts_free(struct alerts_store *store)
{
	struct pg_alerts *alerts;

	if (!store)
		return;
	alerts = container_of(store, struct pg_alerts, store);
	pg_inbox_free(alerts->inbox);
	free(alerts);
}
