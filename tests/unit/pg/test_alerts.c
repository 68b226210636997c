/* Alerts in a PostgreSQL of the test's own: what is due is taken once, and what fires is stored once. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "lib/test.h"
#include "pg/alerts/alerts.h"
#include "pg_bench.h"
#include "pg_server.h"

#define NOW INT64_C(1795000000000000) /* 2026-11-18 */
#define ASK(sql) pg_server_ask_number(bench.db, sql)
#define EXEC(sql) assert_true(pg_server_exec(bench.db, sql))

static struct pg_link one_link, other_link;

static int links_open(void **state)
{
	if (pg_bench_open(state) != 0)
		return -1;
	pg_link_init(&one_link, bench.db, -1);
	pg_link_init(&other_link, bench.db, -1);
	return 0;
}

static int links_close(void **state)
{
	pg_link_close(&one_link);
	pg_link_close(&other_link);
	return pg_bench_close(state);
}
#define ON_LINKS(name) TEST_WITH(name, links_open, links_close)

static void ready(struct pg_link *of)
{
	struct err err;

	of->deadline_us = clock_mono_us() + 60 * SECOND_US;
	assert_true(pg_link_ready(of, &err));
}

/* What the next evaluations list, and what they were given. */
static struct {
	struct alert_firing firing[16];
	struct alert_rearm rearm[16];
	int firings, rearms;
	void (*during)(struct alerts_evaluate *op); /* runs while the rows are taken; NULL: nothing */
	bool fails;
} scene;

static bool judge(struct alerts_evaluate *op, struct err *err)
{
	op->firing = scene.firing;
	op->firings = scene.firings;
	op->rearm = scene.rearm;
	op->rearms = scene.rearms;
	if (scene.during)
		scene.during(op);
	return !scene.fails || err_set(err, ERR_INTERNAL, "the judge is ill");
}

static struct alerts_evaluate evaluation(void)
{
	return (struct alerts_evaluate){.op = {.arena = &bench.arena},
		.limit = 100,
		.now_us = NOW,
		.daily_kinds = ~0U,
		.daily_minimum_nano = 0,
		.judge = judge};
}

static bool evaluate(struct alerts_evaluate *op, struct pg_link *on)
{
	struct err err;
	bool ok;

	ready(on);
	ok = alerts_run_evaluate(op, on, &err);
	pg_link_tidy(on);
	return ok;
}

static struct alerts_evaluate evaluated(void)
{
	struct alerts_evaluate op = evaluation();

	assert_true(evaluate(&op, &one_link));
	return op;
}

static void fires(const char *account, const char *key, int64_t point, int64_t used)
{
	struct alert_firing *firing = &scene.firing[scene.firings++];

	*firing = (struct alert_firing){.event = alert_event_of(ALERT_THRESHOLD, "t"),
		.key = key,
		.window_us = 5,
		.point = point,
		.used = used,
		.expires_at_us = NOW + DAY_US};
	firing->event.rule = "users";
	firing->event.at_us = NOW;
	firing->event.account_kind = ACCOUNT_USER;
	firing->event.account = account;
}

static void scene_empty(void)
{
	memset(&scene, 0, sizeof(scene));
}

static void due(void)
{
	EXEC("INSERT INTO alert_due (tenants, kinds, ids) VALUES ('{t,t}', '{1,2}', '{ann,red}'), ('{t}', '{1}', '{ann}')");
}

/* The accounts that were judged: "t/1/ann t/2/red". */
static const char *accounts(const struct alerts_evaluate *op)
{
	static char text[200];
	size_t len = 0;

	text[0] = '\0';
	for (int i = 0; i < op->accounts; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s/%d/%s", i ? " " : "",
			op->account[i].tenant, (int)op->account[i].kind, op->account[i].id);
	return text;
}

static void nobody_else_gets_them(struct alerts_evaluate *op)
{
	struct alerts_evaluate again = evaluation();

	scene.during = NULL;
	assert_string_equal(accounts(op), "t/1/ann t/2/red");
	assert_true(evaluate(&again, &other_link));
	assert_int_equal(again.accounts + again.notes, 0);
}

