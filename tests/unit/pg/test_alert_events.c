/* Lists of alert events in a PostgreSQL of the test's own. */
#include <stdio.h>
#include <string.h>

#include "lib/test.h"
#include "pg_bench.h"
#include "pg_server.h"

#define KIND(kind) (1u << (kind))

/* Events with the ids from 1 on, of which those up to `numbered` have the cursors id * 10. */
static void have_events(const char *values, int numbered)
{
	char sql[2000];

	snprintf(sql, sizeof(sql),
		"INSERT INTO alert_events (at, tenant, rule, kind, severity, account_kind, account) SELECT "
		"to_timestamp(n), t, r, k, s, ak, a FROM (VALUES %s) AS v (n, t, r, k, s, ak, a) ORDER BY n",
		values);
	assert_true(pg_server_exec(bench.db, sql));
	snprintf(sql, sizeof(sql), "UPDATE alert_events SET seq = id * 10 WHERE id <= %d", numbered);
	assert_true(pg_server_exec(bench.db, sql));
}

static void have_five(void)
{
	have_events(
		"(1, 'a', 'users', 1, 1, 1, 'ann'), (2, 'b', 'users', 1, 2, 1, 'ann'), (3, '', 'drift', 9, 3, 0, ''), "
		"(4, 'a', 'tier', 6, 1, 1, 'bob'), (5, 'a', 'limits', 1, 2, 2, 'ann')",
		4);
}

static struct alert_event_list of_tenant(const char *tenant)
{
	return (struct alert_event_list){.job = JOB, .tenant = tenant, .rule = "", .account = "", .limit = 10};
}

/* The ids of the rows: "5 4 1", with a "+" if there are more. */
static const char *ids(struct alert_event_list *op)
{
	static char text[200];
	size_t len = 0;

	RUN_OK(alert_event_list, op);
	text[0] = '\0';
	for (int i = 0; i < op->count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d", i ? " " : "", (int)op->rows[i].id);
	if (op->more)
		snprintf(text + len, sizeof(text) - len, "+");
	return text;
}

ON_BENCH(admins_read_a_tenants_events_page_by_page_the_newest_first)
{
	struct alert_event_list op = of_tenant("a");

	have_five();
	op.limit = 2;
	assert_string_equal(ids(&op), "5 4+");
	assert_int_equal(op.rows[0].seq, 0); /* not numbered yet, and listed all the same */
	assert_int_equal(op.rows[1].seq, 40);
	assert_int_equal(op.rows[1].at_us, 4000000);
	assert_string_equal(op.rows[1].account, "bob");
	op.before = 4;
	assert_string_equal(ids(&op), "1");
}

ON_BENCH(a_list_has_what_all_its_filters_let_through)
{
	struct alert_event_list op = of_tenant("a");

	have_five();
	op.kind = ALERT_THRESHOLD;
	assert_string_equal(ids(&op), "5 1");
	op.account_kind = ACCOUNT_USER;
	assert_string_equal(ids(&op), "1");
	op = of_tenant("a");
	op.account = "ann";
	op.least = ALERT_WARNING;
	assert_string_equal(ids(&op), "5");
	op = of_tenant("a");
	op.kinds = KIND(ALERT_TIER) | KIND(ALERT_DRIFT);
	assert_string_equal(ids(&op), "4");
	op = of_tenant("a");
	op.rule = "limits";
	assert_string_equal(ids(&op), "5");
	op = of_tenant("a");
	op.from_us = 4000000;
	op.to_us = 5000000;
	assert_string_equal(ids(&op), "4");
	op = of_tenant("a");
	op.system = true;
	assert_string_equal(ids(&op), "3");
}

ON_BENCH(a_reader_gets_numbered_events_only_and_the_cursor_behind_them)
{
	struct alert_event_list op = of_tenant("a");

	have_five();
	op.forward = true;
	op.limit = 1;
	assert_string_equal(ids(&op), "1+");
	op.after = op.rows[0].seq;
	assert_string_equal(ids(&op), "4");
	assert_int_equal(op.newest, 40);
	op.after = 40;
	assert_string_equal(ids(&op), "");
	assert_int_equal(op.newest, 40);
}

ON_BENCH(a_reader_of_all_tenants_gets_nothing_of_the_installation)
{
	struct alert_event_list op = of_tenant("");

	have_five();
	op.forward = op.all_tenants = true;
	assert_string_equal(ids(&op), "1 2 4");
}

ON_BENCH(cursors_go_in_the_order_of_numbers_whatever_the_ids_are)
{
	struct alert_event_list op = of_tenant("a");

	have_five();
	assert_true(pg_server_exec(bench.db, "UPDATE alert_events SET seq = 7 WHERE id = 5"));
	op.forward = true;
	assert_string_equal(ids(&op), "5 1 4");
}

ON_BENCH(the_highest_cursor_is_known_when_its_event_is_deleted)
{
	struct alert_event_list op = of_tenant("a");

	have_events("(1, 'a', 'users', 1, 1, 1, 'ann')", 0);
	assert_true(pg_server_exec(bench.db, "UPDATE alert_events SET seq = nextval('alert_seq')"));
	op.forward = true;
	assert_string_equal(ids(&op), "1");
	assert_true(op.rows[0].seq > 1); /* 1 is the cursor before all events */
	op.after = op.rows[0].seq;
	assert_true(pg_server_exec(bench.db, "DELETE FROM alert_events"));
	assert_string_equal(ids(&op), "");
	assert_int_equal(op.newest, 0);
	assert_int_equal(op.last, op.after);
}

TEST_GROUP(pg_bench_start, NULL);
