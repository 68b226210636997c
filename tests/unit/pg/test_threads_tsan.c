/* The threads: every job ends by its deadline, on its own loop, exactly once, whatever PostgreSQL does. */
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "lib/test.h"
#include "pg/link/link.h"
#include "pg/link/threads.h"
#include "pg_server.h"

static char db[256];
static uv_loop_t loop;
static struct pg_threads *threads;
static struct pg_inbox *inbox;
static int open_jobs;

struct query {
	struct pg_job job;
	const char *sql;
	bool in_transaction;
	int done, runs;
};

static bool run_query(struct pg_job *job, struct pg_link *link, struct err *err)
{
	struct query *query = container_of(job, struct query, job);

	query->runs++;
	if (query->in_transaction)
		return pg_begin(link, "", err) && pg_exec(link, query->sql, NULL, err) && pg_commit(link, err);
	return pg_exec(link, query->sql, NULL, err);
}

static void query_done(struct pg_job *job)
{
	container_of(job, struct query, job)->done++;
	open_jobs--;
}

static void submit_as(struct query *query, const char *sql, int64_t within_us, bool repeatable, bool in_transaction)
{
	*query = (struct query){.job = {.run = run_query,
					.done = query_done,
					.deadline_us = clock_mono_us() + within_us,
					.repeatable = repeatable},
		.sql = sql,
		.in_transaction = in_transaction};
	open_jobs++;
	pg_threads_submit(threads, inbox, &query->job);
	assert_int_equal(query->done, 0);
}

static void submit(struct query *query, const char *sql, int64_t within_us)
{
	submit_as(query, sql, within_us, false, false);
}

static void run_all(void)
{
	while (open_jobs > 0)
		uv_run(&loop, UV_RUN_ONCE);
}

static int open_pool(void **state)
{
	struct err err;

	(void)state;
	uv_loop_init(&loop);
	threads = pg_threads_new(db, 2, &err);
	inbox = pg_inbox_new(&loop);
	return threads ? 0 : -1;
}

static int close_pool(void **state)
{
	(void)state;
	pg_threads_free(threads);
	pg_inbox_free(inbox);
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop);
}

#define WITH_POOL(name) TEST_WITH(name, open_pool, close_pool)

WITH_POOL(a_thousand_jobs_come_back_once_each)
{
	static struct query queries[1000];

	for (int i = 0; i < 1000; i++)
		submit(&queries[i], "SELECT 1", 30000000);
	run_all();
	for (int i = 0; i < 1000; i++)
		assert_true(queries[i].job.ok && queries[i].done == 1);
}

WITH_POOL(a_job_that_waits_for_busy_threads_ends_by_its_deadline)
{
	struct query busy[2], late;
	int64_t start_us = clock_mono_us();

	submit(&busy[0], "SELECT pg_sleep(2)", 10000000);
	submit(&busy[1], "SELECT pg_sleep(2)", 10000000);
	submit(&late, "SELECT 1", 100000);
	while (late.done == 0)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(late.job.err.code, ERR_DEADLINE);
	assert_true(clock_mono_us() - start_us < 1500000);
	run_all();
	assert_true(busy[0].job.ok && busy[1].job.ok);
}

WITH_POOL(a_failed_job_leaves_no_transaction_to_the_next_one)
{
	struct query query;

	for (int i = 0; i < 4; i++) {
		submit(&query, "BEGIN", 5000000);
		run_all();
		assert_true(query.job.ok);
		submit(&query, "SELECT 1 / 0", 5000000);
		run_all();
		assert_int_equal(query.job.err.code, ERR_INVALID);
		submit(&query, "SAVEPOINT outside", 5000000);
		run_all();
		assert_false(query.job.ok);
	}
}

/* Both threads have a connection. */
static void warm_up(void)
{
	struct query busy[2];

	submit(&busy[0], "SELECT pg_sleep(0.2)", 10000000);
	submit(&busy[1], "SELECT pg_sleep(0.2)", 10000000);
	run_all();
	assert_true(busy[0].job.ok && busy[1].job.ok);
}

