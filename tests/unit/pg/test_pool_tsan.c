/* The pool: every job ends by its deadline, on its own loop, exactly once, whatever PostgreSQL does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/list.h"
#include "pg/link.h"
#include "pg/pool.h"
#include "pg_server.h"

static char db[256];
static uv_loop_t loop;
static struct pg_pool *pool;
static struct pg_inbox *inbox;
static int open_jobs;

struct query {
	struct pg_job job;
	const char *sql;
	int done;
};

static bool run_query(struct pg_job *job, struct pg_link *link, struct err *err)
{
	return pg_exec(link, container_of(job, struct query, job)->sql, NULL, err);
}

static void query_done(struct pg_job *job)
{
	container_of(job, struct query, job)->done++;
	open_jobs--;
}

static void submit(struct query *query, const char *sql, int64_t within_us)
{
	*query = (struct query){
		.job = {.run = run_query, .done = query_done, .deadline_us = clock_mono_us() + within_us}, .sql = sql};
	open_jobs++;
	pg_pool_submit(pool, inbox, &query->job);
	assert_int_equal(query->done, 0);
}

static void run_all(void)
{
	while (open_jobs > 0)
		uv_run(&loop, UV_RUN_ONCE);
}

static void a_thousand_jobs_come_back_once_each(void **state)
{
	static struct query queries[1000];

	(void)state;
	for (int i = 0; i < 1000; i++)
		submit(&queries[i], "SELECT 1", 30000000);
	run_all();
	for (int i = 0; i < 1000; i++)
		assert_true(queries[i].job.ok && queries[i].done == 1);
}

static void a_job_that_waits_for_busy_threads_ends_by_its_deadline(void **state)
{
	struct query busy[2], late;
	int64_t start_us = clock_mono_us();

	(void)state;
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

static void a_failed_job_leaves_no_transaction_to_the_next_one(void **state)
{
	struct query query;

	(void)state;
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

static void a_lost_server_is_told_at_once_and_found_again(void **state)
{
	struct query query;
	int64_t start_us = clock_mono_us();

	(void)state;
	pg_server_crash();
	for (int i = 0; i < 20; i++) {
		submit(&query, "SELECT 1", 5000000);
		run_all();
		assert_int_equal(query.job.err.code, ERR_UNAVAILABLE);
	}
	assert_true(clock_mono_us() - start_us < 4000000);
	pg_server_revive();
	do {
		submit(&query, "SELECT 1", 5000000);
		run_all();
	} while (!query.job.ok && clock_mono_us() - start_us < 20000000);
	assert_true(query.job.ok);
}

static void freeing_the_pool_breaks_off_what_runs_and_what_waits(void **state)
{
	struct query queries[5];
	int64_t start_us = clock_mono_us();

	(void)state;
	for (int i = 0; i < 5; i++)
		submit(&queries[i], "SELECT pg_sleep(20)", 30000000);
	pg_pool_free(pool);
	pool = NULL;
	run_all();
	for (int i = 0; i < 5; i++)
		assert_int_equal(queries[i].job.err.code, ERR_UNAVAILABLE);
	assert_true(clock_mono_us() - start_us < 3000000);
}

static void what_is_no_connection_string_is_refused(void **state)
{
	struct err err;

	(void)state;
	assert_null(pg_pool_new("host=x nonsense", 1, &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.field, "postgres");
}

static int open_pool(void **state)
{
	struct err err;

	(void)state;
	uv_loop_init(&loop);
	pool = pg_pool_new(db, 2, &err);
	inbox = pg_inbox_new(&loop);
	return pool ? 0 : -1;
}

static int close_pool(void **state)
{
	(void)state;
	pg_pool_free(pool);
	pg_inbox_free(inbox);
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop);
}

static int start(void **state)
{
	(void)state;
	pg_server_start();
	strncpy(db, pg_server_database("pool"), sizeof(db) - 1);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_pool, close_pool)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_thousand_jobs_come_back_once_each),
		TEST(a_job_that_waits_for_busy_threads_ends_by_its_deadline),
		TEST(a_failed_job_leaves_no_transaction_to_the_next_one),
		TEST(a_lost_server_is_told_at_once_and_found_again),
		TEST(freeing_the_pool_breaks_off_what_runs_and_what_waits),
		TEST(what_is_no_connection_string_is_refused),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
