/*
 * Readers of events on a store and a clock that this test plays: the order in which events reach them, what is read once for all of
 * them and what each reads itself, and that none is skipped.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "lib/test.h"
#include "service/events/private.h"

enum { STORED_MAX = 12000 };

static struct {
	struct admin_store store;
	struct alert_event event[STORED_MAX]; /* in the order of cursors */
	int events;
	int64_t kept_from; /* those below this cursor have been deleted */
	bool away;
	int polls, pages; /* answered */
	struct alert_event_list *asked[64];
	int asks;
} store;
static struct timers timers;
static struct wait *waiting;
static struct conf conf;
static struct worker worker;

static void wait_start(struct timers *self, struct wait *wait, int64_t delay_us)
{
	(void)self;
	(void)delay_us;
	assert_null(waiting); /* the hub has one */
	waiting = wait;
}

static void ask(struct admin_store *self, struct alert_event_list *op)
{
	(void)self;
	assert_true(op->forward);
	store.asked[store.asks++] = op;
}

static bool matches(const struct alert_event_list *op, const struct alert_event *event)
{
	return event->seq > op->after && event->seq >= store.kept_from &&
	       (op->all_tenants ? event->tenant[0] != '\0' : strcmp(event->tenant, op->tenant) == 0) &&
	       (!op->kinds || op->kinds & 1u << event->kind) &&
	       (!op->account[0] || strcmp(op->account, event->account) == 0);
}

static void answer(struct alert_event_list *op)
{
	op->job.ok = !store.away;
	if (store.away) {
		err_set(&op->job.err, ERR_UNAVAILABLE, "PostgreSQL is away");
		return;
	}
	*(op->all_tenants ? &store.polls : &store.pages) += 1;
	op->rows = arena_zalloc(op->job.arena, (size_t)op->limit + 1, sizeof(op->rows[0]));
	for (int i = 0; i < store.events; i++) {
		op->last = store.event[i].seq;
		if (op->last >= store.kept_from)
			op->newest = op->last;
		if (!matches(op, &store.event[i]))
			continue;
		op->more = op->count == op->limit;
		if (!op->more)
			op->rows[op->count++] = store.event[i];
	}
}

/* Answers what has been asked, and what that leads to. */
static void run(void)
{
	while (store.asks) {
		struct alert_event_list *op = store.asked[--store.asks];

		answer(op);
		op->job.done(&op->job);
	}
}

/* Time passes: the hub's timer is due, and so is its poll. */
static void tick(void)
{
	struct wait *wait = waiting;

	assert_non_null(wait);
	worker.events->poll_at_us = 0;
	waiting = NULL;
	wait->due(wait);
	run();
}

static void happen_of(const char *tenant, enum alert_kind kind, const char *user)
{
	struct alert_event *event = &store.event[store.events++];

	assert_true(store.events <= STORED_MAX);
	*event = (struct alert_event){.id = store.events,
		.seq = store.events + EVENTS_START,
		.tenant = tenant,
		.kind = kind,
		.account_kind = ACCOUNT_USER,
		.account = user};
}

static void happen(int count)
{
	for (int i = 0; i < count; i++)
		happen_of("acme", ALERT_TIER, "ann");
}

/* A reader that takes everything at once, unless it is `slow`. */
struct taker {
	struct event_reader reader;
	int64_t first, last; /* cursors of the events that it has got */
	int got;
	bool slow, begun, failed, in_order;
	struct err err;
};

static void take(struct taker *taker)
{
	const struct alert_event *event;
	enum event_next next;

	while ((next = event_reader_next(&taker->reader, &event, &taker->err)) != EVENT_WAIT && next != EVENT_FAILED) {
		if (next == EVENT_BEGUN) {
			taker->begun = true;
			continue;
		}
		taker->in_order = taker->in_order && event->seq > taker->last;
		assert_int_equal(taker->reader.cursor, event->seq);
		taker->last = event->seq;
		if (!taker->got++)
			taker->first = event->seq;
	}
	taker->failed = next == EVENT_FAILED;
}

static void ready(struct event_reader *reader)
{
	struct taker *taker = container_of(reader, struct taker, reader);

	if (!taker->slow)
		take(taker);
}

static struct taker taker_of(int64_t cursor)
{
	return (struct taker){.reader = {.tenant = "acme",
				      .user = "",
				      .kinds = 1u << ALERT_TIER,
				      .cursor = cursor,
				      .ready = ready,
				      .wake_us = INT64_MAX},
		.in_order = true};
}

