/* Alerts on their way: what is claimed, by whom, and how much at a time, in a PostgreSQL of the test's own. */
#include <stdio.h>
#include <string.h>

#include "alert_bench.h"
#include "lib/test.h"

ON_ALERTS(each_pending_event_becomes_a_message_that_is_claimed_once)
{
	struct alerts_claim claim, again;

	put_channel("ops", "");
	put_events("ops", 1, 3, 2);
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

	put_channel("ops", "");
	put_events("ops", 1, 4, 2);
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

	put_channel("a", "");
	put_channel("b", "");
	put_events("a", 1, 8, 2);
	put_events("b", 11, 11, 2);
	claim = claim_at(NOW, 2);
	assert_int_equal(claim.count, 2);
	assert_string_not_equal(claim.message[0].channel.name, claim.message[1].channel.name);
}

ON_ALERTS(four_messages_of_a_channel_are_sent_at_a_time)
{
	struct alerts_claim claim;

	put_channel("ops", "");
	put_events("ops", 1, 6, 2);
	claim = claim_at(NOW, 8);
	assert_int_equal(claim.count, 4);
	assert_int_equal(claim_at(NOW, 8).count, 0);
	delivered(&claim, 0);
	assert_int_equal(claim_at(NOW + SECOND_US, 8).count, 1);
}

ON_ALERTS(a_message_whose_claim_has_lapsed_is_claimed_again_under_the_same_id)
{
	struct alerts_claim first, second;

	put_channel("ops", "");
	put_events("ops", 1, 1, 2);
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
		put_channel(name, i == 3 ? "ordered = true, rate_per_minute = 60000" : "rate_per_minute = 60000");
		put_events(name, 1000 * i + 1, 1000 * i + 150, 2);
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

	put_channel("ops", "ordered = true");
	put_events("ops", 1, 3, 2);
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

/* Claims until nothing is left that the lanes have room for; returns how many messages of the tenant are in them. */
static int fill_lanes(struct alert_lanes *lanes, const char *tenant)
{
	struct alerts_claim claim;
	int count = 0;

	do {
		claim = claim_beside(NOW, lanes);
		for (int i = 0; i < claim.count; i++) {
			alert_lanes_use(lanes, &claim.message[i].channel);
			count += strcmp(claim.message[i].channel.tenant, tenant) == 0;
		}
	} while (claim.more);
	assert_true(claim.crowded);
	return count;
}

static void give(const char *channel, const char *tenant)
{
	run_sql("UPDATE alert_channels SET tenant = '%s' WHERE name = '%s'", tenant, channel);
	run_sql("UPDATE alert_pending SET tenant = '%s' WHERE channel = '%s'", tenant, channel);
}

ON_ALERTS(destinations_that_may_not_answer_leave_lanes_to_the_others)
{
	struct alert_lanes lanes = {0};
	struct alerts_claim claim;

	for (int i = 0; i < 60; i++) {
		char name[16];

		snprintf(name, sizeof(name), "dead%d", i);
		put_channel(name, i % 2 ? "prompt = false" : "prompt = false, failures = 1");
		put_events(name, 10 * i + 1, 10 * i + 2, 2);
	}
	put_channel("alive", "");
	put_events("alive", 1001, 1001, 2);
	give("alive", "blue");
	assert_int_equal(fill_lanes(&lanes, "blue"), 1);
	assert_int_equal(lanes.slow, ALERT_LANES_SLOW);
	lanes.slow--;
	lanes.used--;
	claim = claim_beside(NOW, &lanes);
	assert_int_equal(claim.count, 1);
	assert_string_equal(claim.message[0].channel.tenant, "acme");
}

ON_ALERTS(a_tenant_leaves_lanes_to_the_others)
{
	struct alert_lanes lanes = {0};

	for (int i = 0; i < 5; i++) {
		char name[16];

		snprintf(name, sizeof(name), "red%d", i);
		put_channel(name, "");
		put_events(name, 10 * i + 1, 10 * i + 4, 2);
	}
	put_channel("blue", "");
	put_events("blue", 1001, 1001, 2);
	give("blue", "blue");
	assert_int_equal(fill_lanes(&lanes, "acme"), ALERT_LANES_TENANT);
	assert_int_equal(lanes.used, ALERT_LANES_TENANT + 1);
}

ON_ALERTS(a_destination_that_has_not_answered_yet_gets_one_message)
{
	struct alerts_claim claim;

	put_channel("ops", "prompt = false");
	put_events("ops", 1, 6, 2);
	claim = claim_at(NOW, 8);
	assert_int_equal(claim.count, 1);
	assert_int_equal(claim_at(NOW + 1, 8).count, 0);
	delivered(&claim, 0);
	assert_int_equal(claim_at(NOW + 2 * SECOND_US, 8).count, 4);
}

ON_ALERTS(a_disabled_channel_waits_and_one_that_is_gone_is_cancelled)
{
	struct alerts_claim claim;

	put_channel("ops", "");
	put_events("ops", 1, 1, 2);
	claim = claim_at(NOW, 8);
	failed(&claim, 0, 0);
	put_events("ops", 2, 2, 2);
	run_sql("UPDATE alert_channels SET enabled = false");
	assert_int_equal(claim_at(NOW + MINUTE_US, 8).count, 0);
	assert_int_equal(ask_number("SELECT count(*) FROM alert_pending"), 1);
	run_sql("UPDATE alert_channels SET enabled = true, prompt = true");
	claim = claim_at(NOW + 2 * MINUTE_US, 8);
	assert_int_equal(claim.count, 2);
	failed(&claim, 0, 0);
	failed(&claim, 1, 0);
	put_events("ops", 3, 3, 2);
	run_sql("DELETE FROM alert_channels");
	assert_int_equal(claim_at(NOW + 3 * MINUTE_US, 8).count, 0);
	assert_int_equal(ask_number("SELECT count(*) FROM alert_pending"), 0);
	assert_int_equal(
		ask_number("SELECT count(*) FROM alert_deliveries WHERE state = 4 AND ended_at IS NOT NULL"), 2);
}

ON_ALERTS(a_message_without_any_event_left_is_cancelled)
{
	struct alerts_claim claim;

	put_channel("ops", "digest_s = 60");
	put_events("ops", 1, 2, 2);
	claim = claim_at(NOW, 8);
	failed(&claim, 0, 0);
	run_sql("DELETE FROM alert_events WHERE id = 1");
	claim = claim_at(NOW + MINUTE_US, 8);
	assert_int_equal(claim.count, 1);
	assert_int_equal(claim.message[0].events, 1);
	failed(&claim, 0, 0);
	run_sql("DELETE FROM alert_events");
	assert_int_equal(claim_at(NOW + 2 * MINUTE_US, 8).count, 0);
	assert_int_equal(ask_number("SELECT state FROM alert_deliveries"), DELIVERY_CANCELLED);
}

ON_ALERTS(a_claim_says_when_the_next_message_is_due)
{
	struct alerts_claim claim;

	assert_int_equal(claim_at(NOW, 8).next_us, 0);
	put_channel("ops", "");
	put_events("ops", 1, 1, 2);
	assert_int_equal(claim_at(NOW - MINUTE_US, 8).next_us, NOW);
	claim = claim_at(NOW, 8);
	failed(&claim, 0, MINUTE_US);
	assert_int_equal(claim_at(NOW + 2 * SECOND_US, 8).next_us, NOW + SECOND_US + MINUTE_US);
}

TEST_GROUP(pg_bench_start, NULL);
