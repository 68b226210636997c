/*
 * Batches written to the ledger: exactly once, with sums that agree, and with refusals that neither block nor vanish.
 */
#include <string.h>

#include <libpq-fe.h>

#include "base/observe/metrics.h"
#include "lib/test.h"
#include "pg_entries.h"
#include "pg_server.h"

static void make_items(struct ledger_item *items, int count, const char *prefix, const char *origin_prefix)
{
	for (int i = 0; i < count; i++) {
		struct entry entry;
		entry_example(&entry, &bench.arena, arena_printf(&bench.arena, "user-%d", i % 7),
			arena_printf(&bench.arena, "%s-%d", prefix, i));
		item_pack(&items[i], &bench.arena, &entry, arena_printf(&bench.arena, "%s:%d", origin_prefix, i));
		items[i].partition = i % 7;
	}
}

static void write_all(struct ledger_item *items, int count)
{
	struct ledger_write op;

	if (!ledger_write_wait(&op, items, count))
		fail_msg("%s", op.op.err.text);
}

static int fates(const struct ledger_item *items, int count, enum ledger_fate fate)
{
	int n = 0;

	for (int i = 0; i < count; i++)
		n += items[i].fate == fate;
	return n;
}

ON_BENCH(a_batch_is_written_once_however_often_it_comes)
{
	struct ledger_item items[100];

	make_items(items, 100, "once", "gen:once");
	write_all(items, 100);
	assert_int_equal(fates(items, 100, LEDGER_WRITTEN), 100);
	write_all(items, 100);
	assert_int_equal(fates(items, 100, LEDGER_REPEAT), 100);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT count(*) FROM ledger"), 100);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT sum(cost_nano) FROM usage_daily"), 100 * 1000);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT sum(rows) FROM usage_monthly"), 100);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT sum(input + output) FROM usage_windows WHERE kind = 1"),
		100 * 15);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT count(*) FROM token_buckets"), 7);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT count(*) FROM accounts WHERE version = 0"), 7);
}

ON_BENCH(the_same_key_from_another_origin_is_a_double_charge)
{
	struct ledger_item items[3];

	make_items(items, 2, "double", "gen:a");
	write_all(items, 1);
	make_items(items, 2, "double", "gen:b");
	/* And twice within one batch. */
	items[2] = items[1];
	items[2].origin = "gen:c";
	write_all(items, 3);
	assert_int_equal(items[0].fate, LEDGER_DOUBLE);
	assert_int_equal(items[1].fate, LEDGER_WRITTEN);
	assert_int_equal(items[2].fate, LEDGER_DOUBLE);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT sum(cost_nano) FROM usage_daily"), 2000);
}

/* It is tried with COPY, which fails as a whole; the second attempt looks at each row. */
ON_BENCH(a_batch_is_written_at_once_unless_a_row_exists)
{
	struct ledger_item items[30];
	int64_t refused = metric_value(METRIC_pg_errors_total, 0, 0);

	make_items(items, 30, "once", "gen:a");
	write_all(items, 20);
	assert_int_equal(fates(items, 20, LEDGER_WRITTEN), 20);
	assert_int_equal(metric_value(METRIC_pg_errors_total, 0, 0), refused);
	write_all(items + 10, 20);
	assert_int_equal(metric_value(METRIC_pg_errors_total, 0, 0), refused + 1);
	assert_int_equal(fates(items + 10, 10, LEDGER_REPEAT), 10);
	assert_int_equal(fates(items + 20, 10, LEDGER_WRITTEN), 10);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT sum(cost_nano) FROM usage_daily"), 30 * 1000);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT count(*) FROM ledger"), 30);
}

