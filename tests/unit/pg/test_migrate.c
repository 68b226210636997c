/* Migrations: up, down and up again on filled data; a changed or unknown migration stops the server. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "lib/test.h"
#include "pg/link/migrate.h"
#include "pg/link/rows.h"
#include "pg_entries.h"
#include "pg_server.h"

static struct buf out;
static struct err err;

static void run(const char *conninfo, enum migrate_action action)
{
	buf_reset(&out);
	if (!migrate_run(conninfo, action, &out, &err))
		fail_msg("%s", err.text);
}

TEST(all_migrations_go_up_down_and_up_on_filled_data)
{
	const char *db = pg_server_migrated("updown");

	assert_true(pg_server_exec(db,
		"INSERT INTO accounts (tenant, kind, id) SELECT 't', 1, 'u' || i FROM generate_series(1, 100) i;"
		"INSERT INTO account_limits (tenant, account_kind, account_id, position, name, dimension, kind, "
		"amount) "
		"VALUES ('t', 1, 'u1', 0, 'x', 0, 1, 5);"
		"SELECT ledger_partition('2026-11-23');"
		"INSERT INTO audit_log (tenant, actor, action, target, reason) VALUES ('t', 'a', 'b', 'c', 'd');"
		"INSERT INTO usage_daily SELECT 't', 'u' || i, '2026-11-23', 'web', 'p', 'm', 1, 1, 1, 1, 1, 1, 1, 1, "
		"1, 1, 1, 1, 1 "
		"FROM generate_series(1, 100) i"));
	for (size_t i = 0; i < embedded_migrations_count; i++)
		run(db, MIGRATE_DOWN);
	assert_int_equal(pg_server_ask_number(db, "SELECT count(*) FROM schema_migrations"), 0);
	assert_int_equal(pg_server_ask_number(db, "SELECT count(*) FROM pg_class WHERE relnamespace = "
						  "'public'::regnamespace AND relkind IN ('r', 'p', 'S') "
						  "AND relname <> 'schema_migrations'"),
		0);
	run(db, MIGRATE_DOWN);
	assert_string_equal(buf_str(&out), "nothing to revert\n");
	run(db, MIGRATE_UP);
	assert_int_equal(pg_server_ask_number(db, "SELECT count(*) FROM schema_migrations"),
		(long long)embedded_migrations_count);
	assert_true(migrate_check(db, &err));
}

static int position_of(const char *name)
{
	for (size_t i = 0; i < embedded_migrations_count; i++)
		if (strcmp(embedded_migrations[i].name, name) == 0)
			return (int)i;
	fail_msg("no migration %s", name);
	return 0;
}

/* Rows written before there was a roll-up of groups; the oldest one in usage_daily has left the ledger. */
TEST(the_shared_roll_up_is_filled_from_what_there_is)
{
	const char *db = pg_server_database("backfill");

	buf_reset(&out);
	size_t before = (size_t)position_of("shared_usage");
	assert_true(migrate_run_table(db, MIGRATE_UP, embedded_migrations, before, &out, &err));
	assert_true(pg_server_exec(db,
		"SELECT ledger_partition(d::date) FROM generate_series(date '2026-11-20', '2026-11-23', '1 day') d;"
		"INSERT INTO ledger SELECT date '2026-11-20' + i % 4, 't' || i % 2, 'u' || i % 9, 'r' || i, 0, "
		"CASE WHEN i % 50 = 0 THEN 2 WHEN i % 11 = 0 THEN 1 ELSE 0 END, i % 2, now(), now(), 0, 1, i, 2 * i, "
		"1000 + i, "
		"i, 1, 2, 3, 4, 5, 6, 'o' || i, CASE WHEN i % 3 = 0 THEN 'web' ELSE 'api' END, 'checked', "
		"CASE WHEN i % 5 = 0 THEN 'served' ELSE '' END, 'p', CASE WHEN i % 7 = 0 THEN 'priced' ELSE '' END, "
		"'', "
		"'free', CASE WHEN i % 4 = 0 THEN '' ELSE 'team' || i % 4 END, CASE WHEN i % 2 = 0 THEN 'org' ELSE '' "
		"END, '' "
		"FROM generate_series(1, 500) i;"
		"INSERT INTO usage_daily SELECT tenant, user_id, day, interface, provider, "
		"CASE WHEN price_model <> '' THEN price_model WHEN model <> '' THEN model ELSE model_checked END, "
		"count(*), "
		"sum(requests), sum(charged_input), sum(charged_output), sum(cost_nano), sum(input), "
		"sum(cached_input), "
		"sum(cache_write), sum(output), sum(reasoning), sum(audio_input), sum(audio_output), sum(flags & 1) "
		"FROM ledger WHERE entry <> 2 GROUP BY 1, 2, 3, 4, 5, 6;"
		"INSERT INTO usage_daily SELECT 't0', 'gone', '2025-01-31', 'web', 'p', 'm', 1, 1, 1, 1, 777, 1, 1, 1, "
		"1, "
		"1, 1, 1, 1"));
	run(db, MIGRATE_UP);
	assert_int_equal(pg_server_ask_number(db, "SELECT sum(cost_nano) FROM usage_shared_daily WHERE tenant = 't0' "
						  "AND kind = 5 AND id = 't0' AND day = '2025-01-31'"),
		777);
	assert_true(pg_server_exec(db, "DELETE FROM usage_shared_daily WHERE day = '2025-01-31'"));
	/* Of what was used by then, no tier is kept. */
	assert_true(pg_server_exec(db, "UPDATE ledger SET tier = ''"));
	assert_int_equal(pg_server_ask_number(db, SHARED_DIFFERENCES), 0);
	assert_int_equal(
		pg_server_ask_number(db, "SELECT count(DISTINCT (tenant, kind, id)) FROM usage_shared_daily"), 6);
}

