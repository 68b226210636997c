/*
 * Watchers on a store that this test plays: what reaches them, how much of it, and what they are told about the rest.
 */
#include <stdio.h>
#include <string.h>

#include "lib/examples.h"
#include "lib/test.h"
#include "service/watch/watch.h"
#include "service/watch/gather.h"

static struct {
	struct watch_store store;
	void (*heard)(const void *report, size_t len, void *arg);
	void (*listening)(void *arg);
	void *arg;
	int minded;
} store;
static struct worker worker;
static struct arena arena;
static struct gather *gather;

static void listen_(struct watch_store *self, void (*heard)(const void *report, size_t len, void *arg),
	void (*listening)(void *arg), void *arg)
{
	(void)self;
	store.heard = heard;
	store.listening = listening;
	store.arg = arg;
}

static void hush(struct watch_store *self)
{
	(void)self;
	store.heard = NULL;
}

static void mind(struct watch_store *self, const struct watch_user *user)
{
	(void)self;
	assert_string_equal(user->tenant, "acme");
	store.minded++;
}

static void forget(struct watch_store *self, const struct watch_user *user)
{
	(void)self;
	(void)user;
	store.minded--;
}

static int set_up(void **state)
{
	static const struct watch_store_ops ops = {.listen = listen_, .hush = hush, .mind = mind, .forget = forget};

	(void)state;
	store.store.ops = &ops;
	worker = (struct worker){.parts = {.watch = &store.store}};
	gather = gather_new(1, "host:1");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_null(store.heard);
	assert_int_equal(store.minded, 0);
	watch_hub_free(worker.hub);
	gather_free(gather);
	arena_release(&arena);
	return 0;
}

static void start(struct watcher *watcher, int most, struct watch_filter filter)
{
	struct err err;

	if (!filter.tenant)
		filter.tenant = "acme";
	filter.user = filter.user ? filter.user : "";
	filter.interface = filter.interface ? filter.interface : "";
	filter.model = filter.model ? filter.model : "";
	*watcher = (struct watcher){.filter = filter, .most = most};
	assert_true(watcher_start(watcher, &worker, &err));
}

static struct watch_view take(struct watcher *watcher)
{
	struct watch_view view;
	struct err err;

	arena_reset(&arena);
	assert_true(watcher_take(watcher, &arena, &view, &err));
	return view;
}

static void decide(const char *tenant, const char *user, bool allowed)
{
	struct watch_event event = watch_event_example(WATCH_CHECK, user, 5);

	event.allowed = allowed;
	event.reason = allowed ? REASON_NONE : REASON_QUOTA;
	assert_true(gather_add(gather, tenant, &event));
}

/* Delivers the report in its wire format, `times` times. */
static void tell(int times)
{
	struct buf bytes = {0};

	gather_report(gather, 10, &bytes);
	for (int i = 0; i < times; i++)
		store.heard(bytes.data, bytes.len, store.arg);
	buf_release(&bytes);
}

#define WATCHED(name) TEST_WITH(name, set_up, tear_down)

WATCHED(sums_and_events_are_those_of_the_tenant)
{
	struct watcher ours, all;

	start(&ours, 10, (struct watch_filter){0});
	start(&all, 10, (struct watch_filter){.tenant = ""});
	decide("acme", "bob", true);
	decide("other", "bob", false);
	tell(1);
	struct watch_view view = take(&ours);
	assert_int_equal(view.totals.allowed, 1);
	assert_int_equal(watch_totals_denied(&view.totals), 0);
	assert_int_equal(view.events, 1);
	assert_string_equal(view.event[0].tenant, "acme");
	assert_string_equal(view.event[0].server, "host:1");
	assert_true(view.complete && !view.gap && view.workers == 1);
	view = take(&all);
	assert_int_equal(view.events, 2);
	assert_int_equal(view.totals.allowed + watch_totals_denied(&view.totals), 2);
	assert_int_equal(take(&ours).events, 0);
	watcher_stop(&ours);
	watcher_stop(&all);
}

WATCHED(a_report_that_comes_twice_counts_once_and_a_missing_one_is_a_gap)
{
	struct watcher watcher;

	start(&watcher, 10, (struct watch_filter){0});
	decide("acme", "bob", true);
	tell(2);
	assert_int_equal(take(&watcher).totals.allowed, 1);
	decide("acme", "bob", true);
	tell(0);
	decide("acme", "bob", true);
	tell(1);
	struct watch_view view = take(&watcher);
	assert_true(view.gap && !view.complete);
	assert_int_equal(view.totals.allowed, 1);
	assert_false(take(&watcher).gap);
	store.listening(store.arg);
	assert_false(take(&watcher).gap);
	store.listening(store.arg); /* again, after an interruption */
	assert_true(take(&watcher).gap);
	watcher_stop(&watcher);
}

WATCHED(a_watcher_who_does_not_take_loses_no_sum_and_costs_no_more)
{
	enum { REPORTS = 2000, MOST = 7 };
	struct watcher watcher;
	int64_t stands_for = 0;

	start(&watcher, MOST, (struct watch_filter){0});
	for (int report = 0; report < REPORTS; report++) {
		for (int i = 0; i < 100; i++)
			decide("acme", "bob", i % 2);
		tell(1);
	}
	struct watch_view view = take(&watcher);
	assert_int_equal(view.totals.allowed, REPORTS * 50);
	assert_int_equal(view.totals.denied[REASON_QUOTA], REPORTS * 50);
	assert_int_equal(view.events, MOST);
	assert_int_equal(view.left_out, REPORTS * 100 - MOST);
	assert_false(view.complete);
	for (int i = 0; i < view.events; i++)
		stands_for += view.event[i].stands_for_milli;
	assert_in_range(stands_for, REPORTS * 100000 - MOST, REPORTS * 100000);
	watcher_stop(&watcher);
}