ON_BENCH(what_is_refused_goes_to_the_rejects_and_the_rest_gets_in)
{
	struct ledger_item items[20];
	struct entry entry;

	make_items(items, 20, "reject", "gen:r");
	items[3].bytes = (const uint8_t *)"garbage";
	items[3].len = 7;
	entry_example(&entry, &bench.arena, "bad-\xff\xfe", "utf8");
	item_pack(&items[11], &bench.arena, &entry, "gen:r:11");
	entry_example(&entry, &bench.arena, "user-1", "far");
	entry.started_at_us = INT64_C(4102444800000000);
	item_pack(&items[15], &bench.arena, &entry, "gen:r:15");
	write_all(items, 20);
	assert_int_equal(fates(items, 20, LEDGER_WRITTEN), 17);
	assert_int_equal(items[3].fate, LEDGER_REJECTED);
	assert_int_equal(items[11].fate, LEDGER_REJECTED);
	assert_int_equal(items[15].fate, LEDGER_REJECTED);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT count(*) FROM ledger_rejects"), 3);
	assert_string_equal(pg_server_ask(bench.db, "SELECT bytes FROM ledger_rejects WHERE origin = 'gen:r:3'"),
		"\\x67617262616765");
	write_all(items, 20);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT count(*) FROM ledger_rejects"), 3);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT sum(cost_nano) FROM usage_daily"), 17000);
}

ON_BENCH(every_sum_agrees_with_the_rows)
{
	struct ledger_item items[200];

	for (int i = 0; i < 200; i++) {
		struct entry entry;
		entry_example(&entry, &bench.arena, arena_printf(&bench.arena, "u%d", i % 3),
			arena_printf(&bench.arena, "sum-%d", i));
		entry.info.interface = i % 2 ? "telegram" : "discord";
		entry.info.tier = i % 9 ? i % 4 ? "free" : "pro" : "";
		entry.started_at_us -= i % 5 * INT64_C(86400000000);
		entry.amounts = (struct amounts){.requests = i % 4 != 0, .input = i, .output = 2 * i, .cost = 1000 + i};
		for (int meter = 0; meter < METER_COUNT; meter++)
			entry.usage.meters.count[meter] = i + meter;
		entry.usage.flags = i % 10 == 0 ? FLAG_UNPRICED : 0;
		entry.kind = i % 20 == 19 ? ENTRY_EXPIRY : ENTRY_RECORD;
		entry_groups(&entry, i % 7 ? arena_printf(&bench.arena, "team%d", i % 2) : NULL, i % 3 ? "org" : NULL);
		item_pack(&items[i], &bench.arena, &entry, arena_printf(&bench.arena, "gen:s:%d", i));
	}
	write_all(items, 200);
	assert_int_equal(fates(items, 200, LEDGER_WRITTEN), 200);
	const char *same =
		"SELECT (SELECT (count(*), sum(requests), sum(charged_input), sum(charged_output), sum(cost_nano), "
		"sum(input), "
		"sum(cached_input), sum(cache_write), sum(output), sum(reasoning), sum(audio_input), "
		"sum(audio_output), "
		"count(*) FILTER (WHERE flags & 1 = 1))::text FROM ledger) = (SELECT (sum(rows), sum(requests), "
		"sum(charged_input), sum(charged_output), sum(cost_nano), sum(input), sum(cached_input), "
		"sum(cache_write), "
		"sum(output), sum(reasoning), sum(audio_input), sum(audio_output), sum(unpriced))::text FROM "
		"usage_daily)";
	assert_string_equal(pg_server_ask(bench.db, same), "t");
	assert_string_equal(
		pg_server_ask(bench.db, "SELECT (SELECT sum(cost_nano) FROM usage_monthly) = (SELECT sum(cost_nano) "
					"FROM ledger) AND (SELECT count(DISTINCT day) FROM ledger) = 5"),
		"t");
	assert_int_equal(
		pg_server_ask_number(bench.db, "SELECT count(DISTINCT (kind, id)) FROM usage_shared_daily"), 6);
	assert_int_equal(pg_server_ask_number(bench.db, SHARED_DIFFERENCES), 0);
}