WITH_POOL(a_restart_between_two_jobs_is_not_noticed)
{
	struct query query;

	for (int round = 0; round < 3; round++) {
		warm_up();
		pg_server_crash();
		pg_server_revive();
		for (int i = 0; i < 4; i++) {
			submit_as(&query, i % 2 ? "SELECT 1" : "INSERT INTO once VALUES (1)", 20000000, false, i == 2);
			run_all();
			assert_true(query.job.ok);
		}
	}
	assert_int_equal(pg_server_ask_number(db, "SELECT count(*) FROM once"), 6);
}

WITH_POOL(a_job_waits_for_a_server_that_restarts)
{
	struct query reads[4], write;

	warm_up();
	pg_server_crash();
	for (int i = 0; i < 4; i++)
		submit(&reads[i], "SELECT 1", 20000000);
	submit(&write, "INSERT INTO again VALUES (1)", 20000000);
	pg_server_revive();
	run_all();
	for (int i = 0; i < 4; i++)
		assert_true(reads[i].job.ok);
	assert_true(write.job.ok);
	assert_int_equal(pg_server_ask_number(db, "SELECT count(*) FROM again"), 1);
}

/* A connection that is lost in the middle of something that may already have been done. */
WITH_POOL(only_what_may_be_done_twice_is_done_again)
{
	static const struct {
		const char *sql;
		bool repeatable, in_transaction;
		int runs;
	} cases[] = {
		{"SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(20)", false, false, 1},
		{"SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(20)", true, false, 3},
		{"SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(20)", true, true, 1}, /* BEGIN was answered */
		{"SELECT 1 / 0", true, false, 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct query query;

		submit_as(&query, cases[i].sql, 20000000, cases[i].repeatable, cases[i].in_transaction);
		run_all();
		assert_false(query.job.ok);
		assert_int_equal(query.runs, cases[i].runs);
	}
}

/* As behind a firewall that has dropped the connection: nobody answers, and nobody says that it is gone. */
WITH_POOL(a_connection_that_was_idle_and_does_not_answer_is_replaced)
{
	struct pg_link link;
	struct err err;
	int pid;

	pg_link_init(&link, db, -1);
	link.deadline_us = clock_mono_us() + 20000000;
	assert_true(pg_link_ready(&link, &err));
	pid = PQbackendPID(link.conn);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_true(pg_link_ready(&link, &err));
	assert_int_equal(PQbackendPID(link.conn), pid);
	link.idle_since_us -= 3600000000;
	assert_true(pg_link_ready(&link, &err));
	assert_int_not_equal(PQbackendPID(link.conn), pid);
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_true(pg_exec(&link, "SELECT 1", NULL, &err));
	pg_link_close(&link);
}

WITH_POOL(a_server_that_stays_away_is_waited_for_once_and_found_again)
{
	struct query query;
	int64_t start_us = clock_mono_us();

	pg_server_crash();
	for (int i = 0; i < 20; i++) {
		submit(&query, "SELECT 1", 20000000);
		run_all();
		assert_int_equal(query.job.err.code, ERR_UNAVAILABLE);
	}
	assert_true(clock_mono_us() - start_us < 15000000);
	pg_server_revive();
	do {
		submit(&query, "SELECT 1", 5000000);
		run_all();
	} while (!query.job.ok && clock_mono_us() - start_us < 20000000);
	assert_true(query.job.ok);
}

WITH_POOL(freeing_the_pool_breaks_off_what_runs_and_what_waits)
{
	struct query queries[5];
	int64_t start_us = clock_mono_us();

	for (int i = 0; i < 5; i++)
		submit(&queries[i], "SELECT pg_sleep(20)", 30000000);
	pg_threads_free(threads);
	threads = NULL;
	run_all();
	for (int i = 0; i < 5; i++)
		assert_int_equal(queries[i].job.err.code, ERR_UNAVAILABLE);
	assert_true(clock_mono_us() - start_us < 3000000);
}

WITH_POOL(an_invalid_connection_string_is_refused)
{
	struct err err;

	assert_null(pg_threads_new("host=x nonsense", 1, &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.field, "postgres");
}

static int start(void **state)
{
	(void)state;
	pg_server_start();
	strncpy(db, pg_server_database("threads"), sizeof(db) - 1);
	pg_server_exec(db, "CREATE TABLE once (n int)");
	pg_server_exec(db, "CREATE TABLE again (n int)");
	return 0;
}

TEST_GROUP(start, NULL);