ON_LINKS(what_is_due_is_taken_by_one)
{
	scene_empty();
	due();
	scene.during = nobody_else_gets_them;
	evaluated();
	assert_int_equal(ASK("SELECT count(*) FROM alert_due"), 0);
}

ON_LINKS(what_could_not_be_judged_stays_due)
{
	struct alerts_evaluate op = evaluation();

	scene_empty();
	due();
	EXEC("INSERT INTO alert_notes (tenant, kind, account_kind, account) VALUES ('t', 5, 1, 'bob')");
	fires("ann", "k", 1, 1);
	scene.fails = true;
	assert_false(evaluate(&op, &one_link));
	assert_int_equal(ASK("SELECT count(*) FROM alert_due"), 2);
	assert_int_equal(ASK("SELECT count(*) FROM alert_notes"), 1);
	assert_int_equal(ASK("SELECT count(*) FROM alert_events"), 0);
	scene.fails = false;
	op = evaluated();
	assert_string_equal(accounts(&op), "t/1/ann t/1/bob t/2/red");
	assert_int_equal(op.notes, 1);
	assert_int_equal(op.note[0].kind, ALERT_SUSPENDED);
	assert_string_equal(op.note[0].account, "bob");
	assert_int_equal(op.stored, 1);
}

ON_LINKS(a_transaction_takes_about_as_much_as_it_was_asked)
{
	struct alerts_evaluate op = evaluation();

	scene_empty();
	EXEC("INSERT INTO alert_due (tenants, kinds, ids) SELECT array_agg('t'::text), array_agg(1::smallint), array_agg('u' || n) "
	     "FROM generate_series(1, 100) n GROUP BY n / 10");
	op.limit = 35;
	assert_true(evaluate(&op, &one_link));
	assert_true(op.accounts >= 35 && op.accounts < 50);
	assert_true(op.more);
	op = evaluated();
	assert_false(op.more);
	assert_int_equal(ASK("SELECT count(*) FROM alert_due"), 0);
}

ON_LINKS(an_account_is_read_with_its_limits_its_use_and_its_days)
{
	struct alerts_evaluate op;
	const struct alert_account *ann, *red;

	scene_empty();
	EXEC("INSERT INTO accounts (tenant, kind, id, tier, team, version) VALUES ('t', 1, 'ann', 'pro', 'red', 3)");
	EXEC("INSERT INTO account_limits (tenant, account_kind, account_id, position, name, dimension, kind, unit, amount) VALUES "
	     "('t', 1, 'ann', 0, 'quota', 0, 1, 0, 7)");
	EXEC("INSERT INTO usage_windows (tenant, kind, id, unit, starts_at_us, interface, model, shard, requests, input, output, "
	     "cost_nano) SELECT 't', 1, 'ann', 0, 1795000000000000 - n * 86400000000, '', 'm', 0, n, 0, 0, 0 FROM generate_series(1, 9) n");
	EXEC("INSERT INTO usage_shared_daily (tenant, kind, id, day, provider, model, interface, shard, rows, requests, charged_input, "
	     "charged_output, cost_nano, input, cached_input, cache_write, output, reasoning, audio_input, audio_output, unpriced) "
	     "SELECT 't', 2, 'red', '2026-11-18'::date - n, '', m, '', s, 1, 1, 0, 0, 100 + n, 0, 0, 0, 0, 0, 0, 0, 1 "
	     "FROM generate_series(0, 20) n, generate_series(0, 1) s, (VALUES ('m'), ('')) v (m)");
	EXEC("INSERT INTO alert_fired VALUES ('t', 1, 'ann', 'users', 'quota:50%', 9, 4, 5, now())");
	due();
	op = evaluated();
	ann = &op.account[0];
	red = &op.account[1];
	assert_string_equal(ann->profile.tier, "pro");
	assert_string_equal(ann->profile.team, "red");
	assert_int_equal(ann->profile.version, 3);
	assert_int_equal(ann->profile.override_count, 1);
	assert_string_equal(ann->profile.overrides[0].name, "quota");
	assert_int_equal(ann->windows, 3); /* those that may be running */
	assert_int_equal(ann->fired, 1);
	assert_string_equal(ann->fired_row[0].key, "quota:50%");
	assert_int_equal(ann->fired_row[0].used, 5);
	assert_int_equal(red->profile.version, 0);
	assert_int_equal(red->today_nano, 400);
	assert_int_equal(red->today_unpriced, 2); /* without a model and tokens, there is no price to miss */
	assert_int_equal(red->past_nano, 4 * (14 * 100 + 105));
	assert_int_equal(red->past_days, 14);
	assert_true(op.stale); /* the catalog's generation was not given */
}

