/* Limits on the command line: what is understood, and what is said of what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "cli/limit_spec.h"

static Bursar__V1__Limit *parse(const char *text)
{
	struct err err = {0};
	Bursar__V1__Limit *limit = limit_spec_parse(text, &err);

	if (!limit)
		fail_msg("%s: %s", text, err.text);
	return limit;
}

static void a_period_of_minutes_is_a_bucket(void **state)
{
	Bursar__V1__Limit *limit = parse("requests=20/min");

	(void)state;
	assert_int_equal(limit->dimension, BURSAR__V1__DIMENSION__DIMENSION_REQUESTS);
	assert_int_equal(limit->kind, BURSAR__V1__LIMIT_KIND__LIMIT_KIND_BUCKET);
	assert_int_equal(limit->amount, 20);
	assert_int_equal(limit->period_us, 60000000);
	assert_int_equal(limit->burst, 0);
	assert_int_equal(limit->window, 0);
	assert_string_equal(limit->name, "");
	bursar__v1__limit__free_unpacked(limit, NULL);
}

static void a_day_is_a_calendar_window_and_24_hours_are_a_bucket(void **state)
{
	Bursar__V1__Limit *day = parse("cost=5USD/day"), *hours = parse("cost=0.25/24h");

	(void)state;
	assert_int_equal(day->kind, BURSAR__V1__LIMIT_KIND__LIMIT_KIND_CALENDAR);
	assert_int_equal(day->window, BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_DAY);
	assert_int_equal(day->amount, INT64_C(5000000000));
	assert_int_equal(hours->kind, BURSAR__V1__LIMIT_KIND__LIMIT_KIND_BUCKET);
	assert_int_equal(hours->period_us, INT64_C(86400000000));
	assert_int_equal(hours->amount, 250000000);
	bursar__v1__limit__free_unpacked(day, NULL);
	bursar__v1__limit__free_unpacked(hours, NULL);
}

static void options_follow_after_commas(void **state)
{
	Bursar__V1__Limit *limit = parse(
		"tokens=200k/10min,burst=1.5M,name=mine,interface=telegram,model=gpt-oss:20b,warn=90%,shadow,quiet");

	(void)state;
	assert_int_equal(limit->amount, 200000);
	assert_int_equal(limit->period_us, 600000000);
	assert_int_equal(limit->burst, 1500000);
	assert_string_equal(limit->name, "mine");
	assert_string_equal(limit->interface, "telegram");
	assert_string_equal(limit->model, "gpt-oss:20b");
	assert_int_equal(limit->warn_percent, 90);
	assert_true(limit->shadow);
	assert_true(limit->notify_off);
	bursar__v1__limit__free_unpacked(limit, NULL);
}

static void what_is_written_is_read_back_the_same(void **state)
{
	static const char *const texts[] = {"requests=3/min", "tokens=40k/min,burst=80k", "requests=1000/month",
		"cost=0.25/day", "cost=0.000000001/24h", "cost=9007199/week", "concurrent=3", "concurrent=0",
		"requests=1/ms", "input_tokens=5/90min", "output_tokens=max/day", "tokens=2M/day", "tokens=1500/day",
		"requests=5/s,name=x,interface=a\\,b\\\\c,model=m/n", "cost=1.5/24h,burst=3,warn=50,shadow,quiet"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		Bursar__V1__Limit *limit = parse(texts[i]);
		struct buf out = {0};

		limit_spec_put(&out, limit, true);
		assert_string_equal(buf_str(&out), texts[i]);
		buf_release(&out);
		bursar__v1__limit__free_unpacked(limit, NULL);
	}
}

static void an_error_names_what_is_wrong(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"", "'=': a limit looks like"},
		{"requests", "has no '='"},
		{"request=20/min", "'request' is no dimension"},
		{"requests_per_minute=20/min", "name=NAME"},
		{"requests=20", "the period is missing"},
		{"requests=/min", "amount: '' is no count"},
		{"requests=-1/min", "amount: '-1'"},
		{"requests=1.5/min", "amount: '1.5'"},
		{"requests=9007199254740992/min", "amount:"},
		{"requests=99999999999999999999/min", "amount:"},
		{"requests=maximum/min", "amount: 'maximum'"},
		{"cost=max/day", "amount: 'max'"},
		{"cost=0.0000000001/day", "at most nine decimals"},
		{"cost=5EUR/day", "no amount of USD"},
		{"requests=20/", "period ''"},
		{"requests=20/fortnight", "period 'fortnight'"},
		{"requests=20/d", "24h for a bucket"},
		{"requests=20/0min", "period '0min'"},
		{"requests=20/400d", "period '400d'"},
		{"concurrent=3/min", "concurrent has no period"},
		{"requests=20/day,burst=40", "burst: only a bucket"},
		{"requests=20/min,burst=x", "burst: 'x'"},
		{"requests=20/min,warn=101", "warn: '101'"},
		{"requests=20/min,warn=", "warn: ''"},
		{"requests=20/min,name=", "name: is empty"},
		{"requests=20/min,name=a,name=b", "name: is given twice"},
		{"requests=20/min,color=red", "'color' is no option"},
		{"requests=20/min,,", "'' is no option"},
		{"requests=20/min:burst=40", "period 'min:burst=40'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct err err = {0};

		assert_null(limit_spec_parse(rows[i].text, &err));
		assert_int_equal(err.code, ERR_INVALID);
		if (i > 0 && !strstr(err.text, rows[i].says))
			fail_msg("%s: says '%s', not '%s'", rows[i].text, err.text, rows[i].says);
	}
}

static void a_long_part_is_refused(void **state)
{
	char text[2000];
	struct err err = {0};

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_null(limit_spec_parse(text, &err));
	assert_non_null(strstr(err.text, "599 bytes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_period_of_minutes_is_a_bucket),
		cmocka_unit_test(a_day_is_a_calendar_window_and_24_hours_are_a_bucket),
		cmocka_unit_test(options_follow_after_commas),
		cmocka_unit_test(what_is_written_is_read_back_the_same),
		cmocka_unit_test(an_error_names_what_is_wrong),
		cmocka_unit_test(a_long_part_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