WATCHED(a_watcher_of_denials_is_told_whether_these_are_all)
{
	struct watcher watcher;

	start(&watcher, 500, (struct watch_filter){.denials = true});
	for (int i = 0; i < 1000; i++)
		decide("acme", "bob", i % 100 != 0);
	tell(1);
	struct watch_view view = take(&watcher);
	assert_int_equal(view.events, 10);
	assert_true(view.complete); /* other events were left out, but no denial is missing */
	for (int i = 0; i < 1000; i++)
		decide("acme", "bob", false);
	tell(1);
	view = take(&watcher);
	assert_int_equal(view.events, DRAW_MAX);
	assert_int_equal(view.left_out, 1000 - DRAW_MAX);
	assert_false(view.complete);
	watcher_stop(&watcher);
}

WATCHED(a_user_by_name_is_seen_once_workers_report_all_about_them)
{
	uint64_t user = watch_user_hash("acme", "alice"), many[WATCH_USERS_MAX];
	struct watcher watcher;
	struct watch_view view;
	struct err err;

	start(&watcher, 500, (struct watch_filter){.user = "alice"});
	assert_int_equal(store.minded, 1);
	decide("acme", "alice", true);
	tell(1);
	view = take(&watcher);
	assert_true(view.events == 0 && view.workers == 0);
	gather_watch(gather, &user, 1);
	for (int i = 0; i < 100; i++)
		decide("acme", i % 2 ? "alice" : "bob", true);
	tell(1);
	view = take(&watcher);
	assert_true(view.events == 50 && view.workers == 1 && view.complete);
	for (uint64_t i = 0; i < WATCH_USERS_MAX; i++)
		many[i] = i + 1;
	gather_watch(gather, many, WATCH_USERS_MAX);
	tell(1);
	assert_false(watcher_take(&watcher, &arena, &view, &err));
	assert_int_equal(err.code, ERR_EXHAUSTED);
	watcher_stop(&watcher);
}

WATCHED(an_invalid_report_is_ignored)
{
	struct watcher watcher;

	start(&watcher, 10, (struct watch_filter){0});
	store.heard("nonsense", 8, store.arg);
	store.heard("", 0, store.arg);
	assert_int_equal(take(&watcher).workers, 0);
	watcher_stop(&watcher);
}

WATCHED(readers_of_the_same_are_counted_and_find_one_watcher)
{
	static const struct conf conf = {.max_watchers = 2};
	struct watch_filter filter = {.tenant = "acme", .user = "", .interface = "web", .model = ""};
	struct watcher one = {.filter = filter, .most = 10, .interval_us = 7}, wanted = one;
	struct err err;

	worker.parts.conf = &conf;
	assert_null(watcher_like(&worker, &wanted));
	assert_true(watcher_start(&one, &worker, &err));
	assert_ptr_equal(watcher_like(&worker, &wanted), &one);
	wanted.most++;
	assert_null(watcher_like(&worker, &wanted));
	wanted = (struct watcher){.filter = filter, .most = 10, .interval_us = 7};
	wanted.filter.denials = true;
	assert_null(watcher_like(&worker, &wanted));
	watcher_stop(&one);
	assert_true(watch_join(&worker, &err) && watch_join(&worker, &err));
	assert_false(watch_join(&worker, &err));
	assert_string_equal(err.reason, "TOO_MANY_WATCH");
	watch_leave(&worker);
	assert_true(watch_join(&worker, &err));
	watch_leave(&worker);
	watch_leave(&worker);
}

/* A reader who is late goes on with what the others have already been shown. */
WATCHED(a_branch_has_gathered_what_the_first_one_has)
{
	struct watcher first, branch;
	struct watch_view view;

	start(&first, 10, (struct watch_filter){0});
	decide("acme", "bob", true);
	tell(1);
	watcher_branch(&branch, &first);
	assert_int_equal(take(&first).events, 1);
	decide("acme", "eve", false);
	tell(1);
	view = take(&first);
	assert_true(view.events == 1 && view.totals.allowed == 0 && watch_totals_denied(&view.totals) == 1);
	view = take(&branch);
	assert_true(view.events == 2 && view.totals.allowed == 1 && watch_totals_denied(&view.totals) == 1 &&
		    view.complete);
	watcher_stop(&first);
	watcher_stop(&branch);
}

WATCHED(events_that_all_watchers_keep_have_a_bound_and_sums_do_not)
{
	enum { WATCHERS = 400, MOST = 500, REPORTS = 30 };
	static struct watcher watcher[WATCHERS];
	int64_t kept = 0;

	for (int i = 0; i < WATCHERS; i++)
		start(&watcher[i], MOST, (struct watch_filter){0});
	for (int report = 0; report < REPORTS; report++) {
		for (int i = 0; i < DRAW_MAX; i++)
			decide("acme", "bob", true);
		tell(1);
	}
	for (int i = 0; i < WATCHERS; i++) {
		struct watch_view view = take(&watcher[i]);

		assert_int_equal(view.totals.allowed, REPORTS * DRAW_MAX);
		assert_int_equal(view.left_out, REPORTS * DRAW_MAX - view.events);
		kept += view.events;
	}
	/* 256 bytes are allocated for each of them, and 40 in a table. */
	assert_in_range(kept, (int64_t)WATCH_KEPT_BYTES / 512, (int64_t)WATCH_KEPT_BYTES / 128);
	assert_true(kept < WATCHERS * MOST);
	for (int i = 0; i < WATCHERS; i++)
		watcher_stop(&watcher[i]);
}