/* One user who is in a different team for every request: each team has what the user used while in it. */
ON_BENCH(use_stays_with_the_team_the_user_was_in)
{
	struct ledger_item items[2][2];

	for (int team = 0; team < 2; team++) {
		for (int i = 0; i < 2; i++) {
			struct entry entry;
			entry_example(&entry, &bench.arena, "mover", arena_printf(&bench.arena, "move-%d-%d", team, i));
			entry.amounts.cost = team ? 700 : 30;
			entry_groups(&entry, team ? "blue" : "red", NULL);
			item_pack(&items[team][i], &bench.arena, &entry,
				arena_printf(&bench.arena, "gen:m:%d", team * 2 + i));
		}
		write_all(items[team], 2);
	}
	assert_string_equal(
		pg_server_ask(bench.db, "SELECT string_agg(id || ' ' || cost, ', ' ORDER BY id) FROM (SELECT id, "
					"sum(cost_nano) AS cost FROM usage_shared_daily WHERE kind = 2 GROUP BY id) t"),
		"blue 1400, red 60");
}

ON_BENCH(a_reset_begins_windows_and_stays_out_of_the_roll_ups)
{
	struct ledger_item items[2];
	struct entry_lost lost = {.dimension = DIM_TOKENS, .used = 15};
	struct entry entry;

	entry_example(&entry, &bench.arena, "reset-user", "r1");
	item_pack(&items[0], &bench.arena, &entry, "gen:reset:0");
	entry_example(&entry, &bench.arena, "reset-user", "r2");
	entry.kind = ENTRY_RESET;
	entry.amounts = (struct amounts){0};
	entry.info.actor = "alice";
	entry.info.reason = "goodwill";
	entry.part[0].window_start[WINDOW_DAY]++;
	entry.losts = 1;
	entry.lost = &lost;
	item_pack(&items[1], &bench.arena, &entry, "gen:reset:1");
	write_all(items, 2);
	assert_int_equal(pg_server_ask_number(bench.db,
				 "SELECT sum(requests) FROM usage_windows WHERE kind = 1 AND starts_at_us >= "
				 "(SELECT max(starts_at_us) FROM usage_windows WHERE shard = -1)"),
		0);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT sum(requests) FROM usage_windows WHERE kind = 1"), 1);
	assert_int_equal(pg_server_ask_number(bench.db, "SELECT sum(rows) FROM usage_daily"), 1);
	assert_string_equal(pg_server_ask(bench.db, "SELECT note FROM ledger WHERE entry = 2"), "alice: goodwill");
	assert_int_equal(
		pg_server_ask_number(bench.db,
			"SELECT (before->'windows'->0->>'used')::int FROM audit_log WHERE action = 'account.reset'"),
		15);
}

/* As entries of the previous release are read: they name no windows. */
ON_BENCH(an_entry_without_windows_counts_in_those_of_the_account_s_zone)
{
	static const char *const zones[] = {"", "Asia/Tokyo", "America/New_York"};
	struct ledger_item items[3];
	struct entry entry;

	for (int i = 0; i < 3; i++) {
		const char *user = arena_printf(&bench.arena, "older-%d", i);

		assert_true(pg_server_exec(
			bench.db, arena_printf(&bench.arena,
					  "INSERT INTO accounts (tenant, kind, id, zone) VALUES ('t', 1, '%s', '%s')",
					  user, zones[i])));
		entry_example(&entry, &bench.arena, user, "r");
		memset(entry.part[0].window_start, 0, sizeof(entry.part[0].window_start));
		item_pack(&items[i], &bench.arena, &entry, arena_printf(&bench.arena, "gen:older:%d", i));
	}
	write_all(items, 3);
	assert_int_equal(
		pg_server_ask_number(bench.db,
			"SELECT count(*) FROM usage_windows w JOIN accounts a USING (tenant, kind, id) JOIN ledger l "
			"ON l.user_id = a.id JOIN (VALUES (0, 'day'), (1, 'week'), (2, 'month')) u (unit, name) USING "
			"(unit) WHERE w.requests = 1 AND w.starts_at_us = 1000000 * extract(epoch FROM "
			"date_trunc(u.name, "
			"l.started_at AT TIME ZONE coalesce(nullif(a.zone, ''), 'UTC')) AT TIME ZONE "
			"coalesce(nullif(a.zone, ''), 'UTC'))"),
		9);
}