static void start(struct taker *taker)
{
	struct err err;

	assert_true(event_reader_start(&taker->reader, &worker, &err));
	take(taker);
}

static void stop(struct taker *taker)
{
	assert_true(event_reader_stop(&taker->reader));
}

static int set_up(void **state)
{
	static const struct admin_store_ops ops = {.alert_event_list = ask};

	(void)state;
	memset(&store, 0, sizeof(store));
	store.store.ops = &ops;
	timers.start = wait_start;
	conf.max_watchers = 3;
	worker = (struct worker){.parts = {.admin = &store.store, .timers = &timers, .conf = &conf}};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	run();
	while (waiting)
		tick();
	assert_true(event_hub_stop(worker.events));
	event_hub_free(worker.events);
	return 0;
}
#define READING(name) TEST_WITH(name, set_up, tear_down)

READING(a_reader_from_now_on_gets_what_happens_from_then_on)
{
	struct taker taker = taker_of(0);

	happen(3);
	start(&taker);
	assert_false(taker.begun);
	run();
	assert_true(taker.begun);
	assert_int_equal(taker.reader.cursor, 4);
	happen(2);
	tick();
	assert_int_equal(taker.got, 2);
	assert_int_equal(taker.first, 5);
	stop(&taker);
}

READING(a_reader_from_now_on_gets_nothing_that_happened_between_two_polls)
{
	struct taker first = taker_of(0), second = taker_of(0);

	start(&first);
	run();
	happen(1);
	start(&second);
	run();
	assert_int_equal(first.got, 1);
	assert_int_equal(second.got, 0);
	assert_true(second.begun);
	stop(&first);
	stop(&second);
}

READING(without_any_event_the_cursor_is_not_0)
{
	struct taker taker = taker_of(0);

	start(&taker);
	run();
	assert_int_equal(taker.reader.cursor, EVENTS_START);
	stop(&taker);
}

READING(many_readers_cost_one_poll)
{
	struct taker taker[3] = {taker_of(0), taker_of(0), taker_of(0)};
	int polls;

	for (int i = 0; i < 3; i++)
		start(&taker[i]);
	run();
	polls = store.polls;
	happen(10);
	tick();
	assert_int_equal(store.polls, polls + 1);
	assert_int_equal(store.pages, 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(taker[i].got, 10);
		stop(&taker[i]);
	}
}

READING(there_are_no_more_readers_than_max_watchers)
{
	struct taker taker[3] = {taker_of(0), taker_of(0), taker_of(0)}, fourth = taker_of(0);
	struct err err;

	for (int i = 0; i < 3; i++)
		start(&taker[i]);
	assert_false(event_reader_start(&fourth.reader, &worker, &err));
	assert_int_equal(err.code, ERR_EXHAUSTED);
	run();
	for (int i = 0; i < 3; i++)
		stop(&taker[i]);
}

READING(a_reader_continues_after_its_cursor_page_by_page)
{
	struct taker taker = taker_of(EVENTS_START);

	happen(10000);
	start(&taker);
	run();
	assert_int_equal(taker.got, 10000);
	assert_true(taker.in_order);
	assert_int_equal(store.pages, 10000 / EVENTS_PAGE);
	happen(7);
	tick();
	assert_int_equal(taker.got, 10007);
	assert_true(taker.in_order);
	stop(&taker);
}

READING(a_reader_skips_nothing_that_happens_while_it_reads_its_pages)
{
	struct taker taker = taker_of(EVENTS_START);

	happen(150);
	start(&taker);
	taker.slow = true;
	run();
	take(&taker); /* asks for its first page */
	happen(5);
	tick();
	happen(5);
	taker.slow = false;
	take(&taker);
	run();
	tick();
	assert_int_equal(taker.got, 160);
	assert_true(taker.in_order);
	stop(&taker);
}

READING(a_slow_reader_gets_everything_and_the_hub_keeps_a_bounded_number)
{
	struct taker slow = taker_of(0), fast = taker_of(0);

	start(&slow);
	start(&fast);
	run();
	slow.slow = true;
	for (int i = 0; i < 10; i++) {
		happen(1000);
		tick();
	}
	assert_int_equal(fast.got, 10000);
	assert_int_equal(store.pages, 0);
	assert_true(worker.events->kept <= EVENTS_KEPT_MAX);
	slow.slow = false;
	take(&slow);
	run();
	assert_int_equal(slow.got, 10000);
	assert_true(slow.in_order);
	assert_true(store.pages > 0);
	stop(&slow);
	stop(&fast);
}

