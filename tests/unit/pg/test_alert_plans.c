/*
 * The statements of alerts that run all the time, on tables with many rows: they find theirs by an index. Nothing is timed: PostgreSQL
 * counts how often it has read a table from its beginning to its end.
 */
#include <stdio.h>

#include "alert_bench.h"
#include "base/clock.h"
#include "lib/test.h"
#include "pg/admin/admin.h"
#include "pg/alerts/alerts.h"

#define ROWS "generate_series(1, 10000) n"
/* Those that grow with an installation; the others are small, or are emptied as fast as they are filled. */
#define TABLES \
	"'{accounts,account_limits,usage_windows,usage_daily,usage_shared_daily,alert_fired,alert_events,alert_deliveries,alert_attempts}'"
#define SCANS(counter) "SELECT coalesce(sum(" counter "), 0) FROM pg_stat_user_tables WHERE relname = ANY (" TABLES ")"

#define DAY_COLUMNS \
	"rows, requests, charged_input, charged_output, cost_nano, input, cached_input, cache_write, output, reasoning, audio_input, " \
	"audio_output, unpriced"
#define DAY_VALUES "1, 1, 1, 1, 2000000000, 1, 1, 1, 1, 1, 1, 1, 0"
#define DAY "date '2026-11-23' - (n % 20)::int"

static const char *const rows[] = {
	"INSERT INTO accounts (tenant, kind, id, tier) SELECT 'acme', 1, 'u' || n, 'pro' FROM " ROWS,
	"INSERT INTO account_limits (tenant, account_kind, account_id, position, name, dimension, kind, unit, amount) SELECT 'acme', 1, 'u' || n, "
	"0, 'quota', 0, 1, 0, 7 FROM " ROWS,
	"INSERT INTO usage_windows (tenant, kind, id, unit, starts_at_us, interface, model, shard, requests, input, output, cost_nano) SELECT "
	"'acme', 1, 'u' || n, 0, 1795392000000000, '', '', 0, 5, 0, 0, 0 FROM " ROWS,
	"INSERT INTO usage_daily (tenant, user_id, day, interface, provider, model, " DAY_COLUMNS
	") SELECT 'acme', 'u' || n / 20, " DAY ", '', 'p', 'm', " DAY_VALUES " FROM " ROWS,
	"INSERT INTO usage_shared_daily (tenant, kind, id, day, interface, provider, model, shard, " DAY_COLUMNS
	") SELECT 'acme', 2, 't' || n / 20, " DAY ", '', 'p', 'm', 0, " DAY_VALUES " FROM " ROWS,
	"INSERT INTO alert_fired (tenant, account_kind, account, rule, key, window_us, point, used, expires_at) SELECT 'acme', 1, 'u' || n, 'users', "
	"'quota:50%', 0, 4, 5, " NOW_SQL " FROM " ROWS,
	"INSERT INTO alert_events (id, seq, at, tenant, rule, kind, severity, account_kind, account) SELECT 1000 + n, n, " NOW_SQL
	", 'acme', 'users', 1, 1, 1, 'u' || n FROM " ROWS,
	"INSERT INTO alert_deliveries (message_id, tenant, channel, events, state, created_at, give_up_at, next_at, ended_at) SELECT 'old' || n, 'acme', "
	"'ch' || n % 50, ARRAY[1000 + n], 2, " NOW_SQL ", " NOW_SQL ", " NOW_SQL ", " NOW_SQL " FROM " ROWS,
	"INSERT INTO alert_attempts SELECT id, 1, " NOW_SQL ", 1, 204, '' FROM alert_deliveries",
	"INSERT INTO alert_due (tenants, kinds, ids) VALUES ('{acme,acme,acme}', '{1,1,2}', '{u7,u8,t7}')",
	"SELECT setval('alert_events_id_seq', 100000), setval('alert_seq', 100000)",
	"ANALYZE",
};

static struct pg_link one_link;

/* What is counted is published at once. */
static void published(void)
{
	struct err err;

	one_link.deadline_us = clock_mono_us() + 60 * SECOND_US;
	assert_true(
		pg_link_ready(&one_link, &err) && pg_exec(&one_link, "SELECT pg_stat_force_next_flush()", NULL, &err));
}