ON_BENCH(a_stranger_counts_on_the_groups_that_the_ledger_finds)
{
	struct ledger_item items[2];
	struct entry entry;

	assert_true(pg_server_exec(bench.db,
		"INSERT INTO accounts (tenant, kind, id, team, org) VALUES ('t', 2, 'blue', '', 'acme'), "
		"('t', 1, 'stranger', 'blue', '')"));
	for (int i = 0; i < 2; i++) {
		entry_example(&entry, &bench.arena, i ? "nobody" : "stranger", "r");
		entry.info.accounts = 1;
		entry.info.groups_unknown = true;
		item_pack(&items[i], &bench.arena, &entry, arena_printf(&bench.arena, "gen:stranger:%d", i));
	}
	write_all(items, 2);
	write_all(items, 2);
	assert_string_equal(
		pg_server_ask(bench.db,
			"SELECT string_agg(user_id || ':' || team || ':' || org, ' ' ORDER BY user_id) FROM ledger"),
		"nobody:: stranger:blue:acme");
	assert_string_equal(pg_server_ask(bench.db, "SELECT string_agg(kind || ':' || id || ':' || requests, ' ' ORDER "
						    "BY kind, id) FROM usage_windows "
						    "WHERE unit = 0 AND kind IN (2, 3)"),
		"2:blue:1 3:acme:1");
	assert_int_equal(
		pg_server_ask_number(bench.db, "SELECT sum(requests) FROM usage_shared_daily WHERE kind = 2"), 1);
}

ON_BENCH(of_two_bucket_levels_the_newer_one_counts)
{
	struct ledger_item items[2];
	struct entry entry;

	for (int i = 0; i < 2; i++) {
		entry_example(&entry, &bench.arena, "b", arena_printf(&bench.arena, "b%d", i));
		entry.part[0].clock_us = INT64_C(1000000000) - i;
		entry.part[0].bucket[0].full_at_us = INT64_C(2000000000) + i;
		item_pack(&items[i], &bench.arena, &entry, arena_printf(&bench.arena, "gen:b:%d", i));
	}
	write_all(items, 1);
	write_all(items + 1, 1);
	assert_int_equal(
		pg_server_ask_number(bench.db, "SELECT full_at_us FROM token_buckets WHERE id = 'b'"), 2000000000);
}

ON_BENCH(a_partition_held_by_another_writer_is_left_alone)
{
	struct ledger_item items[14];

	make_items(items, 14, "busy", "gen:busy");
	PGconn *other = PQconnectdb(bench.db);
	PQclear(PQexec(other, "BEGIN; SELECT pg_advisory_xact_lock(1651864435, 3)"));
	write_all(items, 14);
	assert_int_equal(fates(items, 14, LEDGER_WRITTEN), 12);
	assert_int_equal(items[3].fate, LEDGER_BUSY);
	assert_int_equal(items[10].fate, LEDGER_BUSY);
	PQfinish(other);
	write_all(items, 14);
	assert_int_equal(fates(items, 14, LEDGER_REPEAT), 12);
	assert_int_equal(fates(items, 14, LEDGER_WRITTEN), 2);
}

ON_BENCH(a_dropped_partition_is_created_again)
{
	struct ledger_item items[2];

	make_items(items, 2, "drop", "gen:drop");
	write_all(items, 1);
	assert_true(pg_server_exec(bench.db, "SELECT ledger_retire('2100-01-01')"));
	write_all(items + 1, 1);
	assert_int_equal(items[1].fate, LEDGER_WRITTEN);
}

