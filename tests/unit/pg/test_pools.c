/* The settings of pools in a PostgreSQL of the test's own. */

#include "lib/test.h"
#include "pg_bench.h"
#include "pg_server.h"

static bool smaller(struct pool_change *op, struct pool_row *row, bool known, struct err *err)
{
	(void)op, (void)err;
	assert_int_equal(known, row->settings.gen > 0);
	row->settings.slots_from_option = false;
	row->settings.slots = 3;
	row->settings.wait_max_us = 200000000;
	row->settings.level_count = 2;
	row->settings.level[0] = (struct pool_level){.priority = 1, .weight = 2, .queue_limit = 7};
	row->settings.level[1] = (struct pool_level){.priority = 10, .weight = 30};
	return true;
}

static bool from_option(struct pool_change *op, struct pool_row *row, bool known, struct err *err)
{
	(void)op, (void)known, (void)err;
	row->settings.slots_from_option = true;
	row->settings.level_count = 0;
	return true;
}

static bool no_pool(struct pool_change *op, struct pool_row *row, bool known, struct err *err)
{
	(void)op, (void)row, (void)known;
	return err_set(err, ERR_INVALID, "slots: no");
}

ON_BENCH(every_tenant_has_the_shipped_pool_until_it_changes_it)
{
	struct pool_list list = {.job = JOB, .tenant = "fleet"};
	struct pool_change change = {.job = JOB, .tenant = "fleet", .name = POOL_DEFAULT, .change = smaller};

	RUN_OK(pool_list, &list);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.rows[0].settings.name, POOL_DEFAULT);
	assert_true(list.rows[0].settings.slots_from_option);
	assert_int_equal(list.rows[0].settings.slots, 5);
	assert_int_equal(list.rows[0].settings.gen, 1);
	RUN_OK(pool_change, &change);
	assert_int_equal(change.row.settings.gen, 2);
	change.name = "batch";
	RUN_OK(pool_change, &change);
	assert_int_equal(change.row.settings.gen, 1);
	RUN_OK(pool_list, &list);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.rows[0].settings.slots, 3);
	assert_int_equal(list.rows[0].settings.wait_max_us, 200000000);
	assert_int_equal(list.rows[0].settings.level_count, 2);
	assert_int_equal(list.rows[0].settings.level[0].weight, 30);
	assert_int_equal(list.rows[0].settings.level[1].queue_limit, 7);
	assert_true(list.rows[0].updated_at_us > INT64_C(1700000000000000));
	list.tenant = "other", list.name = "batch";
	RUN_OK(pool_list, &list);
	assert_int_equal(list.count, 0);
	assert_string_equal(
		pg_server_ask(bench.db, "SELECT actor || action || target || (details->'levels'->0->>'weight') "
					"FROM audit_log ORDER BY id DESC"),
		"alicepool.changebatch30");
}

ON_BENCH(a_refused_change_of_a_pool_leaves_nothing)
{
	struct pool_change change = {.job = JOB, .tenant = "fleet", .name = "batch", .change = no_pool};

	RUN(pool_change, &change);
	assert_false(change.job.ok);
	assert_int_equal(change.job.err.code, ERR_INVALID);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT count(*) FROM pools"), 1);
}

ON_BENCH(the_last_start_decides_the_slots_of_the_option)
{
	struct pool_change change = {.job = JOB, .tenant = "fleet", .name = "batch", .change = from_option};
	struct err err;

	RUN_OK(pool_change, &change);
	assert_int_equal(change.row.settings.slots, 5);
	struct catalog_source *source = pg_catalog_start(bench.db, 8, &err);
	assert_non_null(source);
	assert_true(pg_catalog_wait(source, 10000, &err));
	struct catalog *catalog = catalog_acquire(source);
	const struct pool_settings *pool = catalog_pool(catalog, "fleet", "batch");
	assert_non_null(pool);
	assert_int_equal(pool->slots, 8);
	assert_int_equal(pool->gen, 2);
	pool = catalog_pool(catalog, "nobody", POOL_DEFAULT);
	assert_int_equal(pool->slots, 8);
	assert_int_equal(pool->gen, 2);
	assert_null(catalog_pool(catalog, "nobody", "batch"));
	catalog_release(catalog);
	pg_catalog_stop(source);
	source = pg_catalog_start(bench.db, 8, &err);
	assert_true(pg_catalog_wait(source, 10000, &err));
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT max(gen) FROM pools"), 2);
	pg_catalog_stop(source);
}

ON_BENCH(only_the_first_to_open_a_pool_finds_it_new)
{
	struct pool_open op = {.job = JOB, .tenant = "t", .name = "p", .claim = "run:aa"};

	RUN_OK(pool_open, &op);
	uint32_t epoch = op.epoch;
	assert_true(op.first && epoch > 1000000);
	RUN_OK(pool_open, &op);
	assert_true(op.first && op.epoch > epoch);
	epoch = op.epoch;
	op.claim = "run:bb";
	RUN_OK(pool_open, &op);
	assert_true(!op.first && op.epoch > epoch);
	epoch = op.epoch;
	op.claim = "run:aa"; /* a late repeat still is the first, and gets its own epoch */
	RUN_OK(pool_open, &op);
	assert_true(op.first && op.epoch > epoch);
}

/*
 * Redis may know a greater one: from an earlier version, which made epochs by the clock, or from an earlier database.
 */
ON_BENCH(an_epoch_is_greater_than_all_that_are_known)
{
	struct pool_open op = {.job = JOB, .tenant = "t", .name = "p", .claim = "run:aa", .known = 3000000000};

	RUN_OK(pool_open, &op);
	assert_int_equal(op.epoch, 3000000001);
	op.known = 5;
	RUN_OK(pool_open, &op);
	assert_int_equal(op.epoch, 3000000002);
	op.known = 3500000000;
	RUN_OK(pool_open, &op);
	assert_int_equal(op.epoch, 3500000001);
}

TEST_GROUP(pg_bench_start, NULL);
