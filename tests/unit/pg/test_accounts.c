/* Changes and lists of accounts, in a PostgreSQL of the test's own. */
#include <string.h>

#include "lib/test.h"
#include "pg_accounts.h"
#include "pg_server.h"

static bool refuse(struct account_change *op, struct account_row *row, struct err *err)
{
	(void)op, (void)row;
	return err_set(err, ERR_NOT_FOUND, "nobody of that name");
}

ON_BENCH(a_change_is_the_row_its_version_and_its_trail)
{
	struct account_change op = account_changed("ann", account_to_pro);
	assert_true(op.job.ok);
	assert_int_equal(op.row.profile.version, 1);
	assert_true(op.row.pending);
	op = account_changed("ann", account_to_pro);
	assert_int_equal(op.row.profile.version, 2);

	struct account_get get = {.job = JOB, .key = {ACCOUNT_USER, "t", "ann"}};
	RUN_OK(account_get, &get);
	assert_true(get.row.known && get.row.pending && get.row.profile.suspended);
	assert_string_equal(get.row.suspended_reason, "spam");
	assert_string_equal(get.row.profile.team, "red");
	assert_string_equal(get.row.profile.zone.name, "Europe/Berlin");
	assert_int_equal(get.row.profile.zone.kept[WINDOW_WEEK][1], COUNT_MAX);
	assert_int_equal(get.row.profile.zone.kept[WINDOW_MONTH][1], 0);
	assert_int_equal(get.row.profile.grace_percent, 50);
	assert_int_equal(get.row.profile.override_count, 2);
	assert_string_equal(get.row.profile.overrides[1].name, "b");
	assert_int_equal(get.row.profile.overrides[1].amount, 20);
	assert_string_equal(get.row.profile.overrides[1].interface, "telegram");
	assert_int_equal(get.row.profile.overrides[1].warn_percent, 70);
	assert_true(get.row.created_at_us > 0);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT count(*) FROM policy_changes"), 2);
	assert_string_equal(
		pg_server_ask(bench.db, "SELECT actor || action || target || (details->'limits'->1->>'amount') "
					"FROM audit_log ORDER BY id DESC"),
		"aliceaccount.changeuser/ann20");
	assert_false(pg_server_exec(bench.db, "DELETE FROM audit_log"));

	struct policy_note note = {.key = {ACCOUNT_USER, "t", "ann"}, .version = 1};
	struct account_confirm confirm = {.job = JOB, .count = 1, .note = &note};
	RUN_OK(account_confirm, &confirm);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT max(version) FROM policy_changes"), 2);
	note.version = 2;
	note.again_us = 5000000;
	RUN_OK(account_confirm, &confirm);
	assert_int_equal(
		pg_server_ask_number(bench.db, "SELECT count(*) FROM policy_changes WHERE repeat_at > now() + '3s'"),
		1);
	note.again_us = 0;
	RUN_OK(account_confirm, &confirm);
	RUN_OK(account_get, &get);
	assert_false(get.row.pending);
}

static bool with_ends(struct account_change *op, struct account_row *row, struct err *err)
{
	assert_true(account_to_pro(op, row, err));
	row->profile.overrides[0].until_us = 1000;
	row->profile.overrides[1].until_us = 2000;
	return true;
}

ON_BENCH(overrides_whose_end_has_come_are_found_by_index)
{
	assert_true(account_changed("ann", account_to_pro).job.ok);
	assert_true(account_changed("bob", with_ends).job.ok);
	struct override_ends op = {.job = JOB, .now_us = 999, .limit = 10};
	RUN_OK(override_ends, &op);
	assert_int_equal(op.count, 0);
	op.now_us = 2000;
	RUN_OK(override_ends, &op);
	assert_int_equal(op.count, 1);
	assert_string_equal(op.key[0].tenant, "t");
	assert_string_equal(op.key[0].id, "bob");
	assert_int_equal(op.key[0].kind, ACCOUNT_USER);
	struct account_get get = {.job = JOB, .key = {ACCOUNT_USER, "t", "bob"}};
	RUN_OK(account_get, &get);
	assert_int_equal(get.row.profile.overrides[1].until_us, 2000);
	assert_non_null(
		strstr(pg_server_ask(bench.db, "SET enable_seqscan = off; SET enable_bitmapscan = off; EXPLAIN "
					       "SELECT FROM account_limits WHERE until_us > 0 AND until_us <= 5"),
			"account_limits_by_end"));
}

ON_BENCH(users_who_share_an_account_are_counted)
{
	assert_true(pg_server_exec(bench.db,
		"INSERT INTO accounts (tenant, kind, id, team, org, deleted) VALUES ('t', 2, 'red', '', 'acme', "
		"false), "
		"('t', 1, 'a', 'red', '', false), ('t', 1, 'b', 'red', 'other', false), ('t', 1, 'c', '', 'acme', "
		"false), "
		"('t', 1, 'd', 'red', '', true), ('u', 1, 'a', 'red', '', false), ('t', 3, 'acme', '', '', false)"));
	assert_true(pg_server_exec(bench.db,
		"INSERT INTO accounts (tenant, kind, id, team) SELECT 'many', 1, n, 'big' FROM "
		"generate_series(1, 10001) n"));
	struct shared_counts op = {.job = JOB,
		.count = 7,
		.key = {{ACCOUNT_TEAM, "t", "red"}, {ACCOUNT_ORG, "t", "acme"}, {ACCOUNT_ORG, "t", "other"},
			{ACCOUNT_TENANT, "t", "t"}, {ACCOUNT_MODEL, "t", "gpt"}, {ACCOUNT_TEAM, "many", "big"},
			{ACCOUNT_TEAM, "t", "none"}}};
	static const int64_t expected[] = {2, 3, 0, 3, 3, SHARED_MAX, 0};
	RUN_OK(shared_counts, &op);
	for (int i = 0; i < op.count; i++)
		assert_int_equal(op.users[i], expected[i]);
}

ON_BENCH(a_refused_change_leaves_nothing)
{
	struct account_change op = account_changed("bob", refuse);
	assert_false(op.job.ok);
	assert_int_equal(op.job.err.code, ERR_NOT_FOUND);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT count(*) FROM accounts"), 0);
}

ON_BENCH(accounts_are_listed_page_by_page)
{
	struct account_list op = {
		.job = JOB, .tenant = "t", .kind = ACCOUNT_USER, .filter = {.id_prefix = "u"}, .limit = 3};

	for (int i = 0; i < 5; i++)
		assert_true(account_changed(arena_printf(&bench.arena, "u%d", i), account_to_pro).job.ok);
	assert_true(pg_server_exec(
		bench.db, "INSERT INTO accounts (tenant, kind, id) VALUES ('t', 1, 'u9'), ('t', 1, 'x')"));
	RUN_OK(account_list, &op);
	assert_int_equal(op.count, 3);
	assert_true(op.more);
	assert_int_equal(op.rows[2].profile.override_count, 2);
	op.after = op.rows[2].key.id;
	RUN_OK(account_list, &op);
	assert_int_equal(op.count, 3);
	assert_false(op.more);
	op.after = "";
	op.filter.tier = "free";
	RUN_OK(account_list, &op);
	assert_int_equal(op.count, 1);
	assert_string_equal(op.rows[0].key.id, "u9");
	op.filter.tier = "";
	op.filter.state = WANTED_SUSPENDED;
	op.limit = 100;
	RUN_OK(account_list, &op);
	assert_int_equal(op.count, 5);
}

TEST_GROUP(pg_bench_start, NULL);