static const char *tiers(const char *db)
{
	return pg_server_ask(db,
		"SELECT string_agg(concat_ws(' ', tier, day, rows, cost), ', ' ORDER BY tier, day) FROM "
		"(SELECT tier, day, sum(rows) AS rows, sum(cost_nano) AS cost FROM usage_tiers_daily "
		"WHERE tenant = 't' GROUP BY 1, 2 HAVING sum(rows) <> 0) s");
}

static void use_shared(const char *db, int kind, const char *id, const char *day, int cost)
{
	struct buf sql = {0};

	buf_putf(&sql,
		"INSERT INTO usage_shared_daily SELECT 't', %d, '%s', '%s', 'p', 'm', 'web', 0, 1, 1, 1, 1, %d, 1, 1, 1, 1, 1, "
		"1, 1, 0",
		kind, id, day, cost);
	assert_true(pg_server_exec(db, buf_str(&sql)));
	buf_release(&sql);
}

/* What was used before, and what an older bursard writes beside the newer ones, is of no tier; back and forth nothing else is lost. */
TEST(use_from_before_tiers_were_kept_is_of_a_tier_that_is_not_known)
{
	const char *db = pg_server_database("tiers");
	size_t before = (size_t)position_of("tiers");

	buf_reset(&out);
	assert_true(migrate_run_table(db, MIGRATE_UP, embedded_migrations, before, &out, &err));
	use_shared(db, 5, "t", "2026-11-20", 700);
	use_shared(db, 2, "red", "2026-11-20", 700);
	assert_false(pg_server_exec(db, "UPDATE usage_shared_daily SET kind = 6 WHERE kind = 2"));
	assert_true(migrate_run_table(db, MIGRATE_UP, embedded_migrations, before + 1, &out, &err));
	assert_string_equal(tiers(db), " 2026-11-20 1 700");
	use_shared(db, 5, "t", "2026-11-23", 50);
	use_shared(db, 6, "pro", "2026-11-23", 30);
	assert_string_equal(tiers(db), " 2026-11-20 1 700, pro 2026-11-23 1 30");
	run(db, MIGRATE_DOWN);
	assert_int_equal(pg_server_ask_number(db, "SELECT sum(cost_nano) FROM usage_shared_daily WHERE kind = 5"), 750);
	run(db, MIGRATE_UP);
	assert_string_equal(tiers(db), " 2026-11-20 1 700,  2026-11-23 1 50");
}

