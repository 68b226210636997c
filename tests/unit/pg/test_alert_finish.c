/* Alerts on their way: what becomes of an attempt, its message and its channel, in a PostgreSQL of the test's own. */
#include <string.h>

#include "alert_bench.h"
#include "domain/alert/route.h"
#include "lib/test.h"

/*
 * Opens the circuit of a channel with eight messages, by two failures at NOW + 1 s after three; two more messages are under way then. Returns
 * until when.
 */
static int64_t open_circuit(void)
{
	struct alerts_claim claim;

	put_channel("ops", "failures = 3");
	put_events("ops", 1, 8, 2);
	claim = claim_at(NOW, 8);
	assert_int_equal(claim.count, 4);
	for (int i = 0; i < claim.count; i++)
		failed(&claim, i, 2 * SECOND_US);
	return ask_number("SELECT (extract(epoch FROM open_until) * 1000000)::bigint FROM alert_channels");
}

ON_ALERTS(a_circuit_opens_at_the_fifth_failure_and_those_under_way_do_not_prolong_it)
{
	int64_t until_us = open_circuit();

	assert_int_equal(ask_number("SELECT failures FROM alert_channels"), 5);
	assert_int_equal(until_us, NOW + SECOND_US + alert_circuit_pause(5, 0));
	put_events("ops", 9, 9, 3);
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
	run_finish(&op);
	assert_int_equal(ask_number("SELECT failures FROM alert_channels"), 0);
	assert_int_equal(ask_number("SELECT count(*) FROM alert_deliveries WHERE state = 3"), 1);
}

ON_ALERTS(behind_an_open_circuit_messages_die_when_they_are_to_be_given_up)
{
	open_circuit();
	run_sql("UPDATE alert_channels SET open_until = 'infinity'");
	assert_int_equal(claim_at(NOW + DAY_US - 1, 8).count, 0);
	assert_int_equal(ask_number("SELECT count(*) FROM alert_deliveries WHERE state = 1"), 8);
	assert_int_equal(claim_at(NOW + DAY_US, 8).count, 0);
	assert_int_equal(ask_number("SELECT count(*) FROM alert_deliveries WHERE state = 3 AND error = 'HTTP 503'"), 4);
	assert_int_equal(
		ask_number("SELECT count(*) FROM alert_deliveries WHERE state = 3 AND error LIKE 'not tried: %'"), 4);
}

ON_ALERTS(a_failed_attempt_is_stored_and_the_message_waits)
{
	struct alerts_claim claim;

	put_channel("ops", "");
	put_events("ops", 1, 1, 2);
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

	put_channel("ops", "");
	put_events("ops", 1, 2, 2);
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

	put_channel("ops", "");
	put_events("ops", 1, 1, 2);
	first = claim_at(NOW, 8);
	second = claim_at(NOW + CLAIM_US, 8);
	delivered(&second, 0);
	late = finish_of(&first, 0, NOW + CLAIM_US + 2 * SECOND_US, FINISH_LATER, SECOND_US);
	run_finish(&late);
	assert_string_equal(ask("SELECT concat_ws(' ', state, status, error) FROM alert_deliveries"), "2 204 ");
	assert_int_equal(ask_number("SELECT count(*) FROM alert_attempts"), 2);
	late = finish_of(&first, 0, NOW + CLAIM_US + 3 * SECOND_US, FINISH_DEAD, 0);
	run_finish(&late);
	assert_int_equal(ask_number("SELECT state FROM alert_deliveries"), DELIVERY_DELIVERED);
	assert_int_equal(claim_at(NOW + DAY_US / 2, 8).count, 0);
}

ON_ALERTS(an_attempt_that_ends_late_leaves_the_claim_of_who_is_sending_now)
{
	struct alerts_claim first, second;
	struct alerts_finish late;

	put_channel("ops", "");
	put_events("ops", 1, 1, 2);
	first = claim_at(NOW, 8);
	second = claim_at(NOW + CLAIM_US, 8);
	late = finish_of(&first, 0, NOW + CLAIM_US + 2, FINISH_LATER, 0);
	run_finish(&late);
	assert_int_equal(claim_at(NOW + CLAIM_US + 2 * SECOND_US, 8).count, 0);
	late = finish_of(&first, 0, NOW + CLAIM_US + 3 * SECOND_US, FINISH_DEAD, 0);
	run_finish(&late);
	assert_int_equal(ask_number("SELECT state FROM alert_deliveries"), DELIVERY_WAITING);
	failed(&second, 0, 0);
	assert_int_equal(claim_at(NOW + CLAIM_US + 4 * SECOND_US, 8).count, 1);
}

ON_ALERTS(a_delivery_that_is_told_late_is_a_delivery)
{
	struct alerts_claim first, second;

	put_channel("ops", "");
	put_events("ops", 1, 1, 2);
	first = claim_at(NOW, 8);
	second = claim_at(NOW + CLAIM_US, 8);
	struct alerts_finish dead = finish_of(&second, 0, NOW + CLAIM_US + SECOND_US, FINISH_DEAD, 0);
	run_finish(&dead);
	struct alerts_finish late = finish_of(&first, 0, NOW + CLAIM_US + 2 * SECOND_US, FINISH_DELIVERED, 0);
	run_finish(&late);
	assert_string_equal(ask("SELECT concat_ws(' ', state, status, error) FROM alert_deliveries"), "2 204 ");
}

