/* The values that people type and read: counts, money, durations, times. */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/text/format.h"
#include "cli/text/parse.h"
#include "lib/test.h"

TEST(money_is_exact_to_the_nano_dollar)
{
	static const struct {
		const char *text;
		int64_t nano;
	} rows[] = {{"5", 5000000000}, {"$5", 5000000000}, {"5usd", 5000000000}, {"0.25", 250000000},
		{"0.000000001", 1}, {"1_000.50", 1000500000000}, {"0", 0}, {"0.250000000000", 250000000},
		{"9007199.254740991", 9007199254740991}};
	struct err err;
	int64_t nano;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_true(parse_usd(rows[i].text, strlen(rows[i].text), &nano, &err));
		assert_int_equal(nano, rows[i].nano);
	}
	assert_false(parse_usd("0.0000000001", 12, &nano, &err));
	assert_false(parse_usd("9007199.254740992", 17, &nano, &err));
	assert_false(parse_usd("", 0, &nano, &err));
	assert_false(parse_usd(".5", 2, &nano, &err));
	assert_false(parse_usd("5.", 2, &nano, &err));
	assert_false(parse_usd("-5", 2, &nano, &err));
	assert_false(parse_usd("5 USD x", 7, &nano, &err));
}

TEST(durations_add_up)
{
	struct err err;
	int64_t us;

	assert_true(parse_duration("1h30min", 7, &us, &err));
	assert_int_equal(us, INT64_C(5400000000));
	assert_true(parse_duration("500ms", 5, &us, &err));
	assert_int_equal(us, 500000);
	assert_true(parse_duration("366d", 4, &us, &err));
	assert_false(parse_duration("367d", 4, &us, &err));
	assert_false(parse_duration("0s", 2, &us, &err));
	assert_false(parse_duration("10", 2, &us, &err));
	assert_non_null(strstr(err.text, "'10' has no unit; write 10s, 10min"));
	assert_true(parse_duration("2 hours 30 minutes", 18, &us, &err));
	assert_int_equal(us, INT64_C(9000000000));
	assert_true(parse_patience("10", 2, &us, &err));
	assert_int_equal(us, 10000000);
	assert_false(parse_patience("0", 1, &us, &err));
	assert_false(parse_duration("ten", 3, &us, &err));
	assert_false(parse_duration("99999999999999999d", 18, &us, &err));
}

TEST(times_have_zones)
{
	struct err err;
	int64_t us;

	assert_true(parse_time("2026-11-23T14:30:00Z", 0, &us, &err));
	assert_int_equal(us, INT64_C(1795444200000000));
	assert_true(parse_time("2026-11-23T15:30:00+01:00", 0, &us, &err));
	assert_int_equal(us, INT64_C(1795444200000000));
	assert_true(parse_time("2026-11-23T15:30", 0, &us, &err));
	assert_int_equal(us, INT64_C(1795444200000000)); /* TZ is one hour east */
	assert_true(parse_time("2026-11-23", 0, &us, &err));
	assert_int_equal(us, INT64_C(1795388400000000));
	assert_true(parse_time("-7d", INT64_C(1795444200000000), &us, &err));
	assert_int_equal(us, INT64_C(1794839400000000));
	assert_true(parse_time("now", 42, &us, &err));
	assert_int_equal(us, 42);
	assert_false(parse_time("2026-02-30", 0, &us, &err));
	assert_false(parse_time("2026-11-23T25:00", 0, &us, &err));
	assert_false(parse_time("2026-11-23 ", 0, &us, &err));
	assert_true(parse_time("yesterday", INT64_C(1795444200000000), &us, &err));
	assert_int_equal(us, INT64_C(1795302000000000)); /* midnight one hour east */
	assert_true(parse_time("Tomorrow", INT64_C(1795444200000000), &us, &err));
	assert_int_equal(us, INT64_C(1795474800000000));
	assert_false(parse_time("tomorow", 0, &us, &err));
	assert_non_null(strstr(err.text, "did you mean 'tomorrow'?"));
	assert_false(parse_time("23.11.2026", 0, &us, &err));
	assert_non_null(strstr(err.text, "write 2026-11-23"));
}

