/* How the alerts role sends what is due, with a store that is a list and a deliverer that the tests answer for. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "domain/alert/route.h"
#include "fakes.h"
#include "lib/test.h"
#include "service/alerts/chores.h"

enum { MESSAGES = 32, OPERATIONS = 64 };

static struct fake fake;
static struct timers timers;
static struct wait *waiting; /* the role's tick */
static struct alerts_store store;
static struct deliverer deliverer;
static struct alerts_role *role;
static bool stopped;

/* What is due, in order; claims take it away. */
static int due, first_due;
static int64_t next_us;
static bool store_away, finish_fails, crowded;
static int claims, claim_limit;
static struct alert_lanes lanes; /* of the last claim */
/* What is being sent, and what became of it. */
static struct deliver_job *job[MESSAGES];
static int jobs;
static struct alerts_finish finished[MESSAGES];
static int finishes;
static struct alerts_op *operation[OPERATIONS]; /* to be answered */
static int operations;

static void fake_claim(struct alerts_store *self, struct alerts_claim *op)
{
	(void)self;
	claims++;
	claim_limit = op->limit;
	lanes = op->lanes;
	for (int i = 0; i < lanes.used; i++)
		assert_string_equal(lanes.tenant[i], "acme");
	op->op.ok = !store_away;
	if (store_away)
		err_set(&op->op.err, ERR_UNAVAILABLE, "away");
	op->message = arena_zalloc(op->op.arena, (size_t)op->limit, sizeof(*op->message));
	while (!store_away && op->count < op->limit && first_due < due) {
		struct alerts_message *message = &op->message[op->count++];

		*message = (struct alerts_message){
			.id = first_due,
			.message_id = arena_printf(op->op.arena, "msg_%d", first_due + 1),
			.channel = {.tenant = "acme",
				.name = "ops",
				.kind = CHANNEL_WEBHOOK,
				.target = "https://example.org",
				.language = "",
				.title = "",
				.body = "",
				.quiet_zone = "",
				.secret = {.url = "", .token = ""}},
			.events = 2,
			.more = 7,
			.attempts = 3,
		};
		first_due++;
		message->event = arena_zalloc(op->op.arena, 2, sizeof(*message->event));
		for (int i = 0; i < 2; i++) {
			message->event[i] = alert_event_of(ALERT_THRESHOLD, "acme");
			message->event[i].id = 10 * message->id + i;
			message->event[i].severity = ALERT_WARNING;
		}
	}
	op->more = op->count == op->limit;
	op->crowded = crowded;
	op->next_us = next_us;
	operation[operations++] = &op->op;
}

static void fake_finish(struct alerts_store *self, struct alerts_finish *op)
{
	(void)self;
	op->op.ok = !finish_fails;
	if (finish_fails)
		err_set(&op->op.err, ERR_UNAVAILABLE, "away");
	finished[finishes] = *op;
	finished[finishes++].error = strcmp(op->error, "") == 0 ? "" : "failed";
	operation[operations++] = &op->op;
}

static const struct alerts_store_ops store_ops = {.claim = fake_claim, .finish = fake_finish};

static void fake_start(struct deliverer *self, struct deliver_job *started)
{
	(void)self;
	assert_true(jobs < MESSAGES);
	job[jobs++] = started;
}

static void timers_start(struct timers *self, struct wait *wait, int64_t delay_us)
{
	(void)self;
	wait->at_us = clock_mono_us() + delay_us;
	assert_null(waiting);
	waiting = wait;
}

static void timers_cancel(struct timers *self, struct wait *wait)
{
	(void)self;
	if (waiting == wait)
		waiting = NULL;
}

static void answer_all(void)
{
	for (int i = 0; i < operations; i++)
		operation[i]->done(operation[i]);
	operations = 0;
}

/* Lets the role look as if its interval had passed. */
static void tick(void)
{
	struct wait *tick_due = waiting;

	waiting = NULL;
	if (!stopped)
		role->dispatch.chore.next_us = 0;
	if (tick_due) /* else the chore is under way */
		tick_due->due(tick_due);
	answer_all();
}

