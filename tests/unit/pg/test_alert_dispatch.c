/* Alerts on their way: pending events become messages, which are claimed and finished, in a PostgreSQL of the test's own. */

#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/units.h"
#include "domain/alert/route.h"
#include "lib/test.h"
#include "pg_bench.h"
#include "pg_server.h"

#define NOW INT64_C(1795435200000000) /* 2026-11-23 12:00 UTC */
#define NOW_SQL "timestamptz '2026-11-23 12:00 UTC'"
#define CLAIM_US (15 * SECOND_US)

static struct alerts_store *alerts;

static int open_alerts(void **state)
{
	pg_bench_open(state);
	alerts = pg_alerts_new(bench.threads, &bench.loop);
	return 0;
}

static int close_alerts(void **state)
{
	pg_alerts_free(alerts);
	return pg_bench_close(state);
}

#define ON_ALERTS(name) TEST_WITH(name, open_alerts, close_alerts)

__attribute__((format(printf, 1, 2))) static void sql(const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	assert_true(pg_server_exec(bench.db, text));
}

#define ask(...) pg_server_ask(bench.db, __VA_ARGS__)
#define ask_number(...) pg_server_ask_number(bench.db, __VA_ARGS__)

/* A channel whose rate is no limit to these tests; `more` sets other columns. */
static void channel(const char *name, const char *more)
{
	sql("INSERT INTO alert_channels (tenant, name, kind, target, rate_per_minute, secret) VALUES ('acme', '%s', 1, "
	    "'https://example.org', 6000, '{\"secrets\": [\"whsec_a\", \"whsec_b\"]}')",
		name);
	if (more[0])
		sql("UPDATE alert_channels SET %s WHERE name = '%s'", more, name);
}

/* Events with the ids first..last, pending for the channel from `at` on. */
static void events(const char *name, int first, int last, int severity)
{
	sql("INSERT INTO alert_events (id, at, tenant, rule, kind, severity, account_kind, account) SELECT i, " NOW_SQL
	    ", 'acme', 'limits', 1, %d, 1, 'ann' FROM generate_series(%d, %d) i",
		severity, first, last);
	sql("INSERT INTO alert_pending (tenant, channel, event, not_before) SELECT 'acme', '%s', i, " NOW_SQL
	    " FROM generate_series(%d, %d) i",
		name, first, last);
}

static void op_done(struct alerts_op *op)
{
	if (!op->ok)
		print_message("%s\n", op->err.text);
	bench.waiting--;
}

static struct alerts_claim claim_at(int64_t now_us, int limit)
{
	struct alerts_claim op = {
		.op = {.arena = &bench.arena, .done = op_done},
		.limit = limit,
		.now_us = now_us,
		.claim_us = CLAIM_US,
		.give_up_us = DAY_US,
	};

	bench.waiting++;
	alerts->ops->claim(alerts, &op);
	pg_bench_run();
	assert_true(op.op.ok);
	return op;
}

static struct alerts_finish finish_of(
	const struct alerts_claim *claim, int i, int64_t now_us, enum alerts_fate what, int64_t pause_us)
{
	return (struct alerts_finish){
		.op = {.arena = &bench.arena, .done = op_done},
		.id = claim->message[i].id,
		.claimed_until_us = claim->now_us + claim->claim_us,
		.now_us = now_us,
		.took_us = SECOND_US,
		.status = what == FINISH_DELIVERED ? 204 : 503,
		.error = what == FINISH_DELIVERED ? "" : "HTTP 503",
		.what = what,
		.pause_us = pause_us,
	};
}

static void finish(struct alerts_finish *op)
{
	bench.waiting++;
	alerts->ops->finish(alerts, op);
	pg_bench_run();
	assert_true(op->op.ok);
}

static void delivered(const struct alerts_claim *claim, int i)
{
	struct alerts_finish op = finish_of(claim, i, claim->now_us + SECOND_US, FINISH_DELIVERED, 0);

	finish(&op);
}

static void failed(const struct alerts_claim *claim, int i, int64_t pause_us)
{
	struct alerts_finish op = finish_of(claim, i, claim->now_us + SECOND_US, FINISH_LATER, pause_us);

	finish(&op);
}