/* Two evaluations may have judged before either has stored. */
ON_LINKS(what_has_fired_does_not_fire_again_unless_its_point_was_raised)
{
	scene_empty();
	fires("ann", "quota:50%", 5, 7);
	fires("ann", "quota:50%", 5, 7); /* by two notes in one go */
	due();
	assert_int_equal(evaluated().stored, 1);
	due();
	assert_int_equal(evaluated().stored, 0);
	scene.firings = 0;
	fires("ann", "quota:50%", 7, 8); /* not above the 7 that were used */
	due();
	assert_int_equal(evaluated().stored, 0);
	scene.firing[0].point = 8;
	due();
	assert_int_equal(evaluated().stored, 1);
	scene.firing[0].window_us = 6;
	due();
	assert_int_equal(evaluated().stored, 1);
	assert_int_equal(ASK("SELECT count(*) FROM alert_events"), 3);
	assert_int_equal(ASK("SELECT point * 1000 + used FROM alert_fired WHERE window_us = 5"), 8008);
}

ON_LINKS(an_event_is_stored_with_what_it_says_and_where_it_goes)
{
	const char *channel[] = {"ops", "chat"}, *tenant[] = {"t", "s"};
	int64_t not_before[] = {NOW, NOW + HOUR_US};

	scene_empty();
	fires("ann", "quota:50%", 5, 7);
	fires("ann", "quota:80%", 6, 7);
	scene.firing[0].silent = true;
	scene.firing[1].channels = 2;
	scene.firing[1].channel = channel;
	scene.firing[1].channel_tenant = tenant;
	scene.firing[1].not_before_us = not_before;
	scene.firing[1].event.limit_name = "quota";
	scene.firing[1].event.severity = ALERT_CRITICAL;
	scene.firing[1].event.lifted = true;
	scene.firing[1].event.age_us = 77;
	scene.firing[1].event.before = "a";
	due();
	assert_int_equal(evaluated().stored, 1);
	assert_int_equal(ASK("SELECT count(*) FROM alert_fired"), 2);
	assert_string_equal(
		pg_server_ask(bench.db,
			"SELECT concat_ws(' ', extract(epoch FROM at)::bigint, tenant, rule, kind, severity, "
			"account_kind, account, limit_name, dimension, lifted, age_us, before, seq) FROM alert_events"),
		"1795000000 t users 1 3 1 ann quota -1 t 77 a");
	assert_string_equal(
		pg_server_ask(bench.db,
			"SELECT string_agg(concat_ws(' ', p.tenant, channel, extract(epoch FROM not_before - at)::int), ', ' "
			"ORDER BY p.tenant) FROM alert_pending p JOIN alert_events e ON e.id = p.event"),
		"s chat 3600, t ops 0");
}

ON_LINKS(what_is_to_be_forgotten_is_gone_unless_it_has_fired_again_meanwhile)
{
	scene_empty();
	EXEC("INSERT INTO alert_fired SELECT 't', 1, 'ann', 'users', k, 9, 4, 5, now() FROM unnest(ARRAY['a', 'b']) k");
	scene.rearms = 2;
	scene.rearm[0] = (struct alert_rearm){ACCOUNT_USER, "t", "ann", {"users", "a", 9, 4, 5}};
	scene.rearm[1] = (struct alert_rearm){ACCOUNT_USER, "t", "ann", {"users", "b", 9, 4, 4}};
	due();
	evaluated();
	assert_string_equal(pg_server_ask(bench.db, "SELECT string_agg(key, ' ') FROM alert_fired"), "b");
}