static void ended(int i, enum deliver_outcome outcome, int status, int64_t retry_after_us)
{
	job[i]->outcome = outcome;
	job[i]->status = status;
	job[i]->retry_after_us = retry_after_us;
	job[i]->took_us = 1234;
	strcpy(job[i]->error, outcome == DELIVER_DONE ? "" : "failed");
	job[i]->done(job[i]);
	answer_all();
}

static void role_gone(struct role_chores *chores)
{
	free(container_of(chores, struct alerts_role, role));
}

static void on_stopped(void *arg)
{
	(void)arg;
	stopped = true;
}

static int begin(void **state)
{
	(void)state;
	fake_init(&fake);
	due = first_due = claims = jobs = finishes = operations = 0;
	next_us = 0;
	store_away = finish_fails = crowded = stopped = false;
	waiting = NULL;
	timers = (struct timers){.start = timers_start, .cancel = timers_cancel};
	store.ops = &store_ops;
	deliverer.start = fake_start;
	fake.worker->parts.timers = &timers;
	role = mem_zalloc(1, sizeof(*role));
	role->role = (struct role_chores){.worker = fake.worker, .name = "alerts", .free = role_gone};
	role->alerts = &store;
	role->deliverer = &deliverer;
	role_init(&role->role);
	dispatch_init(&role->dispatch);
	role_add(&role->role, &role->dispatch.chore);
	role_start(&role->role);
	return 0;
}

static int end(void **state)
{
	int finishes_before = finishes;

	(void)state;
	if (!stopped)
		role_stop(&role->role, on_stopped, NULL);
	for (int i = finishes_before; i < jobs; i++)
		ended(i, DELIVER_DONE, 204, 0);
	while (!stopped)
		tick();
	fake_release(&fake);
	return 0;
}

#define WITH_ROLE(name) TEST_WITH(name, begin, end)

WITH_ROLE(what_is_due_is_sent_and_what_became_of_it_is_stored)
{
	due = 1;
	tick();
	assert_int_equal(jobs, 1);
	assert_string_equal(job[0]->message_id, "msg_1");
	assert_string_equal(job[0]->channel->name, "ops");
	assert_non_null(strstr(job[0]->message->body, "bursar.alerts"));
	assert_true(job[0]->now_us > 0);
	assert_int_equal(finishes, 0);
	ended(0, DELIVER_DONE, 204, 0);
	assert_int_equal(finishes, 1);
	assert_int_equal(finished[0].id, 0);
	assert_int_equal(finished[0].what, FINISH_DELIVERED);
	assert_int_equal(finished[0].status, 204);
	assert_int_equal(finished[0].took_us, 1234);
	assert_string_equal(finished[0].error, "");
}

WITH_ROLE(a_claim_lasts_longer_than_an_attempt_and_is_told_when_it_ends)
{
	const struct conf *conf = fake.worker->parts.conf;
	const struct alerts_claim *claim;

	due = 1;
	tick();
	claim = &role->dispatch.claiming->claim;
	assert_int_equal(claim->claim_us, conf->alert_timeout_ms * 1000 + 5 * SECOND_US);
	assert_int_equal(claim->give_up_us, conf->alert_give_up_s * SECOND_US);
	assert_int_equal(claim->limit, ALERT_LANES);
	int64_t until_us = claim->now_us + claim->claim_us;
	ended(0, DELIVER_DONE, 200, 0);
	assert_int_equal(finished[0].claimed_until_us, until_us);
}

WITH_ROLE(what_fails_is_tried_later_and_what_is_refused_is_dead)
{
	due = 3;
	tick();
	ended(0, DELIVER_RETRY, 503, 0);
	ended(1, DELIVER_RETRY, 429, 2 * HOUR_US);
	ended(2, DELIVER_DEAD, 410, 0);
	assert_int_equal(finished[0].what, FINISH_LATER);
	assert_in_range(finished[0].pause_us, alert_retry_pause(4, 0, 0), 2 * alert_retry_pause(4, 0, 0));
	assert_string_equal(finished[0].error, "failed");
	assert_int_equal(finished[1].pause_us, 2 * HOUR_US);
	assert_int_equal(finished[2].what, FINISH_DEAD);
	assert_int_equal(finished[2].status, 410);
	assert_int_not_equal(finished[0].random, finished[1].random);
}

