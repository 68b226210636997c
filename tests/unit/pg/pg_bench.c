/* The stores on a database of the test's own. */
#include "pg_bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "pg_server.h"

struct pg_bench bench;

int pg_bench_start(void **state)
{
	(void)state;
	pg_server_start();
	return 0;
}

int pg_bench_open(void **state)
{
	static int n;
	char name[16];
	struct err err;

	(void)state;
	bench = (struct pg_bench){0};
	snprintf(name, sizeof(name), "bench%d", n++);
	snprintf(bench.db, sizeof(bench.db), "%s", pg_server_migrated(name));
	uv_loop_init(&bench.loop);
	bench.threads = pg_threads_new(bench.db, 2, &err);
	if (!bench.threads)
		abort();
	bench.ledger = pg_ledger_new(bench.threads, &bench.loop);
	bench.accounts = pg_accounts_new(bench.threads, &bench.loop);
	bench.admin = pg_admin_new(bench.threads, &bench.loop);
	return 0;
}

int pg_bench_close(void **state)
{
	(void)state;
	pg_threads_free(bench.threads);
	pg_bench_run();
	pg_ledger_free(bench.ledger);
	pg_accounts_free(bench.accounts);
	pg_admin_free(bench.admin);
	uv_run(&bench.loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&bench.loop) != 0)
		abort();
	arena_release(&bench.arena);
	return 0;
}

void pg_bench_run(void)
{
	while (bench.waiting > 0)
		uv_run(&bench.loop, UV_RUN_ONCE);
}

void admin_job_done(struct admin_job *job)
{
	(void)job;
	bench.waiting--;
}

void ledger_op_done(struct ledger_op *op)
{
	(void)op;
	bench.waiting--;
}