ON_ALERTS(each_pending_event_becomes_a_message_that_is_claimed_once)
{
	struct alerts_claim claim, again;

	channel("ops", "");
	events("ops", 1, 3, 2);
	claim = claim_at(NOW, 8);
	assert_int_equal(claim.count, 3);
	assert_false(claim.more);
	for (int i = 0; i < 3; i++) {
		const struct alerts_message *message = &claim.message[i];

		assert_int_equal(strlen(message->message_id), 36);
		assert_memory_equal(message->message_id, "msg_", 4);
		assert_int_equal(message->events, 1);
		assert_int_equal(message->event[0].id, i + 1);
		assert_string_equal(message->event[0].account, "ann");
		assert_int_equal(message->more, 0);
		assert_int_equal(message->attempts, 0);
		assert_int_equal(message->give_up_at_us, NOW + DAY_US);
		assert_string_equal(message->channel.name, "ops");
		assert_int_equal(message->channel.secret.secrets, 2);
		assert_string_equal(message->channel.secret.secret[1], "whsec_b");
	}
	assert_int_equal(ask_number("SELECT count(*) FROM alert_pending"), 0);
	assert_int_equal(ask_number("SELECT count(DISTINCT message_id) FROM alert_deliveries"), 3);
	again = claim_at(NOW + 1, 8);
	assert_int_equal(again.count, 0);
}

ON_ALERTS(a_claim_takes_no_more_than_its_limit_and_says_that_there_is_more)
{
	struct alerts_claim claim;

	channel("ops", "");
	events("ops", 1, 4, 2);
	claim = claim_at(NOW, 3);
	assert_int_equal(claim.count, 3);
	assert_true(claim.more);
	claim = claim_at(NOW, 3);
	assert_int_equal(claim.count, 1);
	assert_false(claim.more);
}

ON_ALERTS(a_claim_is_shared_between_channels)
{
	struct alerts_claim claim;

	channel("a", "");
	channel("b", "");
	events("a", 1, 8, 2);
	events("b", 11, 11, 2);
	claim = claim_at(NOW, 2);
	assert_int_equal(claim.count, 2);
	assert_string_not_equal(claim.message[0].channel.name, claim.message[1].channel.name);
}

ON_ALERTS(four_messages_of_a_channel_are_sent_at_a_time)
{
	struct alerts_claim claim;

	channel("ops", "");
	events("ops", 1, 6, 2);
	claim = claim_at(NOW, 8);
	assert_int_equal(claim.count, 4);
	assert_int_equal(claim_at(NOW, 8).count, 0);
	delivered(&claim, 0);
	assert_int_equal(claim_at(NOW + SECOND_US, 8).count, 1);
}

ON_ALERTS(a_message_whose_claim_has_lapsed_is_claimed_again_under_the_same_id)
{
	struct alerts_claim first, second;

	channel("ops", "");
	events("ops", 1, 1, 2);
	first = claim_at(NOW, 8);
	assert_int_equal(claim_at(NOW + CLAIM_US - 1, 8).count, 0);
	second = claim_at(NOW + CLAIM_US, 8);
	assert_int_equal(second.count, 1);
	assert_string_equal(first.message[0].message_id, second.message[0].message_id);
}

/* Two claimers, each of which claims, and finishes what it has, until nothing is left. */
enum { CLAIMED_IDS = 2000 };
static int claims_of[CLAIMED_IDS];

struct claimer {
	struct alerts_claim claim;
	struct alerts_finish finish[8];
	struct arena arena;
	int open, idle;
	bool fails; /* every third message at first */
	int64_t now_us;
};

static void claimer_claim(struct claimer *own);

static void claimer_finished(struct alerts_op *op)
{
	struct claimer *own = op->impl[0];

	assert_true(op->ok);
	bench.waiting--;
	if (--own->open == 0)
		claimer_claim(own);
}