/* Runs one as the stores do; none of its statements may read a whole table. */
#define RUN_BY_INDEX(operation, op) \
	do { \
		struct err err = {0}; \
		published(); \
		if (!(operation)((op), &one_link, &err)) \
			fail_msg(#operation ": %s", err.text); \
		pg_link_tidy(&one_link); \
		published(); \
		if (ask_number(SCANS("seq_scan")) > 0) \
			fail_msg(#operation " has read the whole of %s", \
				ask("SELECT string_agg(relname, ', ') FROM pg_stat_user_tables WHERE seq_scan > 0 AND " \
				    "relname = ANY (" TABLES ")")); \
	} while (0)

static bool judge(struct alerts_evaluate *op, struct err *err)
{
	static struct alert_firing firing;

	(void)err;
	firing = (struct alert_firing){.event = alert_event_of(ALERT_THRESHOLD, "acme"),
		.key = "quota:80%",
		.point = 5,
		.used = 5,
		.expires_at_us = NOW + DAY_US};
	firing.event.rule = "users";
	firing.event.at_us = NOW;
	firing.event.account_kind = ACCOUNT_USER;
	firing.event.account = "u7";
	firing.event.severity = ALERT_WARNING;
	op->firing = &firing;
	op->firings = 1;
	return true;
}

static void seed(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(pg_server_exec(bench.db, rows[i]));
	for (int i = 0; i < 4; i++) {
		char name[16];

		snprintf(name, sizeof(name), "ch%d", i);
		put_channel(name, "");
		put_events(name, 10 * i + 1, 10 * i + 3, 2);
	}
	assert_true(pg_server_exec(bench.db, "SELECT pg_stat_reset()"));
}

ON_ALERTS(what_runs_all_the_time_finds_its_rows_by_an_index)
{
	struct alerts_op how = {.arena = &bench.arena};
	struct alerts_evaluate evaluate = {
		.op = how, .limit = 500, .now_us = NOW, .daily_kinds = ~0U, .daily_minimum_nano = 1, .judge = judge};
	struct alerts_number number = {.op = how, .limit = 1000};
	struct alerts_facts facts = {.op = how, .now_us = NOW, .keys_until_us = NOW};
	struct alerts_claim claim = {.op = how, .limit = 16, .now_us = NOW, .claim_us = CLAIM_US, .give_up_us = DAY_US};
	struct alerts_finish finish;
	struct alert_event_list events = {
		.job = JOB, .tenant = "acme", .rule = "", .account = "", .forward = true, .after = 9990, .limit = 100};
	struct alert_event_list of_user = {
		.job = JOB, .tenant = "acme", .rule = "", .account = "u7", .account_kind = ACCOUNT_USER, .limit = 100};
	struct alert_delivery_list deliveries = {.job = JOB, .tenant = "acme", .channel = "ch1", .limit = 100};
	struct alert_delivery_get delivery = {.job = JOB, .tenant = "acme", .id = 7};

	pg_link_init(&one_link, bench.db, -1);
	seed();
	RUN_BY_INDEX(alerts_run_evaluate, &evaluate);
	assert_int_equal(evaluate.accounts, 3);
	assert_int_equal(evaluate.stored, 1);
	RUN_BY_INDEX(alerts_run_number, &number);
	assert_true(number.numbered > 0);
	RUN_BY_INDEX(alerts_run_facts, &facts);
	RUN_BY_INDEX(alerts_run_claim, &claim);
	assert_int_equal(claim.count, ALERT_LANES_TENANT);
	finish = finish_of(&claim, 0, NOW + SECOND_US, FINISH_LATER, MINUTE_US);
	RUN_BY_INDEX(alerts_run_finish, &finish);
	RUN_BY_INDEX(admin_alert_event_list, &events);
	assert_true(events.count > 0);
	RUN_BY_INDEX(admin_alert_event_list, &of_user);
	assert_int_equal(of_user.count, 2);
	RUN_BY_INDEX(admin_alert_delivery_list, &deliveries);
	assert_int_equal(deliveries.count, 100);
	RUN_BY_INDEX(admin_alert_delivery_get, &delivery);
	assert_true(ask_number(SCANS("idx_scan")) > 0);
	pg_link_close(&one_link);
}

TEST_GROUP(pg_bench_start, NULL);
