/* What a worker gathers, and what a watcher reads from its reports. */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "lib/examples.h"
#include "lib/test.h"
#include "service/watch/gather.h"

enum { WORKER = 77, NOW = 1000000 };

static struct arena arena;
static struct buf bytes;

static struct watch_event event_of(enum watch_kind kind, const char *user)
{
	return watch_event_example(kind, user, NOW);
}

static struct watch_event denial_of(const char *user, enum reason reason)
{
	struct watch_event event = event_of(WATCH_CHECK, user);

	event.allowed = false;
	event.reason = reason;
	event.limit = "rpm";
	event.account_kind = ACCOUNT_USER;
	return event;
}

static struct watch_report report_of(struct gather *gather)
{
	struct watch_report report;

	arena_reset(&arena);
	buf_reset(&bytes);
	gather_report(gather, NOW, &bytes);
	assert_true(watch_report_read(bytes.data, bytes.len, &arena, &report));
	return report;
}

static void add(struct gather *gather, const char *tenant, struct watch_event event)
{
	assert_true(gather_add(gather, tenant, &event));
}

static int release(void **state)
{
	(void)state;
	arena_release(&arena);
	buf_release(&bytes);
	return 0;
}

TEST(a_report_says_what_was_added)
{
	struct gather *gather = gather_new(WORKER, "host:1");
	struct watch_event record = event_of(WATCH_RECORD, "\xc3\xa4nn");
	struct watch_report report;

	record.input = 900;
	record.output = 100;
	record.cost = 12345;
	add(gather, "acme", event_of(WATCH_CHECK, "bob"));
	add(gather, "acme", denial_of("bob", REASON_BUDGET));
	add(gather, "acme", record);
	add(gather, "other", event_of(WATCH_GRANT, "eve"));
	report = report_of(gather);
	assert_int_equal(report.worker, WORKER);
	assert_int_equal(report.number, 1);
	assert_string_equal(report.server, "host:1");
	assert_int_equal(report.parts, 2);
	const struct watch_part *acme = &report.part[0];
	assert_string_equal(acme->tenant, "acme");
	assert_int_equal(acme->totals.allowed, 1);
	assert_int_equal(acme->totals.denied[REASON_BUDGET], 1);
	assert_int_equal(watch_totals_denied(&acme->totals), 1);
	assert_int_equal(acme->totals.records, 1);
	assert_int_equal(acme->totals.cost, 12345);
	assert_int_equal(acme->sample[DRAW_DENIALS].count, 1);
	assert_string_equal(acme->sample[DRAW_DENIALS].event[0].limit, "rpm");
	assert_int_equal(acme->sample[DRAW_OTHERS].count, 2);
	assert_string_equal(acme->sample[DRAW_OTHERS].event[1].user, "\xc3\xa4nn");
	assert_int_equal(acme->sample[DRAW_OTHERS].event[1].input, 900);
	assert_int_equal(acme->sample[DRAW_WATCHED].count, 0);
	assert_int_equal(report.part[1].totals.grants, 1);
	assert_true(gather_empty(gather));
	report = report_of(gather);
	assert_int_equal(report.number, 2);
	assert_int_equal(report.parts, 0);
	gather_free(gather);
}

TEST(an_event_of_each_quality_is_read_and_of_no_other)
{
	struct watch_report report;

	for (int quality = 0; quality <= WATCH_QUALITY_MAX + 1; quality++) {
		struct gather *gather = gather_new(WORKER, "host:1");
		struct watch_event event = event_of(WATCH_CHECK, "bob");

		event.quality = quality;
		add(gather, "acme", event);
		buf_reset(&bytes);
		gather_report(gather, NOW, &bytes);
		assert_int_equal(
			watch_report_read(bytes.data, bytes.len, &arena, &report), quality <= WATCH_QUALITY_MAX);
		gather_free(gather);
	}
}

TEST(sums_are_exact_and_memory_bounded_however_much_is_added)
{
	struct gather *gather = gather_new(WORKER, "host:1");
	struct watch_report report;

	for (int i = 0; i < 100000; i++)
		add(gather, "acme", i % 4 ? event_of(WATCH_CHECK, "bob") : denial_of("bob", REASON_QUOTA));
	report = report_of(gather);
	assert_int_equal(report.part[0].totals.allowed, 75000);
	assert_int_equal(report.part[0].totals.denied[REASON_QUOTA], 25000);
	assert_int_equal(report.part[0].sample[DRAW_DENIALS].seen, 25000);
	assert_int_equal(report.part[0].sample[DRAW_DENIALS].count, DRAW_MAX);
	assert_int_equal(report.part[0].sample[DRAW_OTHERS].seen, 75000);
	assert_true(bytes.len < 2 * DRAW_MAX * 200);
	gather_free(gather);
}