static void claimer_claimed(struct alerts_op *op)
{
	struct claimer *own = op->impl[0];

	assert_true(op->ok);
	bench.waiting--;
	own->idle = own->claim.count ? 0 : own->idle + 1;
	own->open = own->claim.count;
	for (int i = 0; i < own->claim.count; i++) {
		const struct alerts_message *message = &own->claim.message[i];
		bool fails = message->attempts == 0 && message->id % 3 == 0;

		assert_true(message->id < CLAIMED_IDS);
		assert_int_equal(claims_of[message->id]++, message->attempts);
		own->finish[i] = finish_of(&own->claim, i, own->now_us + i, fails ? FINISH_LATER : FINISH_DELIVERED, 0);
		own->finish[i].op = (struct alerts_op){.arena = &own->arena, .done = claimer_finished, .impl = {own}};
		bench.waiting++;
		alerts->ops->finish(alerts, &own->finish[i]);
	}
	/* What the other one holds locked comes later. */
	if (own->open == 0 && own->idle < 20)
		claimer_claim(own);
}

/* The clocks of the two drift apart; who finds nothing waits for the time that the other has given a channel. */
static void claimer_claim(struct claimer *own)
{
	own->now_us += own->idle ? 100000 : 100;
	own->claim = (struct alerts_claim){
		.op = {.arena = &own->arena, .done = claimer_claimed, .impl = {own}},
		.limit = 8,
		.now_us = own->now_us,
		.claim_us = HOUR_US,
		.give_up_us = DAY_US,
	};
	bench.waiting++;
	alerts->ops->claim(alerts, &own->claim);
}

ON_ALERTS(two_claimers_side_by_side_never_have_a_message_twice_and_lose_no_event)
{
	struct claimer claimers[2] = {{.now_us = NOW}, {.now_us = NOW}};

	memset(claims_of, 0, sizeof(claims_of));
	for (int i = 0; i < 4; i++) {
		char name[16];

		snprintf(name, sizeof(name), "ch%d", i);
		channel(name, i == 3 ? "ordered = true, rate_per_minute = 60000" : "rate_per_minute = 60000");
		events(name, 1000 * i + 1, 1000 * i + 150, 2);
	}
	claimer_claim(&claimers[0]);
	claimer_claim(&claimers[1]);
	pg_bench_run();
	assert_int_equal(ask_number("SELECT count(*) FROM alert_pending"), 0);
	assert_int_equal(ask_number("SELECT count(*) FROM alert_deliveries WHERE state <> 2"), 0);
	assert_int_equal(
		ask_number("SELECT count(*) FROM (SELECT DISTINCT channel, unnest(events) FROM alert_deliveries) d"),
		600);
	assert_int_equal(ask_number("SELECT sum(cardinality(events)) FROM alert_deliveries"), 600);
	assert_int_equal(
		ask_number("SELECT count(*) FROM alert_attempts") - ask_number("SELECT count(*) FROM alert_deliveries"),
		ask_number("SELECT count(*) FROM alert_deliveries WHERE id % 3 = 0"));
	assert_int_equal(ask_number("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"), 0);
	for (int i = 0; i < 2; i++)
		arena_release(&claimers[i].arena);
}

ON_ALERTS(an_ordered_channel_sends_one_after_the_other)
{
	struct alerts_claim claim;

	channel("ops", "ordered = true");
	events("ops", 1, 3, 2);
	claim = claim_at(NOW, 8);
	assert_int_equal(claim.count, 1);
	assert_int_equal(claim.message[0].event[0].id, 1);
	assert_int_equal(claim_at(NOW + SECOND_US, 8).count, 0);
	failed(&claim, 0, MINUTE_US);
	assert_int_equal(claim_at(NOW + 30 * SECOND_US, 8).count, 0);
	claim = claim_at(NOW + 2 * MINUTE_US, 8);
	assert_int_equal(claim.count, 1);
	assert_int_equal(claim.message[0].event[0].id, 1);
	assert_int_equal(claim.message[0].attempts, 1);
	delivered(&claim, 0);
	claim = claim_at(NOW + 3 * MINUTE_US, 8);
	assert_int_equal(claim.count, 1);
	assert_int_equal(claim.message[0].event[0].id, 2);
}

ON_ALERTS(what_exceeds_the_rate_is_gathered_into_one_message)
{
	struct alerts_claim claim;

	channel("ops", "rate_per_minute = 6"); /* one in 10 s, and one more after a pause */
	events("ops", 1, 5, 2);
	claim = claim_at(NOW, 8);
	assert_int_equal(claim.count, 2);
	assert_int_equal(claim.message[0].events, 1);
	assert_int_equal(claim.message[1].events, 4);
	assert_int_equal(claim.message[1].event[0].id, 2);
	assert_int_equal(claim.message[1].event[3].id, 5);
	assert_int_equal(claim.message[1].more, 0);
	events("ops", 6, 7, 2);
	assert_int_equal(claim_at(NOW + 10 * SECOND_US - 1, 8).count, 0);
	claim = claim_at(NOW + 10 * SECOND_US, 8);
	assert_int_equal(claim.count, 1);
	assert_int_equal(claim.message[0].events, 2);
}