/* A time zone changed before windows were kept now keeps those that were running then. */
TEST(the_windows_of_a_change_of_zone_are_kept)
{
	static const char *const zones[] = {
		"UTC", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Kiritimati", "America/New_York"};
	const int64_t hour_us = INT64_C(3600000000), now_us = clock_wall_us();
	const char *db = pg_server_database("zones");
	struct buf sql = {0};

	buf_reset(&out);
	assert_true(
		migrate_run_table(db, MIGRATE_UP, embedded_migrations, (size_t)position_of("zone_kept"), &out, &err));
	for (int64_t i = 0; i < 30; i++)
		buf_putf(&sql,
			"INSERT INTO accounts (tenant, kind, id, zone, zone_previous, zone_changed_at_us) VALUES ('t', "
			"1, 'u%d', "
			"'Asia/Tokyo', '%s', %" PRId64 ");",
			(int)i, zones[i % 5], now_us - i * 17 * hour_us);
	buf_putf(&sql,
		"INSERT INTO accounts (tenant, kind, id, zone, zone_previous, zone_changed_at_us) VALUES ('t', 1, "
		"'unknown', '', "
		"'No/Where', %" PRId64
		"), ('t', 1, 'long ago', '', 'Asia/Tokyo', 5), ('t', 1, 'never', 'Asia/Tokyo', '', 0)",
		now_us);
	assert_true(pg_server_exec(db, buf_str(&sql)));
	run(db, MIGRATE_UP);
	for (int64_t i = 0; i < 30; i++) {
		struct zone zone = {0};
		char kept[ZONE_KEPT_TEXT_MAX];

		snprintf(zone.name, sizeof(zone.name), "%s", zones[i % 5]);
		zone_put(&zone, "Asia/Tokyo", true, now_us - i * 17 * hour_us);
		for (int u = 0; u < WINDOW_COUNT; u++)
			zone.kept[u][2] = 0; /* the old way kept no second one */
		zone_kept_text(&zone, kept);
		buf_reset(&sql);
		buf_putf(&sql, "SELECT count(*) FROM accounts WHERE id = 'u%d' AND zone_kept_us = '%s'", (int)i, kept);
		assert_int_equal(pg_server_ask_number(db, buf_str(&sql)), 1);
	}
	assert_int_equal(pg_server_ask_number(db, "SELECT count(*) FROM accounts WHERE zone_kept_us = '{}'"), 2);
	assert_int_equal(
		pg_server_ask_number(db, "SELECT cardinality(zone_kept_us) FROM accounts WHERE id = 'unknown'"), 9);
	buf_release(&sql);
}

/* "input from_us" of the general prices of a model, in order; a time of today is "now". */
static const char *prices_of(const char *db, const char *model)
{
	const char *shown;
	struct buf sql = {0};

	buf_putf(&sql,
		"SELECT coalesce(string_agg(input / 1000 || ' ' || CASE WHEN from_us > (extract(epoch FROM now()) - 3600) "
		"* 1000000 THEN 'now' ELSE to_timestamp(from_us / 1000000)::date::text END, ', ' ORDER BY from_us), '') "
		"FROM model_prices WHERE tenant = '' AND account = '' AND provider IN ('openai', 'anthropic') AND model = "
		"'%s'",
		model);
	shown = pg_server_ask(db, buf_str(&sql));
	buf_release(&sql);
	return shown;
}

/* The list of 2026-08 with what an admin has done to it, and a request that was charged. */
static const char *old_prices(const char *name)
{
	const char *db = pg_server_database(name);

	buf_reset(&out);
	assert_true(
		migrate_run_table(db, MIGRATE_UP, embedded_migrations, (size_t)position_of("price_list"), &out, &err));
	assert_true(pg_server_exec(db,
		"UPDATE model_prices SET output = 1 WHERE model = 'gpt-4o';"
		"UPDATE model_prices SET to_us = 1790000000000000 WHERE model = 'o3-mini';"
		"DELETE FROM model_prices WHERE model = 'gpt-4';"
		"INSERT INTO model_prices (tenant, provider, model, input) VALUES ('t', 'openai', 'gpt-5.6', 7);"
		"INSERT INTO model_prices (provider, model, input) VALUES ('openai', 'gpt-6-sol', 8000)"));
	return db;
}

#define GENERAL "SELECT count(*) FROM model_prices WHERE tenant = '' AND account = '' AND provider = 'openai'"

TEST(shipped_prices_follow_the_list_and_those_of_admins_stay)
{
	const char *db = old_prices("price_list");

	assert_true(pg_server_exec(db,
		"SELECT ledger_partition('2026-11-20'); INSERT INTO ledger SELECT '2026-11-20', 't', 'u', 'r', 0, 0, 0, now(), "
		"now(), 0, 1, 1, 1, 1, 1, 0, 0, 1, 0, 0, 0, '', '', 'm', '', 'p', 'm', '', '', '', '', ''"));
	run(db, MIGRATE_UP);
	assert_string_equal(prices_of(db, "gpt-5.6"), "5000 1970-01-01, 4000 2026-08-21");
	assert_string_equal(prices_of(db, "claude-sonnet-5"), "2000 1970-01-01, 3000 2026-09-01, 2000 now");
	assert_string_equal(prices_of(db, "gpt-4.1"), "2000 1970-01-01, 2000 now");
	assert_string_equal(prices_of(db, "claude-3-haiku-20240307"), "250 1970-01-01");
	assert_string_equal(prices_of(db, "gpt-6-astra"), "10000 1970-01-01");
	assert_string_equal(prices_of(db, "gpt-4"), "30000 1970-01-01");
	assert_string_equal(prices_of(db, "gpt-6-sol"), "8 1970-01-01");
	assert_int_equal(pg_server_ask_number(db, GENERAL " AND model = 'gpt-4o' AND output = 1 AND to_us = 0"), 1);
	assert_int_equal(pg_server_ask_number(db, GENERAL " AND model = 'o3-mini' AND to_us = 1790000000000000"), 1);
	assert_int_equal(pg_server_ask_number(db, GENERAL " AND model IN ('gpt-4o', 'o3-mini')"), 2);
	assert_int_equal(pg_server_ask_number(db, "SELECT input FROM model_prices WHERE tenant = 't'"), 7);
	assert_int_equal(
		pg_server_ask_number(db, GENERAL
			" AND EXISTS (SELECT FROM model_prices q WHERE q.tenant = '' AND q.account = '' AND "
			"q.provider = model_prices.provider AND q.model = model_prices.model AND q.id <> "
			"model_prices.id AND q.from_us < coalesce(nullif(model_prices.to_us, 0), q.from_us + 1) "
			"AND model_prices.from_us < coalesce(nullif(q.to_us, 0), model_prices.from_us + 1))"),
		0);
	assert_true(pg_server_exec(
		db, "UPDATE model_prices SET input = 1000, created_at = 'epoch' WHERE model = 'gpt-6-luna'"));
	while (!strstr(buf_str(&out), "reverted 0018_price_list"))
		run(db, MIGRATE_DOWN);
	assert_string_equal(prices_of(db, "gpt-5.6"), "5000 1970-01-01");
	assert_string_equal(prices_of(db, "claude-sonnet-5"), "2000 1970-01-01, 3000 2026-09-01");
	assert_string_equal(prices_of(db, "gpt-6-astra"), "");
	assert_string_equal(prices_of(db, "gpt-6-luna"), "1 1970-01-01");
	assert_int_equal(pg_server_ask_number(db, GENERAL " AND model = 'gpt-4o' AND output = 1"), 1);
}

TEST(where_nothing_was_charged_the_list_takes_the_place_of_the_old_one)
{
	const char *db = old_prices("price_list_new");

	run(db, MIGRATE_UP);
	assert_string_equal(prices_of(db, "claude-sonnet-5"), "2000 1970-01-01");
	assert_string_equal(prices_of(db, "gpt-4.1"), "2000 1970-01-01");
	assert_int_equal(pg_server_ask_number(db, GENERAL " AND model = 'gpt-4o' AND output = 1 AND to_us = 0"), 1);
}

/* What to do with unknown models, and how they are charged, after the migration of a database in which that happened. */
static const char *unknown_after(const char *name, const char *happened)
{
	static char told[256];
	const char *db = pg_server_database(name);
	size_t before = (size_t)position_of("model_families");

	buf_reset(&out);
	assert_true(migrate_run_table(db, MIGRATE_UP, embedded_migrations, before, &out, &err));
	assert_true(pg_server_exec(db, happened));
	assert_true(migrate_run_table(db, MIGRATE_UP, embedded_migrations, before + 1, &out, &err));
	snprintf(told, sizeof(told), "%s",
		pg_server_ask(db,
			"SELECT string_agg(concat_ws(' ', id, unknown_model, fallback_model), ', ' ORDER BY id) FROM "
			"tenants"));
	return told;
}

TEST(only_settings_that_nobody_has_put_let_new_models_run)
{
	assert_string_equal(unknown_after("unknown0", "SELECT"), "default 4 anthropic/claude-fable-5");
	/* A change of a tier touches the row too. */
	assert_string_equal(
		unknown_after("unknown1",
			"UPDATE tenants SET epoch = epoch + 1, updated_at = now() + interval '1 s'; INSERT INTO tenants (id) "
			"VALUES ('acme')"),
		"acme 1 , default 4 anthropic/claude-fable-5");
	assert_string_equal(unknown_after("unknown2",
				    "INSERT INTO audit_log (tenant, actor, action, target, reason) VALUES ('default', "
				    "'ann', 'tenant.put', 'default', '')"),
		"default 1 ");
	assert_string_equal(unknown_after("unknown3", "UPDATE tenants SET unknown_model = 3"), "default 3 ");
	assert_string_equal(
		unknown_after("unknown4", "UPDATE tenants SET unknown_model = 2, fallback_model = 'gpt-4o'"),
		"default 2 gpt-4o");
}

TEST(settings_without_families_keep_to_their_fallback)
{
	const char *db = pg_server_database("unfamily");
	size_t before = (size_t)position_of("model_families");

	buf_reset(&out);
	assert_true(migrate_run_table(db, MIGRATE_UP, embedded_migrations, before + 1, &out, &err));
	assert_true(pg_server_exec(db,
		"INSERT INTO tenants (id, unknown_model, fallback_model) VALUES ('a', 4, 'gpt-4o'), ('b', 4, ''), ('c', "
		"3, '')"));
	assert_true(migrate_run_table(db, MIGRATE_DOWN, embedded_migrations, before + 1, &out, &err));
	assert_string_equal(
		pg_server_ask(db,
			"SELECT string_agg(concat_ws(' ', id, unknown_model, fallback_model), ', ' ORDER BY id) FROM "
			"tenants"),
		"a 2 gpt-4o, b 1 , c 3 , default 1 ");
}

TEST(running_up_twice_is_harmless)
{
	const char *db = pg_server_migrated("twice");

	run(db, MIGRATE_UP);
	assert_non_null(strstr(buf_str(&out), "up to date"));
	run(db, MIGRATE_STATUS);
	assert_non_null(strstr(buf_str(&out), "applied  0001_schema"));
}

static const struct embedded_migration two[] = {
	{1, "one", "CREATE TABLE one (a int)", "DROP TABLE one"},
	{2, "two", "CREATE TABLE two (a int)", "DROP TABLE two"},
};
static const struct embedded_migration changed[] = {
	{1, "one", "CREATE TABLE one (a bigint)", "DROP TABLE one"},
	{2, "two", "CREATE TABLE two (a int)", "DROP TABLE two"},
};
static const struct embedded_migration broken[] = {
	{1, "one", "CREATE TABLE one (a int)", "DROP TABLE one"},
	{2, "two", "CREATE TABLE two (a int); SELECT 1/0", "DROP TABLE two"},
};

TEST(a_changed_migration_is_refused_with_a_sentence)
{
	const char *db = pg_server_database("changed");

	assert_true(migrate_run_table(db, MIGRATE_UP, two, 2, &out, &err));
	assert_false(migrate_run_table(db, MIGRATE_UP, changed, 2, &out, &err));
	assert_int_equal(err.code, ERR_PRECONDITION);
	assert_non_null(strstr(err.text, "0001_one was changed"));
	assert_false(migrate_check_table(db, changed, 2, &err));
	assert_int_equal(err.code, ERR_PRECONDITION);
}

TEST(an_unknown_migration_is_refused_with_a_sentence)
{
	const char *db = pg_server_database("unknown");

	assert_true(migrate_run_table(db, MIGRATE_UP, two, 2, &out, &err));
	assert_false(migrate_check_table(db, two, 1, &err));
	assert_non_null(strstr(err.text, "0002_two, which this bursard does not know"));
}

TEST(a_missing_migration_is_reported_at_start)
{
	const char *db = pg_server_database("missing");

	assert_false(migrate_check_table(db, two, 2, &err));
	assert_non_null(strstr(err.text, "run `bursard migrate up`"));
}

TEST(a_migration_that_fails_leaves_nothing_behind)
{
	const char *db = pg_server_database("broken");

	assert_false(migrate_run_table(db, MIGRATE_UP, broken, 2, &out, &err));
	assert_non_null(strstr(err.text, "migration 0002_two: "));
	assert_int_equal(pg_server_ask_number(db, "SELECT count(*) FROM schema_migrations"), 1);
	assert_string_equal(pg_server_ask(db, "SELECT to_regclass('two') IS NULL"), "t");
}

TEST(an_absent_server_is_unavailable)
{
	assert_false(migrate_check("host=/nowhere dbname=x", &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_false(migrate_check("nonsense=1", &err));
	assert_int_equal(err.code, ERR_INVALID);
}

static int start(void **state)
{
	(void)state;
	pg_server_start();
	return 0;
}

static int end(void **state)
{
	(void)state;
	buf_release(&out);
	return 0;
}

TEST_GROUP(start, end);
