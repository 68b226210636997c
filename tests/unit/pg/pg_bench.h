/* The base of a test of the stores on PostgreSQL: a database of its own, the stores, a loop and an arena. */
#ifndef TESTS_PG_BENCH_H
#define TESTS_PG_BENCH_H

#include <uv.h>

#include "base/arena.h"
#include "lib/test.h"
#include "pg/link/threads.h"
#include "pg/stores.h"
#include "store/admin.h"
#include "store/ledger.h"

struct pg_bench {
	char db[256]; /* the connection string */
	uv_loop_t loop;
	struct pg_threads *threads; /* of two threads */
	struct ledger_store *ledger;
	struct accounts_store *accounts;
	struct admin_store *admin;
	struct arena arena;
	int waiting; /* operations in flight; their `done` functions count it down */
};
/* For the current test. */
extern struct pg_bench bench;

/* The server, once per program; and for each test a new database with all of the above. */
int pg_bench_start(void **state);
int pg_bench_open(void **state);
int pg_bench_close(void **state);
#define ON_BENCH(name) TEST_WITH(name, pg_bench_open, pg_bench_close)

/* Runs the loop until no operation is waiting. */
void pg_bench_run(void);

/* For an operation of the admin store: its `job`, running it to its end, and the same if it must succeed. */
void admin_job_done(struct admin_job *job);
#define JOB \
	{ \
		.arena = &bench.arena, .done = admin_job_done, .actor = "alice", .reason = "why not" \
	}
#define RUN(name, operation) (bench.waiting++, bench.admin->ops->name(bench.admin, (operation)), pg_bench_run())
#define RUN_OK(name, operation) \
	do { \
		RUN(name, operation); \
		if (!(operation)->job.ok) \
			fail_msg("%s", (operation)->job.err.text); \
	} while (0)

/* The same for the ledger store: its `op`, and running it to its end. */
void ledger_op_done(struct ledger_op *op);
#define LEDGER_OP \
	{ \
		.arena = &bench.arena, .done = ledger_op_done \
	}
#define RUN_LEDGER(name, operation) \
	(bench.waiting++, bench.ledger->ops->name(bench.ledger, (operation)), pg_bench_run())

#endif
