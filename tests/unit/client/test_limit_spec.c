/* Limits on the command line: what is understood, and the errors for everything else. */

#include <stdlib.h>
#include <string.h>

#include "cli/text/limit_spec.h"
#include "lib/test.h"
#include "refusals.h"

static Bursar__V1__Limit *parse(const char *text)
{
	struct err err = {0};
	Bursar__V1__Limit *limit = limit_spec_parse(text, &err);

	if (!limit)
		fail_msg("%s: %s", text, err.text);
	return limit;
}

TEST(a_period_of_minutes_is_a_bucket)
{
	Bursar__V1__Limit *limit = parse("requests=20/min");

	assert_int_equal(limit->dimension, BURSAR__V1__DIMENSION__DIMENSION_REQUESTS);
	assert_int_equal(limit->kind, BURSAR__V1__LIMIT_KIND__LIMIT_KIND_BUCKET);
	assert_int_equal(limit->amount, 20);
	assert_int_equal(limit->period_us, 60000000);
	assert_int_equal(limit->burst, 0);
	assert_int_equal(limit->window, 0);
	assert_string_equal(limit->name, "");
	bursar__v1__limit__free_unpacked(limit, NULL);
}

TEST(a_day_is_a_calendar_window_and_24_hours_are_a_bucket)
{
	Bursar__V1__Limit *day = parse("cost=5USD/day"), *hours = parse("cost=0.25/24h");

	assert_int_equal(day->kind, BURSAR__V1__LIMIT_KIND__LIMIT_KIND_CALENDAR);
	assert_int_equal(day->window, BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_DAY);
	assert_int_equal(day->amount, INT64_C(5000000000));
	assert_int_equal(hours->kind, BURSAR__V1__LIMIT_KIND__LIMIT_KIND_BUCKET);
	assert_int_equal(hours->period_us, INT64_C(86400000000));
	assert_int_equal(hours->amount, 250000000);
	bursar__v1__limit__free_unpacked(day, NULL);
	bursar__v1__limit__free_unpacked(hours, NULL);
}

TEST(options_follow_after_commas)
{
	Bursar__V1__Limit *limit = parse(
		"tokens=200k/10min,burst=1.5M,name=mine,interface=telegram,model=gpt-oss:20b,warn=90%,shadow,quiet");

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

TEST(what_is_written_is_read_back_the_same)
{
	static const char *const texts[] = {"requests=3/min", "tokens=40k/min,burst=80k", "requests=1000/month",
		"cost=0.25/day", "cost=0.000000001/24h", "cost=9007199/week", "concurrent=3", "concurrent=0",
		"requests=1/ms", "input_tokens=5/90min", "output_tokens=max/day", "tokens=2M/day", "tokens=1500/day",
		"requests=5/s,name=x,interface=a\\,b\\\\c,model=m/n", "cost=1.5/24h,burst=3,warn=50,shadow,quiet"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		Bursar__V1__Limit *limit = parse(texts[i]);
		struct buf out = {0};

		limit_spec_put(&out, limit, true);
		assert_string_equal(buf_str(&out), texts[i]);
		buf_release(&out);
		bursar__v1__limit__free_unpacked(limit, NULL);
	}
}

static uint64_t seed = 42;

static int64_t some(int64_t least, int64_t most)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return least + (int64_t)((seed >> 11) % (uint64_t)(most - least + 1));
}

static char *some_text(const char *letters, int64_t most)
{
	size_t len = (size_t)some(0, most);
	char *text = calloc(1, len + 1);

	assert_non_null(text);
	for (size_t i = 0; i < len; i++)
		text[i] = letters[some(0, (int64_t)strlen(letters) - 1)];
	return text;
}

static int64_t some_amount(void)
{
	static const int64_t units[] = {1, 1000, 1000000, 1000000000};

	return some(0, 9) == 0 ? INT64_C(9007199254740991)
			       : some(0, 9007199) * units[some(0, 3)] + some(0, 1) * some(0, 999);
}