READING(each_gets_what_its_own_filters_let_through_and_moves_on_past_the_rest)
{
	struct taker all = taker_of(0), ann = taker_of(0), denials = taker_of(EVENTS_START);

	ann.reader.user = "ann";
	denials.reader.kinds = 1u << ALERT_DENIAL;
	start(&all);
	start(&ann);
	start(&denials);
	run();
	happen_of("acme", ALERT_TIER, "ann");
	happen_of("acme", ALERT_TIER, "bob");
	happen_of("other", ALERT_TIER, "ann");
	happen_of("acme", ALERT_DENIAL, "bob");
	happen_of("", ALERT_TIER, "");
	tick();
	assert_int_equal(all.got, 2);
	assert_int_equal(ann.got, 1);
	assert_int_equal(denials.got, 1);
	assert_int_equal(denials.first, 5);
	assert_int_equal(ann.reader.cursor, 6);
	stop(&all);
	stop(&ann);
	stop(&denials);
}

READING(a_cursor_below_the_oldest_event_continues_with_it)
{
	struct taker taker = taker_of(3);

	happen(20);
	store.kept_from = 15;
	start(&taker);
	run();
	assert_int_equal(taker.first, 15);
	assert_int_equal(taker.got, 7);
	stop(&taker);
}

READING(a_cursor_is_good_when_every_event_has_been_deleted)
{
	struct taker taker = taker_of(10);

	happen(20);
	store.kept_from = 1000;
	start(&taker);
	run();
	assert_true(taker.begun);
	assert_false(taker.failed);
	store.kept_from = 22;
	happen(1);
	tick();
	assert_int_equal(taker.first, 22);
	stop(&taker);
}

READING(events_deleted_while_a_reader_is_behind_do_not_keep_it_asking)
{
	struct taker early = taker_of(0), taker = taker_of(2);

	happen(20);
	start(&early);
	run();
	store.kept_from = 1000;
	start(&taker);
	run();
	assert_int_equal(store.pages, 1);
	assert_int_equal(taker.got, 0);
	stop(&early);
	stop(&taker);
}

READING(a_cursor_above_all_others_is_refused)
{
	struct taker taker = taker_of(1000);

	happen(5);
	start(&taker);
	run();
	assert_true(taker.failed);
	assert_int_equal(taker.err.code, ERR_INVALID);
	assert_string_equal(taker.err.field, "after");
	stop(&taker);
}

READING(a_cursor_that_another_process_gave_a_moment_ago_is_good)
{
	struct taker first = taker_of(0), taker = taker_of(3);

	start(&first);
	run();
	happen(2); /* the hub has not read them yet */
	start(&taker);
	run();
	assert_true(taker.begun);
	assert_false(taker.failed);
	stop(&first);
	stop(&taker);
}

READING(without_the_store_nobody_begins_and_those_who_have_wait)
{
	struct taker old = taker_of(0), new = taker_of(0);

	start(&old);
	run();
	store.away = true;
	start(&new);
	run();
	assert_true(new.failed);
	assert_int_equal(new.err.code, ERR_UNAVAILABLE);
	assert_false(old.failed);
	stop(&new);
	store.away = false;
	happen(1);
	tick();
	assert_int_equal(old.got, 1);
	stop(&old);
}

READING(a_reader_is_not_stopped_while_its_page_is_on_its_way)
{
	struct taker taker = taker_of(EVENTS_START);

	happen(1);
	start(&taker);
	taker.slow = true;
	run();
	take(&taker);
	assert_false(event_reader_stop(&taker.reader));
	run();
	stop(&taker);
}

READING(a_hub_without_readers_rests_and_begins_anew)
{
	struct taker taker = taker_of(0);
	int polls;

	start(&taker);
	run();
	stop(&taker);
	tick();
	assert_null(waiting);
	polls = store.polls;
	happen(5);
	taker = taker_of(0);
	start(&taker);
	run();
	assert_int_equal(store.polls, polls + 1);
	assert_int_equal(taker.reader.cursor, 6);
	assert_int_equal(taker.got, 0);
	stop(&taker);
}

READING(a_reader_is_woken_when_it_wants_to)
{
	struct taker taker = taker_of(0);

	start(&taker);
	run();
	taker.slow = true;
	happen(1);
	tick();
	assert_int_equal(taker.got, 0);
	taker.slow = false;
	taker.reader.wake_us = clock_mono_us();
	tick();
	assert_int_equal(taker.got, 1);
	stop(&taker);
}

TEST_GROUP(NULL, NULL);
