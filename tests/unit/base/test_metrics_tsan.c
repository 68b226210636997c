/* Counters add up over threads, and the text is what Prometheus reads. */

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/observe/metrics.h"
#include "lib/test.h"

static char *text(struct buf *buf)
{
	buf_reset(buf);
	metrics_print(buf);
	return buf->data;
}

TEST(a_row_without_labels_is_always_there)
{
	struct buf buf = {0};

	assert_non_null(strstr(text(&buf), "# HELP bursar_cancels_total Cancelled reservations.\n"
					   "# TYPE bursar_cancels_total counter\nbursar_cancels_total 0\n"));
	metric_add(METRIC_cancels_total, 0, 0, 41);
	metric_inc(METRIC_cancels_total, 0, 0);
	assert_non_null(strstr(text(&buf), "\nbursar_cancels_total 42\n"));
	buf_release(&buf);
}

TEST(labels_name_their_cells)
{
	struct buf buf = {0};

	assert_null(strstr(text(&buf), "bursar_checks_total{"));
	metric_inc(METRIC_checks_total, METRIC_DECISION_DENIED, METRIC_REASON_BUDGET);
	metric_inc(METRIC_checks_total, 77, 77);
	assert_non_null(strstr(text(&buf), "\nbursar_checks_total{decision=\"denied\",reason=\"budget\"} 1\n"));
	assert_non_null(strstr(buf.data, "\nbursar_checks_total{decision=\"error\",reason=\"other\"} 1\n"));
	assert_int_equal(metric_value(METRIC_checks_total, METRIC_DECISION_DENIED, METRIC_REASON_BUDGET), 1);
	buf_release(&buf);
}

TEST(gauges_are_set_and_go_both_ways)
{
	metric_set(METRIC_outbox_entries, 0, 0, 7);
	metric_set(METRIC_outbox_entries, 0, 0, 5);
	assert_int_equal(metric_value(METRIC_outbox_entries, 0, 0), 5);
	metric_add(METRIC_grpc_calls_open, 0, 0, 2);
	metric_add(METRIC_grpc_calls_open, 0, 0, -3);
	assert_int_equal(metric_value(METRIC_grpc_calls_open, 0, 0), -1);
}

TEST(a_histogram_of_time_is_in_seconds)
{
	struct buf buf = {0};

	metric_observe(METRIC_redis_call_seconds, 0, 0, 50);
	metric_observe(METRIC_redis_call_seconds, 0, 0, 51);
	metric_observe(METRIC_redis_call_seconds, 0, 0, 40000000);
	text(&buf);
	assert_non_null(strstr(buf.data, "\nbursar_redis_call_seconds_bucket{le=\"0.000050\"} 1\n"));
	assert_non_null(strstr(buf.data, "\nbursar_redis_call_seconds_bucket{le=\"0.000100\"} 2\n"));
	assert_non_null(strstr(buf.data, "\nbursar_redis_call_seconds_bucket{le=\"30.000000\"} 2\n"));
	assert_non_null(strstr(buf.data, "\nbursar_redis_call_seconds_bucket{le=\"+Inf\"} 3\n"));
	assert_non_null(strstr(buf.data, "\nbursar_redis_call_seconds_sum 40.000101\n"));
	assert_non_null(strstr(buf.data, "\nbursar_redis_call_seconds_count 3\n"));
	metric_observe(METRIC_ledger_batch_rows, 0, 0, 1000);
	assert_non_null(strstr(text(&buf), "\nbursar_ledger_batch_rows_bucket{le=\"1000\"} 1\n"));
	assert_non_null(strstr(buf.data, "\nbursar_ledger_batch_rows_sum 1000\n"));
	buf_release(&buf);
}

