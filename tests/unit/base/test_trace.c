/* Traceparents as the specification has them, and spans in a bounded queue. */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/observe/metrics.h"
#include "base/observe/spans.h"
#include "lib/test.h"

#define ID "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

enum { ROOM = 40 };

static int set_up(void **state)
{
	static bool opened;
	struct span span;

	(void)state;
	if (!opened)
		spans_open(ROOM);
	opened = true;
	while (spans_take(&span, 1))
		;
	trace_sample(true, 0);
	return 0;
}

#define TRACED(name) TEST_WITH(name, set_up, NULL)

static struct trace *begin(const char *text)
{
	return trace_begin(text, strlen(text));
}

TRACED(a_traceparent_gives_the_trace_and_whether_it_is_sampled)
{
	struct trace *trace = begin("00-" ID "-" PARENT "-01");

	assert_non_null(trace);
	assert_string_equal(trace->id, ID);
	assert_true(trace->parent == UINT64_C(0xb7ad6b7169203331));
	assert_true(trace->sampled && trace->span != 0);
	trace_drop(trace);
	trace = begin("00-" ID "-" PARENT "-00");
	assert_non_null(trace);
	assert_false(trace->sampled);
	trace_drop(trace);
}

TRACED(later_versions_may_say_more)
{
	struct trace *trace = begin("cc-" ID "-" PARENT "-03-what the future will be like");

	assert_non_null(trace);
	assert_true(trace->sampled);
	trace_drop(trace);
}

TRACED(what_is_not_a_traceparent_is_none)
{
	static const char *const wrong[] = {
		"",
		"00",
		"00-" ID "-" PARENT,
		"00-" ID "-" PARENT "-0",
		"00-" ID "-" PARENT "-01-more",
		"00-" ID "-" PARENT "-01 ",
		"cc-" ID "-" PARENT "-01.more",
		"ff-" ID "-" PARENT "-01",
		"00_" ID "-" PARENT "-01",
		"00-" ID "_" PARENT "-01",
		"00-" ID "-" PARENT "_01",
		"0x-" ID "-" PARENT "-01",
		"00-" ID "-" PARENT "-0g",
		"00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01",
		"00-00000000000000000000000000000000-" PARENT "-01",
		"00-" ID "-0000000000000000-01",
	};

	assert_null(trace_begin(NULL, 0));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_null(begin(wrong[i]));
}

TRACED(a_call_without_a_trace_gets_one_by_chance)
{
	struct trace *one, *other;

	trace_sample(true, 1000000);
	one = trace_begin(NULL, 0);
	other = begin("nonsense");
	assert_true(one->sampled && other->sampled && one->parent == 0);
	assert_int_equal(strspn(one->id, "0123456789abcdef"), 32);
	assert_string_not_equal(one->id, other->id);
	assert_true(one->span != other->span);
	trace_drop(one);
	trace_drop(other);
	trace_sample(false, 1000000);
	assert_null(trace_begin(NULL, 0));
	one = begin("00-" ID "-" PARENT "-01");
	assert_false(one->sampled);
	trace_drop(one);
}

TRACED(what_is_entered_is_current_until_it_is_left)
{
	struct trace *one = begin("00-" ID "-" PARENT "-01"), *outer = trace_enter(one), *inner;

	assert_ptr_equal(trace_now, one);
	inner = trace_enter(NULL);
	assert_null(trace_now);
	trace_leave(inner);
	trace_drop(one); /* as a call that ends in its own handler */
	assert_string_equal(trace_now->id, ID);
	trace_leave(outer);
	assert_null(trace_now);
}

TRACED(spans_name_their_call_and_what_it_asked)
{
	struct trace *trace = begin("00-" ID "-" PARENT "-01");
	struct span spans[3];
	int64_t start_us = clock_mono_us() - 1000;

	span_asked(trace, SPAN_REDIS, "FCALL xyz", 5, start_us, true);
	span_served(trace, "/bursar.v1.Limiter/Check", NULL, start_us, METRIC_CODE_NOT_FOUND);
	span_served(trace, "/bursar.v1.Limiter/Check", NULL, start_us, METRIC_CODE_INTERNAL);
	span_served(NULL, "/bursar.v1.Limiter/Check", NULL, start_us, 0);
	assert_int_equal(spans_take(spans, 3), 3);
	assert_string_equal(spans[0].name, "FCALL");
	assert_true(spans[0].parent == trace->span && spans[0].id != trace->span && spans[0].failed);
	assert_in_range(spans[0].end_us - spans[0].start_us, 1000, 60000000);
	assert_string_equal(spans[1].name, "bursar.v1.Limiter/Check");
	assert_true(spans[1].id == trace->span && spans[1].parent == trace->parent);
	assert_false(spans[1].failed); /* the caller's error */
	assert_true(spans[2].failed);
	trace_drop(trace);
}

TRACED(a_call_makes_a_bounded_number_of_spans)
{
	struct trace *trace = begin("00-" ID "-" PARENT "-01");
	struct span spans[ROOM];

	for (int i = 0; i < 1000; i++)
		span_asked(trace, SPAN_POSTGRES, "x", 1, clock_mono_us(), false);
	assert_false(span_wanted(trace));
	assert_int_equal(spans_take(spans, ROOM), 32);
	trace_drop(trace);
}

TRACED(a_full_queue_drops_and_counts)
{
	struct trace *trace = begin("00-" ID "-" PARENT "-01");
	struct span spans[ROOM + 1];
	int64_t lost = metric_value(METRIC_spans_lost_total, METRIC_SPANS_LOST_FULL, 0);
	char name[16];

	for (int i = 0; i < ROOM + 3; i++) {
		snprintf(name, sizeof(name), "/%d", i);
		span_served(trace, name, NULL, clock_mono_us(), 0);
	}
	assert_int_equal(metric_value(METRIC_spans_lost_total, METRIC_SPANS_LOST_FULL, 0) - lost, 3);
	assert_int_equal(spans_take(spans, 1), 1);
	assert_string_equal(spans[0].name, "0");
	span_served(trace, "/new", NULL, clock_mono_us(), 0);
	assert_int_equal(spans_take(spans, ROOM + 1), ROOM);
	assert_string_equal(spans[0].name, "1");
	assert_string_equal(spans[ROOM - 1].name, "new");
	trace_drop(trace);
}