ON_LINKS(events_are_numbered_in_turn_and_each_once)
{
	struct alerts_number op = {.limit = 3};
	struct err err;

	EXEC("INSERT INTO alert_events (at, tenant, rule, kind, severity, account_kind, account) SELECT now(), 't', 'r', 6, 1, 1, 'a' "
	     "FROM generate_series(1, 5)");
	ready(&one_link);
	assert_true(alerts_run_number(&op, &one_link, &err));
	assert_true(op.numbered == 3 && op.more);
	assert_true(alerts_run_number(&op, &one_link, &err));
	assert_true(op.numbered == 2 && !op.more);
	assert_true(alerts_run_number(&op, &one_link, &err));
	assert_true(op.numbered == 0 && !op.more);
	assert_int_equal(
		ASK("SELECT count(*) FROM alert_events a JOIN alert_events b ON b.id = a.id + 1 WHERE b.seq <= a.seq"),
		0);
	assert_int_equal(ASK("SELECT count(seq) FROM alert_events"), 5);
}

ON_LINKS(old_things_are_deleted_and_what_still_waits_is_not)
{
	struct alerts_upkeep op = {.now_us = NOW, .retention_us = 90 * DAY_US};
	struct err err;

	EXEC("INSERT INTO alert_events (at, seq, tenant, rule, kind, severity, account_kind, account) SELECT to_timestamp(1795000000 - n * 86400), "
	     "nullif(n, 101), 't', 'r', 6, 1, 1, 'a' FROM generate_series(80, 109) n");
	EXEC("INSERT INTO alert_pending SELECT 't', 'ops', id, at FROM alert_events WHERE seq = 102");
	EXEC("INSERT INTO alert_fired VALUES ('t', 1, 'a', 'r', 'k', 0, 0, 0, to_timestamp(1794999999)), ('t', 1, 'b', 'r', 'k', 0, 0, 0, "
	     "to_timestamp(1795000001))");
	EXEC("INSERT INTO alert_deliveries (message_id, tenant, channel, events, state, created_at, give_up_at, next_at) SELECT s::text, 't', "
	     "'ops', '{}', s, to_timestamp(0), now(), now() FROM generate_series(1, 4) s");
	ready(&one_link);
	assert_true(alerts_run_upkeep(&op, &one_link, &err));
	assert_int_equal(op.deleted, 17 + 1 + 3);
	assert_false(op.more);
	assert_int_equal(
		ASK("SELECT count(*) FROM alert_events"), 13); /* 11 of up to 90 days, one unnumbered, one that waits */
	assert_string_equal(pg_server_ask(bench.db, "SELECT string_agg(account, '') FROM alert_fired"), "b");
	assert_int_equal(ASK("SELECT sum(state) FROM alert_deliveries"), 1);
}

static struct alerts_facts facts_of(bool prices)
{
	struct alerts_facts op = {
		.op = {.arena = &bench.arena}, .now_us = NOW, .keys_until_us = NOW + DAY_US, .prices = prices};
	struct err err;

	ready(&one_link);
	assert_true(alerts_run_facts(&op, &one_link, &err));
	return op;
}

ON_LINKS(the_facts_are_keys_that_end_the_age_of_prices_and_what_waits)
{
	struct alerts_facts op;

	due();
	EXEC("INSERT INTO api_keys (tenant, hash, prefix, role, label, expires_at, revoked_at, rotated_to) SELECT 't', decode(lpad(n::text, 64, "
	     "'0'), 'hex'), 'p' || n, 2, CASE n WHEN 1 THEN '' ELSE 'l' || n END, to_timestamp(1795000000 + e), r, t FROM (VALUES (1, 100, NULL::timestamptz, NULL::bigint), "
	     "(2, 86400, NULL, NULL), (3, 86401, NULL, NULL), (4, -1, NULL, NULL), (5, 100, now(), NULL), (6, 100, NULL, 1)) v (n, e, r, t)");
	op = facts_of(false);
	assert_int_equal(op.keys, 2);
	assert_string_equal(op.key[0].label, "p1");
	assert_int_equal(op.key[0].expires_at_us, NOW + 100 * SECOND_US);
	assert_string_equal(op.key[1].label, "l2");
	assert_int_equal(op.due, 2);
	assert_int_equal(op.waiting, 0);
	assert_int_equal(op.newest_price_us, 0);
	EXEC("UPDATE model_prices SET source = 'a list (2026-08-21)', created_at = to_timestamp(1794000000)");
	assert_int_equal(facts_of(true).newest_price_us, INT64_C(1787270400000000));
}