TEST(methods_are_named_at_start_and_bounded)
{
	static char names[METRIC_METHOD_MAX + 10][32];
	struct buf buf = {0};
	unsigned first = metrics_method("/a.B/C");

	assert_int_equal(metrics_method("/a.B/C"), first);
	metric_inc(METRIC_grpc_calls_total, first, METRIC_CODE_OK);
	metric_observe(METRIC_grpc_call_seconds, first, 0, 5);
	assert_non_null(strstr(text(&buf), "\nbursar_grpc_calls_total{method=\"/a.B/C\",code=\"OK\"} 1\n"));
	assert_non_null(strstr(buf.data, "\nbursar_grpc_call_seconds_bucket{method=\"/a.B/C\",le=\"0.000050\"} 1\n"));
	for (int i = 0; i < METRIC_METHOD_MAX + 10; i++) {
		snprintf(names[i], sizeof(names[i]), "/m%d", i);
		assert_true(metrics_method(names[i]) < METRIC_METHOD_MAX);
	}
	assert_int_equal(metrics_method(names[METRIC_METHOD_MAX + 9]), METRIC_METHOD_MAX - 1);
	buf_release(&buf);
}

TEST(a_counter_of_microseconds_is_in_seconds)
{
	struct buf buf = {0};

	metric_add(METRIC_loop_busy_seconds_total, METRIC_LOOP_3, 0, 1500001);
	assert_non_null(strstr(text(&buf), "# TYPE bursar_loop_busy_seconds_total counter\n"
					   "bursar_loop_busy_seconds_total{loop=\"3\"} 1.500001\n"));
	buf_release(&buf);
}

TEST(tiers_keep_the_values_they_got_and_more_than_fit_are_other)
{
	struct buf buf = {0};
	char name[32];
	unsigned pro = metrics_tier("pro"), odd = metrics_tier("a \"b\" \\ c");

	metric_inc(METRIC_checks_by_tier_total, METRIC_TIER_NONE, METRIC_REASON_NONE);
	metric_inc(METRIC_checks_by_tier_total, pro, METRIC_REASON_BUDGET);
	metric_inc(METRIC_checks_by_tier_total, odd, METRIC_REASON_NONE);
	for (int i = 0; i < METRIC_TIER_MAX; i++) {
		snprintf(name, sizeof(name), "tier-%d", i);
		assert_true(metrics_tier(name) < METRIC_TIER_MAX);
	}
	metric_inc(METRIC_checks_by_tier_total, metrics_tier("one too many"), METRIC_REASON_NONE);
	assert_int_equal(metrics_tier("pro"), pro);
	assert_int_equal(metrics_tier("p"), METRIC_TIER_MAX - 1);
	text(&buf);
	assert_non_null(strstr(buf.data, "\nbursar_checks_by_tier_total{tier=\"none\",reason=\"none\"} 1\n"));
	assert_non_null(strstr(buf.data, "\nbursar_checks_by_tier_total{tier=\"pro\",reason=\"budget\"} 1\n"));
	assert_non_null(strstr(buf.data, "{tier=\"a \\\"b\\\" \\\\ c\",reason=\"none\"} 1\n"));
	assert_non_null(strstr(buf.data, "\nbursar_checks_by_tier_total{tier=\"other\",reason=\"none\"} 1\n"));
	buf_release(&buf);
}

TEST(what_a_caller_sends_as_interface_never_becomes_a_label)
{
	char name[32];

	metrics_interfaces("telegram,,web");
	assert_int_equal(metrics_interface(""), METRIC_INTERFACE_NONE);
	assert_int_equal(metrics_interface("telegram"), 1);
	assert_int_equal(metrics_interface("web"), 2);
	for (int i = 0; i < 3 * METRIC_INTERFACE_MAX; i++) {
		snprintf(name, sizeof(name), "made-up-%d", i);
		assert_int_equal(metrics_interface(name), METRIC_INTERFACE_MAX - 1);
	}
	assert_int_equal(metrics_interface("we"), METRIC_INTERFACE_MAX - 1);
	metrics_interfaces("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s");
	assert_int_equal(metrics_interface("l"), METRIC_INTERFACE_MAX - 2);
	assert_int_equal(metrics_interface("m"), METRIC_INTERFACE_MAX - 1);
}

static void *count(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100000; i++)
		metric_inc(METRIC_ledger_rows_total, 0, 0);
	return NULL;
}

TEST(counts_of_ended_threads_stay)
{
	pthread_t threads[4];
	struct buf buf = {0};

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count, NULL), 0);
	text(&buf);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(metric_value(METRIC_ledger_rows_total, 0, 0), 400000);
	buf_release(&buf);
}
