/* Alerts on their way: which pending events become one message, and when, in a PostgreSQL of the test's own. */
#include "alert_bench.h"
#include "lib/test.h"

ON_ALERTS(what_exceeds_the_rate_is_gathered_into_one_message)
{
	struct alerts_claim claim;

	put_channel("ops", "rate_per_minute = 6"); /* one in 10 s, and one more after a pause */
	put_events("ops", 1, 5, 2);
	claim = claim_at(NOW, 8);
	assert_int_equal(claim.count, 2);
	assert_int_equal(claim.message[0].events, 1);
	assert_int_equal(claim.message[1].events, 4);
	assert_int_equal(claim.message[1].event[0].id, 2);
	assert_int_equal(claim.message[1].event[3].id, 5);
	assert_int_equal(claim.message[1].more, 0);
	put_events("ops", 6, 7, 2);
	assert_int_equal(claim_at(NOW + 10 * SECOND_US - 1, 8).count, 0);
	claim = claim_at(NOW + 10 * SECOND_US, 8);
	assert_int_equal(claim.count, 1);
	assert_int_equal(claim.message[0].events, 2);
}

ON_ALERTS(what_exceeds_a_message_follows_in_others_and_each_says_how_much)
{
	static const int expected[][2] = {{100, 150}, {100, 50}, {50, 0}};

	put_channel("ops", "rate_per_minute = 1");
	put_events("ops", 1, 250, 2);
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

	put_channel("ops", "digest_s = 900");
	put_events("ops", 1, 3, 2);
	put_events("ops", 4, 4, 2);
	run_sql("UPDATE alert_pending SET not_before = not_before + interval '15 minutes' WHERE event = 4");
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
	put_channel("ops", "rate_per_minute = 60000");
	put_events("ops", 1, 5000, 2);
	for (int i = 0; i < 20; i++)
		claim_at(NOW + i, 1);
	assert_int_equal(ask_number("SELECT count(*) FROM alert_pending"), 0);
	assert_in_range(ask_number("SELECT count(*) FROM alert_deliveries"), 50, 64);
	assert_int_equal(ask_number("SELECT sum(cardinality(events)) FROM alert_deliveries"), 5000);
}

ON_ALERTS(quiet_hours_hold_back_retries_unless_they_are_critical)
{
	struct alerts_claim claim;

	put_channel("ops", "quiet_from = 720, quiet_to = 780"); /* 12:00 to 13:00 */
	put_events("ops", 1, 1, 2);
	put_events("ops", 2, 2, 3);
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
	put_channel("ops", "quiet_from = 720, quiet_to = 780");
	put_events("ops", 1, 1, 1);
	run_sql("DELETE FROM alert_pending");
	run_sql("INSERT INTO alert_deliveries (message_id, tenant, channel, events, test, created_at, give_up_at, next_at) VALUES ('msg_1', "
		"'acme', 'ops', '{1}', true, " NOW_SQL ", " NOW_SQL " + interval '1 day', " NOW_SQL ")");
	assert_int_equal(claim_at(NOW, 8).count, 1);
}

TEST_GROUP(pg_bench_start, NULL);