/* The connection may be lost before a commit is confirmed: the store then does the same again. */
ON_ALERTS(an_attempt_that_is_told_twice_counts_once)
{
	struct alerts_claim claim;
	struct alerts_finish op;

	put_channel("ops", "");
	put_events("ops", 1, 1, 2);
	claim = claim_at(NOW, 8);
	op = finish_of(&claim, 0, NOW + SECOND_US, FINISH_LATER, 0);
	run_finish(&op);
	run_finish(&op);
	assert_int_equal(ask_number("SELECT attempts FROM alert_deliveries"), 1);
	assert_int_equal(ask_number("SELECT failures FROM alert_channels"), 1);
	assert_int_equal(ask_number("SELECT count(*) FROM alert_attempts"), 1);
}

/* This process stops: that says nothing of the destination. */
ON_ALERTS(an_attempt_that_is_aborted_leaves_the_channel_alone_and_is_made_again_at_once)
{
	struct alerts_claim claim, again;
	struct alerts_finish op;

	put_channel("ops", "failures = 4");
	put_events("ops", 1, 1, 2);
	claim = claim_at(NOW, 8);
	op = finish_of(&claim, 0, NOW + SECOND_US, FINISH_ABORTED, 0);
	op.status = 0;
	op.error = "this process is stopping";
	run_finish(&op);
	assert_string_equal(
		ask("SELECT concat_ws(' ', failures, open_until, prompt) FROM alert_channels"), "4 -infinity t");
	assert_string_equal(ask("SELECT concat_ws(' ', attempt, status, error) FROM alert_attempts"),
		"1 0 this process is stopping");
	again = claim_at(NOW + SECOND_US, 8);
	assert_int_equal(again.count, 1);
	assert_string_equal(again.message[0].message_id, claim.message[0].message_id);
	op = finish_of(&again, 0, NOW + DAY_US + SECOND_US, FINISH_ABORTED, 0);
	run_finish(&op);
	assert_int_equal(ask_number("SELECT state FROM alert_deliveries"), DELIVERY_WAITING);
}

ON_ALERTS(a_destination_is_prompt_as_long_as_it_answers_at_once)
{
	static const struct {
		enum alerts_fate what;
		int64_t took_us;
		int status;
		bool prompt;
	} attempts[] = {{FINISH_DELIVERED, ALERT_PROMPT_US, 204, true},
		{FINISH_DELIVERED, ALERT_PROMPT_US + 1, 204, false}, {FINISH_DEAD, SECOND_US, 410, true},
		{FINISH_LATER, SECOND_US, 503, false}, {FINISH_DEAD, SECOND_US, 0, false},
		{FINISH_DELIVERED, SECOND_US, 204, true}, {FINISH_DEAD, SECOND_US, 0, true}};

	put_channel("ops", "prompt = false");
	for (int i = 0; i < (int)(sizeof(attempts) / sizeof(attempts[0])); i++) {
		int64_t now_us = NOW + i * MINUTE_US;
		struct alerts_claim claim;
		struct alerts_finish op;

		put_events("ops", i + 1, i + 1, 2);
		claim = claim_at(now_us, 1);
		assert_int_equal(claim.count, 1);
		op = finish_of(&claim, 0, now_us + SECOND_US, attempts[i].what, DAY_US / 2);
		op.took_us = attempts[i].took_us;
		op.status = attempts[i].status;
		run_finish(&op);
		assert_int_equal(ask_number("SELECT prompt::int FROM alert_channels"), attempts[i].prompt);
	}
}

ON_ALERTS(the_last_50_attempts_are_kept)
{
	struct alerts_claim claim;

	put_channel("ops", "");
	put_events("ops", 1, 1, 2);
	claim = claim_at(NOW, 8);
	for (int i = 1; i <= 53; i++) {
		struct alerts_finish op = finish_of(&claim, 0, NOW + i * SECOND_US, FINISH_LATER, 0);

		run_finish(&op);
	}
	assert_string_equal(
		ask("SELECT concat_ws(' ', count(*), min(attempt), max(attempt)) FROM alert_attempts"), "50 4 53");
	assert_int_equal(ask_number("SELECT attempts FROM alert_deliveries"), 53);
}

ON_ALERTS(a_finish_of_what_is_gone_is_fine)
{
	struct alerts_claim claim;

	put_channel("ops", "");
	put_events("ops", 1, 1, 2);
	claim = claim_at(NOW, 8);
	run_sql("DELETE FROM alert_deliveries");
	failed(&claim, 0, 0);
	assert_int_equal(ask_number("SELECT count(*) FROM alert_attempts"), 0);
}

TEST_GROUP(pg_bench_start, NULL);