TEST(a_tenant_without_room_is_not_added)
{
	struct gather *gather = gather_new(WORKER, "host:1");
	struct watch_event event = event_of(WATCH_CHECK, "bob");
	char tenant[24];

	for (int i = 0; i < WATCH_TENANTS_MAX; i++) {
		snprintf(tenant, sizeof(tenant), "tenant%d", i);
		add(gather, tenant, event);
	}
	assert_false(gather_add(gather, "one more", &event));
	assert_true(gather_add(gather, "tenant0", &event));
	assert_int_equal(report_of(gather).parts, WATCH_TENANTS_MAX);
	assert_true(gather_add(gather, "one more", &event));
	gather_free(gather);
}

/* 400 reports of ten times as many events as are kept: each position in time is kept about equally often. */
TEST(a_burst_at_the_beginning_does_not_fill_the_sample)
{
	enum { EVENTS = 10 * DRAW_MAX, REPORTS = 400, PARTS = 10 };
	struct gather *gather = gather_new(WORKER, "host:1");
	int kept[PARTS] = {0};

	for (int round = 0; round < REPORTS; round++) {
		for (int i = 0; i < EVENTS; i++) {
			struct watch_event event = event_of(WATCH_CHECK, "bob");
			event.input = i;
			add(gather, "acme", event);
		}
		struct watch_report report = report_of(gather);
		const struct watch_sample *sample = &report.part[0].sample[DRAW_OTHERS];
		for (int i = 0; i < sample->count; i++)
			kept[sample->event[i].input * PARTS / EVENTS]++;
	}
	for (int i = 0; i < PARTS; i++) {
		assert_true(kept[i] > REPORTS * DRAW_MAX / PARTS * 85 / 100);
		assert_true(kept[i] < REPORTS * DRAW_MAX / PARTS * 115 / 100);
	}
	gather_free(gather);
}

TEST(a_user_watched_by_name_is_reported_in_full)
{
	struct gather *gather = gather_new(WORKER, "host:1");
	uint64_t user = watch_user_hash("acme", "alice");
	struct watch_report report;

	gather_watch(gather, &user, 1);
	for (int i = 0; i < 5000; i++)
		add(gather, "acme", event_of(WATCH_CHECK, i % 50 ? "bob" : "alice"));
	add(gather, "other", event_of(WATCH_CHECK, "alice"));
	report = report_of(gather);
	assert_int_equal(report.users, 1);
	assert_int_equal(report.user[0], user);
	assert_int_equal(report.part[0].sample[DRAW_WATCHED].seen, 100);
	assert_int_equal(report.part[0].sample[DRAW_WATCHED].count, 100);
	assert_int_equal(report.part[1].sample[DRAW_WATCHED].seen, 0);
	assert_true(watch_user_hash("a", "bc") != watch_user_hash("ab", "c"));
	gather_free(gather);
}

TEST(what_nobody_heard_shows_in_the_numbers)
{
	struct gather *gather = gather_new(WORKER, "host:1");

	assert_int_equal(report_of(gather).number, 1);
	gather_skip(gather);
	assert_int_equal(report_of(gather).number, 3);
	gather_free(gather);
}

TEST(a_report_that_is_cut_or_changed_is_refused)
{
	struct gather *gather = gather_new(WORKER, "host:1");
	struct watch_report report;
	struct arena own = {0};

	add(gather, "acme", denial_of("bob", REASON_QUOTA));
	report_of(gather);
	for (size_t len = 0; len < bytes.len; len++)
		assert_false(watch_report_read(bytes.data, len, &own, &report));
	buf_put_u8(&bytes, 0);
	assert_false(watch_report_read(bytes.data, bytes.len, &own, &report));
	bytes.len--;
	bytes.data[0] = 9; /* another format */
	assert_false(watch_report_read(bytes.data, bytes.len, &own, &report));
	arena_release(&own);
	gather_free(gather);
}

TEST(sums_stay_at_the_largest_number)
{
	struct watch_totals a = {.cost = INT64_MAX - 1, .denied = {[REASON_QUOTA] = INT64_MAX, [REASON_BUDGET] = 1}};
	struct watch_totals b = {.cost = 5};

	watch_totals_add(&a, &b);
	assert_true(a.cost == INT64_MAX);
	assert_true(watch_totals_denied(&a) == INT64_MAX);
}

TEST_GROUP(NULL, release);