ON_ALERTS(what_exceeds_a_message_follows_in_others_and_each_says_how_much)
{
	static const int expected[][2] = {{100, 150}, {100, 50}, {50, 0}};

	channel("ops", "rate_per_minute = 1");
	events("ops", 1, 250, 2);
	for (int i = 0; i < 3; i++) {
		struct alerts_claim claim = claim_at(NOW + i * MINUTE_US, 8);

		assert_int_equal(claim.count, 1);
		assert_int_equal(claim.message[0].events, expected[i][0]);
		assert_int_equal(claim.message[0].more, expected[i][1]);
		assert_int_equal(claim.message[0].event[0].id, 100 * i + 1);
		delivered(&claim, 0);
		assert_int_equal(claim_at(NOW + i * MINUTE_US + 59 * SECOND_US, 8).count, 0);
	}
}

ON_ALERTS(a_digest_gathers_what_is_due)
{
	struct alerts_claim claim;

	channel("ops", "digest_s = 900");
	events("ops", 1, 3, 2);
	events("ops", 4, 4, 2);
	sql("UPDATE alert_pending SET not_before = not_before + interval '15 minutes' WHERE event = 4");
	assert_int_equal(claim_at(NOW - 1, 8).count, 0);
	claim = claim_at(NOW, 8);
	assert_int_equal(claim.count, 1);
	assert_int_equal(claim.message[0].events, 3);
	assert_int_equal(claim_at(NOW + 14 * MINUTE_US, 8).count, 1); /* the first one's claim has lapsed */
	claim = claim_at(NOW + 15 * MINUTE_US, 8);
	assert_int_equal(claim.count, 2);
}

ON_ALERTS(many_events_of_a_channel_become_few_messages_while_others_wait)
{
	channel("ops", "rate_per_minute = 60000");
	events("ops", 1, 5000, 2);
	for (int i = 0; i < 20; i++)
		claim_at(NOW + i, 1);
	assert_int_equal(ask_number("SELECT count(*) FROM alert_pending"), 0);
	assert_in_range(ask_number("SELECT count(*) FROM alert_deliveries"), 50, 64);
	assert_int_equal(ask_number("SELECT sum(cardinality(events)) FROM alert_deliveries"), 5000);
}

ON_ALERTS(quiet_hours_hold_back_retries_unless_they_are_critical)
{
	struct alerts_claim claim;

	channel("ops", "quiet_from = 720, quiet_to = 780"); /* 12:00 to 13:00 */
	events("ops", 1, 1, 2);
	events("ops", 2, 2, 3);
	claim = claim_at(NOW, 8);
	assert_int_equal(claim.count, 1);
	assert_int_equal(claim.message[0].event[0].id, 2);
	assert_string_equal(ask("SELECT next_at AT TIME ZONE 'UTC' FROM alert_deliveries WHERE events = '{1}'"),
		"2026-11-23 13:00:00");
	assert_string_equal(ask("SELECT give_up_at AT TIME ZONE 'UTC' FROM alert_deliveries WHERE events = '{1}'"),
		"2026-11-24 13:00:00");
	delivered(&claim, 0);
	assert_int_equal(claim_at(NOW + HOUR_US - 1, 8).count, 0);
	claim = claim_at(NOW + HOUR_US, 8);
	assert_int_equal(claim.count, 1);
	assert_int_equal(claim.message[0].event[0].id, 1);
}

ON_ALERTS(a_test_is_sent_in_quiet_hours_too)
{
	channel("ops", "quiet_from = 720, quiet_to = 780");
	events("ops", 1, 1, 1);
	sql("DELETE FROM alert_pending");
	sql("INSERT INTO alert_deliveries (message_id, tenant, channel, events, test, created_at, give_up_at, next_at) VALUES ('msg_1', "
	    "'acme', 'ops', '{1}', true, " NOW_SQL ", " NOW_SQL " + interval '1 day', " NOW_SQL ")");
	assert_int_equal(claim_at(NOW, 8).count, 1);
}

