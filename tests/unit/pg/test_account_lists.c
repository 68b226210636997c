/* Filters of accounts, in a PostgreSQL of the test's own: what each finds, and that a page costs only a page. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "lib/test.h"
#include "pg/admin/account_filter.h"
#include "pg_bench.h"
#include "pg_server.h"

#define NOW INT64_C(2000000000000000)

/* The default tier of tenant t is free. The accounts f... name it, n... have no tier of their own, p... are on pro. */
static const char accounts_sql[] =
	"INSERT INTO accounts (tenant, kind, id, tier, team, org, suspended, bypass, deleted, grace_until_us, "
	"created_at) VALUES "
	"('t', 1, 'f1', 'free', 'red', '', false, false, false, 0, to_timestamp(1000)), "
	"('t', 1, 'f2', 'free', '', 'acme', true, false, false, 0, now()), "
	"('t', 1, 'n1', '', 'red', '', false, true, false, 0, now()), "
	"('t', 1, 'n2', '', '', '', true, true, false, 3000000000000000, now()), "
	"('t', 1, 'p1', 'pro', 'red', '', false, false, true, 0, now()), "
	"('t', 1, 'p2', 'pro', '', '', false, false, false, 3000000000000000, now()), "
	"('t', 1, 'p3', 'pro', '', '', false, false, false, 1000000000000000, now()), "
	"('t', 2, 'red', 'pro', '', 'acme', false, false, false, 0, now()), "
	"('u', 1, 'f1', 'free', 'red', '', false, false, false, 0, now()); "
	"INSERT INTO account_limits (tenant, account_kind, account_id, position, name, dimension, kind, amount) VALUES "
	"('t', 1, 'n2', 0, 'a', 0, 1, 1), ('t', 1, 'n2', 1, 'b', 0, 1, 1), ('t', 1, 'p2', 0, 'a', 0, 1, 1); "
	"INSERT INTO policy_changes (tenant, kind, account, version) VALUES ('t', 1, 'f2', 1), ('t', 1, 'f2', 2)";

static void list(struct account_list *op)
{
	op->job = (struct admin_job)JOB;
	op->tenant = "t";
	op->kind = op->kind ? op->kind : ACCOUNT_USER;
	op->filter.now_us = NOW;
	RUN_OK(account_list, op);
}

/* Checks the ids that the filter finds, in pages of two, and their count. */
static void finds(struct account_filter filter, enum account_kind kind, const char *wanted)
{
	char found[128] = "";
	struct account_list op = {.filter = filter, .kind = kind, .limit = 2};
	int64_t count = 0;

	do {
		list(&op);
		for (int i = 0; i < op.count; i++, count++)
			snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%s", found[0] ? " " : "",
				op.rows[i].key.id);
		op.after = op.count ? op.rows[op.count - 1].key.id : "";
	} while (op.more);
	assert_string_equal(found, wanted);
	op.after = "";
	op.count_only = true;
	list(&op);
	assert_int_equal(op.matched, count);
}
#define FINDS(wanted, ...) finds((struct account_filter){__VA_ARGS__}, ACCOUNT_USER, wanted)

ON_BENCH(a_filter_finds_what_matches_all_of_it)
{
	assert_true(pg_server_exec(bench.db, accounts_sql));
	FINDS("f1 f2 n1 n2 p2 p3", .tier = "");
	FINDS("p2 p3", .tier = "pro");
	FINDS("f1 f2 n1 n2", .tier = "free");
	FINDS("f1 f2", .id_prefix = "f");
	FINDS("f1 n1", .team = "red");
	FINDS("f2", .org = "acme");
	FINDS("f1 p3", .state = WANTED_ACTIVE);
	FINDS("f2 n2", .state = WANTED_SUSPENDED);
	FINDS("n1 n2", .state = WANTED_BYPASSED);
	FINDS("n2 p2", .state = WANTED_GRACE);
	FINDS("p1", .state = WANTED_DELETED);
	FINDS("f2", .state = WANTED_PENDING);
	FINDS("f1 f2 n1 n2 p1 p2 p3", .state = WANTED_ANY);
	FINDS("n2 p2", .has_overrides = true);
	FINDS("f2 n1 n2 p2 p3", .created_since_us = 1001000000);
	FINDS("", .updated_since_us = INT64_C(9000000000000000));
	FINDS("f2", .tier = "free", .state = WANTED_SUSPENDED, .id_prefix = "f");
	FINDS("n2", .tier = "free", .state = WANTED_SUSPENDED, .has_overrides = true);
	finds((struct account_filter){.org = "acme"}, ACCOUNT_TEAM, "red");
}