/* A random limit that the server accepts. */
static void some_limit(Bursar__V1__Limit *limit)
{
	bursar__v1__limit__init(limit);
	limit->dimension = (Bursar__V1__Dimension)some(1, (int)bursar__v1__dimension__descriptor.n_values - 1);
	limit->kind = limit->dimension == BURSAR__V1__DIMENSION__DIMENSION_CONCURRENT
			      ? BURSAR__V1__LIMIT_KIND__LIMIT_KIND_LEVEL
			      : (Bursar__V1__LimitKind)some(1, 2);
	limit->amount = some_amount();
	if (limit->kind == BURSAR__V1__LIMIT_KIND__LIMIT_KIND_BUCKET) {
		static const int64_t units[] = {1, 1000, 1000000, 60000000, 3600000000, 86400000000};
		limit->period_us = some(1, 366) * units[some(0, 5)];
		limit->period_us += limit->period_us < 1000 ? 1000 : 0;
		limit->burst = some(0, 1) ? some_amount() : 0;
		if (limit->burst == limit->amount)
			limit->burst = 0;
	} else if (limit->kind == BURSAR__V1__LIMIT_KIND__LIMIT_KIND_CALENDAR) {
		limit->window = (Bursar__V1__CalendarWindow)some(1, 3);
	}
	limit->name = some_text("abcxyz019_-", 12);
	limit->interface = some_text("ab,\\=/ .\"'#:", 12);
	limit->model = some_text("gpt-\\,:\xc3\xa4", 12);
	limit->shadow = some(0, 1) == 1;
	limit->notify_off = some(0, 1) == 1;
	limit->warn_percent = (int32_t)some(0, 100);
	limit->until_us = some(0, 1) ? some(1, INT64_C(4000000000000000)) : 0;
}

TEST(any_limit_is_written_and_read_back_in_every_field)
{
	for (int i = 0; i < 20000; i++) {
		Bursar__V1__Limit limit;
		struct buf out = {0};
		uint8_t was[1024], is[1024];

		some_limit(&limit);
		limit_spec_put(&out, &limit, true);
		Bursar__V1__Limit *back = parse(buf_str(&out));
		size_t len = bursar__v1__limit__pack(&limit, was);
		if (bursar__v1__limit__pack(back, is) != len || memcmp(was, is, len) != 0)
			fail_msg("%s is not what was read", buf_str(&out));
		buf_release(&out);
		bursar__v1__limit__free_unpacked(back, NULL);
		free(limit.name);
		free(limit.interface);
		free(limit.model);
	}
}

static bool spec_accepts(const char *text, struct err *err)
{
	return limit_spec_parse(text, err) != NULL;
}

TEST(an_error_names_what_is_wrong)
{
	static const struct refusal rows[] = {
		{"", "'' has no '='; a limit looks like"},
		{"requests", "has no '='"},
		{"request=20/min", "'request' is not a dimension; did you mean 'requests'?"},
		{"requests_per_minute=20/min", "name=NAME"},
		{"requests=20", "the period is missing"},
		{"requests=/min", "amount: '' is not a count"},
		{"requests=-1/min", "amount: '-1'"},
		{"requests=1.5/min", "amount: '1.5'"},
		{"requests=9007199254740992/min", "amount:"},
		{"requests=99999999999999999999/min", "amount:"},
		{"requests=maximum/min", "amount: 'maximum'"},
		{"cost=max/day", "amount: 'max'"},
		{"cost=0.0000000001/day", "at most nine decimals"},
		{"cost=5EUR/day", "not an amount of USD"},
		{"requests=6,000/min", "without a comma"},
		{"cost=0,25/day", "0.25 with a point"},
		{"requests=20/", "period ''"},
		{"requests=20/fortnight", "period 'fortnight'"},
		{"requests=20/1d", "24h for a bucket"},
		{"requests=20/m", "write min or month"},
		{"requests:20/min", "has ':' instead of '='"},
		{"requests=20/min,brust=40", "did you mean 'burst'?"},
		{"requests=20/0min", "period '0min'"},
		{"requests=20/400d", "period '400d'"},
		{"concurrent=3/min", "concurrent has no period"},
		{"requests=20/day,burst=40", "burst: is only for a bucket"},
		{"requests=20/min,burst=x", "burst: 'x'"},
		{"requests=20/min,warn=101", "warn: '101'"},
		{"requests=20/min,warn=", "warn: ''"},
		{"requests=20/min,until=soon", "until: 'soon'"},
		{"requests=20/min,name=", "name: is empty"},
		{"requests=20/min,name=a,name=b", "name: is given twice"},
		{"requests=20/min,color=red", "'color' is not an option"},
		{"requests=20/min,,", "'' is not an option"},
		{"requests=20/min:burst=40", "period 'min:burst=40'"},
	};

	ALL_REFUSED(rows, spec_accepts);
}

TEST(a_long_part_is_refused)
{
	char text[2000];
	struct err err = {0};

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_null(limit_spec_parse(text, &err));
	assert_non_null(strstr(err.text, "599 bytes"));
}