ON_ALERTS(a_disabled_channel_waits_and_one_that_is_gone_is_cancelled)
{
	struct alerts_claim claim;

	channel("ops", "");
	events("ops", 1, 1, 2);
	claim = claim_at(NOW, 8);
	failed(&claim, 0, 0);
	events("ops", 2, 2, 2);
	sql("UPDATE alert_channels SET enabled = false");
	assert_int_equal(claim_at(NOW + MINUTE_US, 8).count, 0);
	assert_int_equal(ask_number("SELECT count(*) FROM alert_pending"), 1);
	sql("UPDATE alert_channels SET enabled = true");
	claim = claim_at(NOW + 2 * MINUTE_US, 8);
	assert_int_equal(claim.count, 2);
	failed(&claim, 0, 0);
	failed(&claim, 1, 0);
	events("ops", 3, 3, 2);
	sql("DELETE FROM alert_channels");
	assert_int_equal(claim_at(NOW + 3 * MINUTE_US, 8).count, 0);
	assert_int_equal(ask_number("SELECT count(*) FROM alert_pending"), 0);
	assert_int_equal(
		ask_number("SELECT count(*) FROM alert_deliveries WHERE state = 4 AND ended_at IS NOT NULL"), 2);
}

ON_ALERTS(a_message_without_any_event_left_is_cancelled)
{
	struct alerts_claim claim;

	channel("ops", "digest_s = 60");
	events("ops", 1, 2, 2);
	claim = claim_at(NOW, 8);
	failed(&claim, 0, 0);
	sql("DELETE FROM alert_events WHERE id = 1");
	claim = claim_at(NOW + MINUTE_US, 8);
	assert_int_equal(claim.count, 1);
	assert_int_equal(claim.message[0].events, 1);
	failed(&claim, 0, 0);
	sql("DELETE FROM alert_events");
	assert_int_equal(claim_at(NOW + 2 * MINUTE_US, 8).count, 0);
	assert_int_equal(ask_number("SELECT state FROM alert_deliveries"), DELIVERY_CANCELLED);
}

/* Opens the circuit of a channel with eight messages, by failures at NOW + 1 s; returns until when. */
static int64_t open_circuit(void)
{
	channel("ops", "");
	events("ops", 1, 8, 2);
	for (int k = 0; k < 2; k++) {
		struct alerts_claim claim = claim_at(NOW + k, 8);

		for (int i = 0; i < claim.count; i++)
			failed(&claim, i, 2 * SECOND_US);
	}
	return ask_number("SELECT (extract(epoch FROM open_until) * 1000000)::bigint FROM alert_channels");
}

ON_ALERTS(a_circuit_opens_at_the_fifth_failure_and_those_under_way_do_not_prolong_it)
{
	int64_t until_us = open_circuit();

	assert_int_equal(ask_number("SELECT failures FROM alert_channels"), 5);
	assert_int_equal(until_us, NOW + 1 + SECOND_US + alert_circuit_pause(5, 0));
	events("ops", 9, 9, 3);
	assert_int_equal(claim_at(until_us - 1, 8).count, 0);
	assert_int_equal(ask_number("SELECT count(*) FROM alert_pending"), 1);
}

ON_ALERTS(behind_an_open_circuit_one_message_probes_and_its_success_closes_it)
{
	int64_t until_us = open_circuit();
	struct alerts_claim claim = claim_at(until_us, 8);

	assert_int_equal(claim.count, 1);
	assert_int_equal(claim_at(until_us + SECOND_US, 8).count, 0);
	failed(&claim, 0, HOUR_US);
	assert_int_equal(ask_number("SELECT failures FROM alert_channels"), 6);
	until_us += SECOND_US + alert_circuit_pause(6, 0);
	assert_int_equal(claim_at(until_us - 1, 8).count, 0);
	claim = claim_at(until_us, 8);
	assert_int_equal(claim.count, 1);
	delivered(&claim, 0);
	assert_int_equal(ask_number("SELECT failures FROM alert_channels WHERE open_until = '-infinity'"), 0);
	claim = claim_at(until_us + 2 * SECOND_US, 8);
	assert_int_equal(claim.count, 4);
}