ON_BENCH(upkeep_makes_days_ahead_and_drops_old_ones)
{
	struct ledger_upkeep op = {.op = LEDGER_OP, .retention_days = 30, .today_us = INT64_C(1795392000000000)};

	assert_true(pg_server_exec(bench.db, "SELECT ledger_partition('2026-09-01'), ledger_partition('2026-10-24')"));
	RUN_LEDGER(upkeep, &op);
	assert_true(op.op.ok);
	assert_int_equal(op.made, 12);
	assert_int_equal(op.dropped, 1);
	assert_string_equal(pg_server_ask(bench.db,
				    "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relname ~ "
				    "'^ledger_[0-9]{8}$' AND relname < 'ledger_20261117'"),
		"ledger_20261024 ledger_20261115 ledger_20261116");
}

ON_BENCH(a_lease_has_one_holder_and_a_fence_that_rises)
{
	struct ledger_lease op = {.op = LEDGER_OP, .name = "upkeep", .holder = "a", .ttl_us = 60000000};
	static const struct {
		const char *holder;
		bool held;
		int fence;
	} steps[] = {
		{"a", true, 1}, {"b", false, 0}, {"a", true, 1}, {NULL, false, 0}, {"b", true, 2}, {"a", false, 0}};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (!steps[i].holder) {
			assert_true(pg_server_exec(bench.db, "UPDATE leases SET until = now() - interval '1 second'"));
			continue;
		}
		op.holder = steps[i].holder;
		op.op.deadline_us = 0;
		RUN_LEDGER(lease, &op);
		assert_true(op.op.ok);
		assert_int_equal(op.held, steps[i].held);
		assert_int_equal(op.fence, steps[i].fence);
	}
}

ON_BENCH(the_windows_that_may_run_are_listed_page_by_page)
{
	const int64_t day_us = INT64_C(86400000000);
	struct ledger_windows op = {.op = LEDGER_OP, .now_us = 100 * day_us, .limit = 2};

	assert_true(pg_server_exec(bench.db,
		"INSERT INTO usage_windows SELECT 't', k, id, unit, starts * 86400000000, 'web', 'm', shard, n, 0, 0, "
		"0 FROM "
		"(VALUES (1, 'a', 0, 99, 0, 6), (1, 'a', 0, 96, 0, 5), (1, 'a', 1, 96, 0, 7), (1, 'b', 2, 66, 0, 8), "
		"(1, 'c', 0, 99, 3, 9), (1, 'c', 0, 99, 4, 1), (2, 'a', 0, 99, 0, 10)) AS v (k, id, unit, starts, "
		"shard, n)"));
	RUN_LEDGER(windows, &op);
	assert_true(op.op.ok && op.more);
	assert_int_equal(op.count, 2);
	assert_int_equal(op.row[0].count, 2);
	assert_int_equal(
		usage_of(op.row[0].window, op.row[0].count, WINDOW_DAY, DIM_REQUESTS, 0, 0, 98 * day_us, op.now_us), 6);
	assert_string_equal(op.row[1].key.id, "c");
	assert_int_equal(usage_of(op.row[1].window, op.row[1].count, WINDOW_DAY, DIM_REQUESTS, selector_hash("web", 3),
				 selector_hash("m", 1), 98 * day_us, op.now_us),
		10);
	op.after = op.row[1].key;
	RUN_LEDGER(windows, &op);
	assert_int_equal(op.count, 1);
	assert_int_equal(op.row[0].key.kind, ACCOUNT_TEAM);
	assert_false(op.more);
}

ON_BENCH(without_postgresql_a_batch_fails_and_gets_in_later)
{
	struct ledger_item items[10];
	struct ledger_write op;

	make_items(items, 10, "away", "gen:away");
	write_all(items, 5);
	pg_server_crash();
	assert_false(ledger_write_wait(&op, items, 10));
	assert_int_equal(op.op.err.code, ERR_UNAVAILABLE);
	pg_server_revive();
	for (int i = 0; i < 1500 && !ledger_write_wait(&op, items, 10); i++)
		uv_sleep(20);
	assert_int_equal(fates(items, 10, LEDGER_REPEAT), 5);
	assert_int_equal(fates(items, 10, LEDGER_WRITTEN), 5);
}

TEST_GROUP(pg_bench_start, NULL);