static struct buf out;

static const char *shown(void)
{
	static char text[200];

	strncpy(text, buf_str(&out), sizeof(text) - 1);
	buf_reset(&out);
	return text;
}

TEST(a_day_is_one_of_utc_wherever_it_is_typed)
{
	static const char *const zones[] = {"UTC", "Asia/Tokyo", "America/Los_Angeles"};
	const int64_t day = INT64_C(1795824000000000); /* 2026-11-28 */
	const char *zone = getenv("TZ");
	char *before = zone ? strdup(zone) : NULL;
	struct err err;
	int64_t us;

	for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
		setenv("TZ", zones[i], 1);
		tzset();
		assert_true(parse_day("2026-11-28", 0, &us, &err));
		assert_int_equal(us, day);
		assert_true(parse_day("-7d", day + 5, &us, &err));
		assert_int_equal(us, day - INT64_C(7) * 86400000000);
		assert_true(parse_day("yesterday", day + 5, &us, &err));
		assert_int_equal(us, day - INT64_C(86400000000));
		assert_true(parse_day("now", day + INT64_C(86399999999), &us, &err));
		assert_int_equal(us, day);
	}
	assert_false(parse_day("2026-02-30", 0, &us, &err));
	assert_false(parse_day("yesteryear", 0, &us, &err));
	if (before)
		setenv("TZ", before, 1);
	else
		unsetenv("TZ");
	tzset();
	free(before);
}

TEST(a_number_with_a_comma_is_recognized)
{
	struct err err;
	int64_t n;

	assert_false(parse_count("1,500", 5, &n, &err));
	assert_non_null(strstr(err.text, "without a comma"));
	assert_false(parse_duration("10m", 3, &n, &err));
	assert_non_null(strstr(err.text, "write min"));
}

TEST(numbers_are_written_for_people)
{
	put_money(&out, 250000000);
	assert_string_equal(shown(), "$0.25");
	put_money(&out, 1);
	assert_string_equal(shown(), "$0.000000001");
	put_money(&out, INT64_C(-1234567500000000));
	assert_string_equal(shown(), "-$1,234,567.50");
	put_money(&out, INT64_MIN);
	assert_string_equal(shown(), "-$9,223,372,036.854775808");
	put_count(&out, 1234567);
	assert_string_equal(shown(), "1,234,567");
	put_count(&out, -123);
	assert_string_equal(shown(), "-123");
	put_time(&out, INT64_C(1795444200000000));
	assert_string_equal(shown(), "2026-11-23T15:30:00+01:00");
	put_time(&out, 0);
	assert_string_equal(shown(), "never");
	put_time_from(&out, INT64_C(1795444200000000), INT64_C(1795443300000001));
	assert_string_equal(shown(), "2026-11-23T15:30:00+01:00 (in 15 min)");
	put_enum(&out, &bursar__v1__reason__descriptor, 4, "REASON_");
	assert_string_equal(shown(), "request_rate");
	put_enum(&out, &bursar__v1__reason__descriptor, 99, "REASON_");
	assert_string_equal(shown(), "99");
}

TEST(a_duration_is_never_too_short)
{
	static const struct {
		int64_t us;
		const char *text;
	} rows[] = {{0, "0 s"}, {1, "1 ms"}, {350000, "350 ms"}, {999001, "1 s"}, {1200000, "1.2 s"},
		{1200001, "1.3 s"}, {9950000, "10 s"}, {12000000, "12 s"}, {12000001, "13 s"},
		{200000000, "3 min 20 s"}, {180000000, "3 min"}, {INT64_C(7500000000), "2 h 5 min"},
		{INT64_C(7199000001), "2 h"}, {INT64_C(273600000000), "3 d 4 h"}, {INT64_C(86399999999), "1 d"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		put_duration(&out, rows[i].us);
		assert_string_equal(shown(), rows[i].text);
	}
}

static int release(void **state)
{
	(void)state;
	buf_release(&out);
	return 0;
}

static int east_of_utc(void **state)
{
	(void)state;
	setenv("TZ", "ABC-1", 1);
	tzset();
	return 0;
}

TEST_GROUP(east_of_utc, release);