ON_ALERTS(a_refusal_closes_the_circuit_as_the_destination_has_answered)
{
	struct alerts_claim claim = claim_at(open_circuit(), 8);
	struct alerts_finish op = finish_of(&claim, 0, claim.now_us + 1, FINISH_DEAD, 0);

	op.status = 400;
	finish(&op);
	assert_int_equal(ask_number("SELECT failures FROM alert_channels"), 0);
	assert_int_equal(ask_number("SELECT count(*) FROM alert_deliveries WHERE state = 3"), 1);
}

ON_ALERTS(behind_an_open_circuit_messages_die_when_they_are_to_be_given_up)
{
	open_circuit();
	sql("UPDATE alert_channels SET open_until = 'infinity'");
	assert_int_equal(claim_at(NOW + DAY_US - 1, 8).count, 0);
	assert_int_equal(ask_number("SELECT count(*) FROM alert_deliveries WHERE state = 1"), 8);
	assert_int_equal(claim_at(NOW + DAY_US, 8).count, 0);
	assert_int_equal(ask_number("SELECT count(*) FROM alert_deliveries WHERE state = 3 AND error = 'HTTP 503'"), 8);
}

ON_ALERTS(a_failed_attempt_is_stored_and_the_message_waits)
{
	struct alerts_claim claim;

	channel("ops", "");
	events("ops", 1, 1, 2);
	claim = claim_at(NOW, 8);
	failed(&claim, 0, MINUTE_US);
	assert_string_equal(
		ask("SELECT concat_ws(' ', state, attempts, status, error, next_at AT TIME ZONE 'UTC', claimed_until) FROM "
		    "alert_deliveries"),
		"1 1 503 HTTP 503 2026-11-23 12:01:01 -infinity");
	assert_string_equal(
		ask("SELECT concat_ws(' ', attempt, at AT TIME ZONE 'UTC', took_us, status, error) FROM alert_attempts"),
		"1 2026-11-23 12:00:00 1000000 503 HTTP 503");
	claim = claim_at(NOW + 2 * MINUTE_US, 8);
	delivered(&claim, 0);
	assert_string_equal(
		ask("SELECT concat_ws(' ', state, attempts, status, error, ended_at AT TIME ZONE 'UTC') FROM alert_deliveries"),
		"2 2 204  2026-11-23 12:02:01");
	assert_int_equal(ask_number("SELECT count(*) FROM alert_attempts"), 2);
}

ON_ALERTS(a_message_is_dead_when_its_next_attempt_would_come_too_late)
{
	struct alerts_claim claim;

	channel("ops", "");
	events("ops", 1, 2, 2);
	claim = claim_at(NOW, 8);
	failed(&claim, 0, DAY_US - SECOND_US);
	failed(&claim, 1, DAY_US - SECOND_US + 1);
	assert_int_equal(ask_number("SELECT state FROM alert_deliveries WHERE events = '{1}'"), DELIVERY_WAITING);
	assert_int_equal(ask_number("SELECT state FROM alert_deliveries WHERE events = '{2}' AND ended_at IS NOT NULL"),
		DELIVERY_DEAD);
}

ON_ALERTS(an_attempt_that_ends_late_does_not_undo_a_delivery)
{
	struct alerts_claim first, second;
	struct alerts_finish late;

	channel("ops", "");
	events("ops", 1, 1, 2);
	first = claim_at(NOW, 8);
	second = claim_at(NOW + CLAIM_US, 8);
	delivered(&second, 0);
	late = finish_of(&first, 0, NOW + CLAIM_US + 2 * SECOND_US, FINISH_LATER, SECOND_US);
	finish(&late);
	assert_string_equal(ask("SELECT concat_ws(' ', state, status, error) FROM alert_deliveries"), "2 204 ");
	assert_int_equal(ask_number("SELECT count(*) FROM alert_attempts"), 2);
	late = finish_of(&first, 0, NOW + CLAIM_US + 3 * SECOND_US, FINISH_DEAD, 0);
	finish(&late);
	assert_int_equal(ask_number("SELECT state FROM alert_deliveries"), DELIVERY_DELIVERED);
	assert_int_equal(claim_at(NOW + DAY_US / 2, 8).count, 0);
}