WITH_ROLE(a_slow_destination_holds_one_lane_and_the_others_go_on)
{
	due = 28;
	tick();
	assert_int_equal(jobs, ALERT_LANES);
	tick();
	assert_int_equal(jobs, ALERT_LANES);
	assert_int_equal(claims, 1);
	for (int i = 1; i < 13; i++) {
		ended(i, DELIVER_DONE, 204, 0);
		answer_all();
		assert_int_equal(claim_limit, 1);
	}
	assert_int_equal(jobs, 28);
	for (int i = 13; i < 28; i++)
		ended(i, DELIVER_DONE, 204, 0);
	assert_int_equal(finishes, 27);
	ended(0, DELIVER_RETRY, 0, 0);
	assert_int_equal(finished[27].id, 0);
}

WITH_ROLE(a_claim_says_which_lanes_are_in_use_and_comes_again_when_one_of_them_is_free)
{
	due = 3;
	crowded = true;
	tick();
	assert_int_equal(lanes.used, 0);
	assert_int_equal(claims, 1);
	ended(1, DELIVER_DONE, 204, 0);
	assert_int_equal(claims, 2);
	assert_int_equal(lanes.used, 2);
	assert_int_equal(lanes.slow, 2);
	crowded = false;
	ended(0, DELIVER_DONE, 204, 0);
	assert_int_equal(claims, 3);
	ended(2, DELIVER_DONE, 204, 0);
	assert_int_equal(claims, 3);
}

WITH_ROLE(what_is_aborted_is_due_at_once)
{
	due = 1;
	tick();
	ended(0, DELIVER_ABORTED, 0, 0);
	assert_int_equal(finished[0].what, FINISH_ABORTED);
	assert_int_equal(finished[0].pause_us, 0);
}

WITH_ROLE(nothing_is_lost_while_the_store_is_away)
{
	due = 1;
	store_away = true;
	tick();
	assert_int_equal(jobs, 0);
	store_away = false;
	tick();
	assert_int_equal(jobs, 1);
	finish_fails = true;
	ended(0, DELIVER_DONE, 204, 0);
	finish_fails = false;
	due = 2;
	tick();
	assert_int_equal(jobs, 2);
	ended(1, DELIVER_DONE, 204, 0);
	assert_int_equal(finishes, 2);
}

WITH_ROLE(it_sleeps_a_second_or_until_the_next_message_is_due)
{
	tick();
	assert_int_equal(role->dispatch.chore.interval_us, SECOND_US);
	next_us = worker_now_us(fake.worker) + 100000;
	tick();
	assert_in_range(role->dispatch.chore.interval_us, 10000, 100000);
	next_us = worker_now_us(fake.worker) - SECOND_US;
	tick();
	assert_int_equal(role->dispatch.chore.interval_us, 10000);
	next_us = worker_now_us(fake.worker) + HOUR_US;
	tick();
	assert_int_equal(role->dispatch.chore.interval_us, SECOND_US);
	due = 1; /* its channel may have more, of which only so many are sent at a time */
	tick();
	assert_int_equal(role->dispatch.chore.interval_us, 250000);
}

WITH_ROLE(a_stop_waits_for_what_is_being_sent_and_claims_nothing_more)
{
	due = 20;
	tick();
	role_stop(&role->role, on_stopped, NULL);
	tick();
	for (int i = 0; i < ALERT_LANES; i++) {
		assert_false(stopped);
		ended(i, DELIVER_DONE, 204, 0);
	}
	assert_true(stopped);
	assert_int_equal(finishes, ALERT_LANES);
	assert_int_equal(claims, 1);
}