/* How many rows the filter's first page reads or skips in the table. */
#define PAGE_COST 1000
static double rows_touched(struct account_filter filter)
{
	struct account_set set = {.tenant = "t", .kind = ACCOUNT_USER, .filter = &filter};
	struct pg_args args = {0};
	struct buf sql = {0};
	struct pg_link link;
	struct err err;
	double most = 0;

	buf_put_str(&sql, "EXPLAIN (ANALYZE, TIMING off, FORMAT JSON) ");
	account_ids_sql(&sql, &args, &set, "", 100);
	pg_link_init(&link, bench.db, -1);
	link.deadline_us = clock_mono_us() + 30000000;
	assert_true(pg_link_ready(&link, &err));
	PGresult *result = pg_query(&link, buf_str(&sql), &args, &err);
	if (!result)
		fail_msg("%s", err.text);
	static const char ACTUAL[] = "Actual Rows\": ", REMOVED[] = "Removed by Filter\": ";
	const char *plan = pg_text(result, 0, 0);
	for (const char *at = plan; (at = strstr(at, ACTUAL)); at += strlen(ACTUAL))
		most = fmax(most, strtod(at + strlen(ACTUAL), NULL));
	for (const char *at = plan; (at = strstr(at, REMOVED)); at += strlen(REMOVED))
		most += strtod(at + strlen(REMOVED), NULL);
	if (most > PAGE_COST)
		fputs(plan, stderr);
	PQclear(result);
	pg_link_close(&link);
	pg_args_release(&args);
	buf_release(&sql);
	return most;
}
#define TOUCHES_A_PAGE(...) assert_true(rows_touched((struct account_filter){__VA_ARGS__}) <= PAGE_COST)

ON_BENCH(a_page_of_a_filter_costs_a_page_whatever_there_is_beside_it)
{
	/* The accounts to find come last in the order of ids. */
	assert_true(pg_server_exec(bench.db,
		"INSERT INTO accounts (tenant, kind, id, tier, team, org, suspended, bypass, deleted, grace_until_us) "
		"SELECT 't', 1, 'u' || lpad(i::text, 6, '0'), CASE WHEN late THEN 'pro' ELSE 'free' END, CASE WHEN "
		"late THEN 'red' "
		"ELSE 'blue' END, CASE WHEN late THEN 'acme' ELSE '' END, late, late, false, CASE WHEN late THEN "
		"3000000000000000 ELSE 0 END FROM generate_series(1, 40000) AS i, LATERAL (SELECT i > 39000) AS l "
		"(late); "
		"INSERT INTO accounts (tenant, kind, id, tier, deleted) SELECT 't', 1, 'v' || i, '', i > 500 FROM "
		"generate_series(1, 1000) AS i; ANALYZE accounts, policy_changes, tenants"));
	TOUCHES_A_PAGE(.tier = "");
	TOUCHES_A_PAGE(.tier = "pro");
	TOUCHES_A_PAGE(.tier = "free");
	TOUCHES_A_PAGE(.id_prefix = "u039");
	TOUCHES_A_PAGE(.team = "red");
	TOUCHES_A_PAGE(.org = "acme");
	TOUCHES_A_PAGE(.state = WANTED_SUSPENDED);
	TOUCHES_A_PAGE(.state = WANTED_BYPASSED);
	TOUCHES_A_PAGE(.state = WANTED_GRACE, .now_us = NOW);
	TOUCHES_A_PAGE(.state = WANTED_DELETED);
	TOUCHES_A_PAGE(.state = WANTED_SUSPENDED, .tier = "pro", .team = "red");
}

TEST_GROUP(pg_bench_start, NULL);