ON_ALERTS(an_attempt_that_ends_late_leaves_the_claim_of_who_is_sending_now)
{
	struct alerts_claim first, second;
	struct alerts_finish late;

	channel("ops", "");
	events("ops", 1, 1, 2);
	first = claim_at(NOW, 8);
	second = claim_at(NOW + CLAIM_US, 8);
	late = finish_of(&first, 0, NOW + CLAIM_US + 2, FINISH_LATER, 0);
	finish(&late);
	assert_int_equal(claim_at(NOW + CLAIM_US + 2 * SECOND_US, 8).count, 0);
	late = finish_of(&first, 0, NOW + CLAIM_US + 3 * SECOND_US, FINISH_DEAD, 0);
	finish(&late);
	assert_int_equal(ask_number("SELECT state FROM alert_deliveries"), DELIVERY_WAITING);
	failed(&second, 0, 0);
	assert_int_equal(claim_at(NOW + CLAIM_US + 4 * SECOND_US, 8).count, 1);
}

ON_ALERTS(a_delivery_that_is_told_late_is_a_delivery)
{
	struct alerts_claim first, second;

	channel("ops", "");
	events("ops", 1, 1, 2);
	first = claim_at(NOW, 8);
	second = claim_at(NOW + CLAIM_US, 8);
	struct alerts_finish dead = finish_of(&second, 0, NOW + CLAIM_US + SECOND_US, FINISH_DEAD, 0);
	finish(&dead);
	struct alerts_finish late = finish_of(&first, 0, NOW + CLAIM_US + 2 * SECOND_US, FINISH_DELIVERED, 0);
	finish(&late);
	assert_string_equal(ask("SELECT concat_ws(' ', state, status, error) FROM alert_deliveries"), "2 204 ");
}

/* The connection may be lost before a commit is confirmed: the store then does the same again. */
ON_ALERTS(an_attempt_that_is_told_twice_counts_once)
{
	struct alerts_claim claim;
	struct alerts_finish op;

	channel("ops", "");
	events("ops", 1, 1, 2);
	claim = claim_at(NOW, 8);
	op = finish_of(&claim, 0, NOW + SECOND_US, FINISH_LATER, 0);
	finish(&op);
	finish(&op);
	assert_int_equal(ask_number("SELECT attempts FROM alert_deliveries"), 1);
	assert_int_equal(ask_number("SELECT failures FROM alert_channels"), 1);
	assert_int_equal(ask_number("SELECT count(*) FROM alert_attempts"), 1);
}

ON_ALERTS(the_last_50_attempts_are_kept)
{
	struct alerts_claim claim;

	channel("ops", "");
	events("ops", 1, 1, 2);
	claim = claim_at(NOW, 8);
	for (int i = 1; i <= 53; i++) {
		struct alerts_finish op = finish_of(&claim, 0, NOW + i * SECOND_US, FINISH_LATER, 0);

		finish(&op);
	}
	assert_string_equal(
		ask("SELECT concat_ws(' ', count(*), min(attempt), max(attempt)) FROM alert_attempts"), "50 4 53");
	assert_int_equal(ask_number("SELECT attempts FROM alert_deliveries"), 53);
}

ON_ALERTS(a_finish_of_what_is_gone_is_fine)
{
	struct alerts_claim claim;

	channel("ops", "");
	events("ops", 1, 1, 2);
	claim = claim_at(NOW, 8);
	sql("DELETE FROM alert_deliveries");
	failed(&claim, 0, 0);
	assert_int_equal(ask_number("SELECT count(*) FROM alert_attempts"), 0);
}

ON_ALERTS(a_claim_says_when_the_next_message_is_due)
{
	struct alerts_claim claim;

	assert_int_equal(claim_at(NOW, 8).next_us, 0);
	channel("ops", "");
	events("ops", 1, 1, 2);
	assert_int_equal(claim_at(NOW - MINUTE_US, 8).next_us, NOW);
	claim = claim_at(NOW, 8);
	failed(&claim, 0, MINUTE_US);
	assert_int_equal(claim_at(NOW + 2 * SECOND_US, 8).next_us, NOW + SECOND_US + MINUTE_US);
}

TEST_GROUP(pg_bench_start, NULL);