ON_LINKS(notes_are_kept_only_for_somebody)
{
	struct alert_event note = alert_event_of(ALERT_STARVING, "t");
	struct alert_notes op = {.job = JOB, .count = 1, .note = &note};

	note.at_us = NOW;
	note.subject = "pool";
	RUN_OK(alert_notes, &op);
	EXEC("INSERT INTO accounts (tenant, kind, id, tier, version) VALUES ('t', 1, 'ann', 'pro', 1)");
	assert_int_equal(ASK("SELECT (SELECT count(*) FROM alert_notes) + (SELECT count(*) FROM alert_due)"), 0);
	EXEC("INSERT INTO leases VALUES ('alerts', 'x', 1, now() - interval '23 hours')");
	RUN_OK(alert_notes, &op);
	EXEC("UPDATE accounts SET tier = 'free', version = 2 WHERE id = 'ann'");
	assert_int_equal(ASK("SELECT count(*) FROM alert_notes WHERE kind IN (6, 7)"), 2);
	assert_int_equal(ASK("SELECT count(*) FROM alert_due"), 1);
	assert_string_equal(pg_server_ask(bench.db,
				    "SELECT subject FROM alert_notes WHERE kind = 7 AND at = to_timestamp(1795000000)"),
		"pool");
}

ON_LINKS(only_an_account_that_was_there_before_has_moved)
{
	EXEC("INSERT INTO leases VALUES ('alerts', 'x', 1, now())");
	EXEC("INSERT INTO accounts (tenant, kind, id) VALUES ('t', 1, 'known')");
	EXEC("BEGIN; INSERT INTO accounts (tenant, kind, id) VALUES ('t', 1, 'made'); UPDATE accounts SET tier = 'pro', suspended = true, version = 1 "
	     "WHERE id = 'made'; COMMIT");
	EXEC("UPDATE accounts SET tier = 'pro', version = 1 WHERE id = 'known'");
	assert_string_equal(
		pg_server_ask(bench.db,
			"SELECT string_agg(concat_ws(' ', account, kind, before, after), ', ' ORDER BY id) FROM alert_notes"),
		"made 5  , known 6  pro");
}

ON_LINKS(rules_and_channels_are_read_as_they_are)
{
	struct alerts_setup op = {.op = {.arena = &bench.arena}};
	const struct alert_rule *rule;
	struct err err;

	EXEC("DELETE FROM alert_rules");
	EXEC("INSERT INTO alert_rules (tenant, name, kind, account_kinds, percents, amounts, percent, minimum_nano, after_s, channels, to_all, enabled) "
	     "VALUES ('t', 'r', 1, '{1,5}', '{50,80}', '{7}', 9, 8, 60, '{a,b}', false, false), ('', 'off', 6, '{}', '{}', '{}', 0, 0, 0, '{}', true, false)");
	EXEC("INSERT INTO alert_channels (tenant, name, kind, target, secret, digest_s, system, enabled) VALUES ('t', 'a', 1, 'http://x', "
	     "'{\"secrets\": [\"whsec_x\"]}', 60, true, true), ('t', 'b', 1, '', '{}', 0, false, false)");
	ready(&one_link);
	assert_true(alerts_run_setup(&op, &one_link, &err));
	assert_int_equal(op.setup.rules, 1); /* a tenant's own switches off the shipped one, so it is read */
	assert_int_equal(op.setup.channels, 1);
	rule = &op.setup.rule[0];
	assert_false(rule->enabled || rule->to_all);
	assert_int_equal(rule->account_kinds, 1U << ACCOUNT_USER | 1U << ACCOUNT_TENANT);
	assert_true(rule->percents == 2 && rule->percent_at[1] == 80 && rule->amounts == 1 && rule->amount_at[0] == 7);
	assert_true(rule->percent == 9 && rule->minimum_nano == 8 && rule->after_us == MINUTE_US && rule->unit == -1);
	assert_true(rule->channels == 2);
	assert_string_equal(rule->channel[1], "b");
	assert_string_equal(op.setup.channel[0].target, "http://x");
	assert_int_equal(op.setup.channel[0].digest_us, MINUTE_US);
	assert_true(op.setup.channel[0].system && op.setup.channel[0].secret.secrets == 0);
}

TEST_GROUP(pg_bench_start, NULL);
