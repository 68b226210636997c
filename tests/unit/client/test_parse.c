/* The values that people type and read: counts, money, durations, times. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/units.h"
#include "cli/text/format.h"
#include "cli/text/parse.h"
#include "lib/test.h"

/* A text, and its value or what the error says about it. */
struct reading {
	const char *text;
	int64_t value;
	const char *says; /* a part of the error; NULL: the text has the value */
};

/* What a parser reads from `text` at the time `now_us`. */
typedef bool parser(const char *text, int64_t now_us, int64_t *value, struct err *err);

static void all_read(const struct reading *rows, size_t count, int64_t now_us, parser *parse)
{
	for (size_t i = 0; i < count; i++) {
		const struct reading *row = &rows[i];
		struct err err = {0};
		int64_t value;
		bool ok = parse(row->text, now_us, &value, &err);

		if (ok != !row->says)
			fail_msg("'%s': %s", row->text, ok ? "is accepted" : err.text);
		if (ok && value != row->value)
			fail_msg("'%s': is %" PRId64 ", not %" PRId64, row->text, value, row->value);
		if (!ok && (err.code != ERR_INVALID || !strstr(err.text, row->says)))
			fail_msg("'%s': says '%s', not '%s'", row->text, err.text, row->says);
	}
}
#define ALL_READ(rows, now_us, parse) all_read(rows, sizeof(rows) / sizeof(*(rows)), now_us, parse)

static bool usd(const char *text, int64_t now_us, int64_t *nano, struct err *err)
{
	(void)now_us;
	return parse_usd(text, strlen(text), nano, err);
}

TEST(money_is_exact_to_the_nano_dollar)
{
	static const struct reading rows[] = {{"5", 5000000000, NULL}, {"$5", 5000000000, NULL},
		{"5usd", 5000000000, NULL}, {"0.25", 250000000, NULL}, {"0.000000001", 1, NULL},
		{"1_000.50", 1000500000000, NULL}, {"0", 0, NULL}, {"0.250000000000", 250000000, NULL},
		{"9007199.254740991", 9007199254740991, NULL}, {"0.0000000001", 0, ""}, {"9007199.254740992", 0, ""},
		{"", 0, ""}, {".5", 0, ""}, {"5.", 0, ""}, {"-5", 0, ""}, {"5 USD x", 0, ""}};

	ALL_READ(rows, 0, usd);
}

static bool duration(const char *text, int64_t now_us, int64_t *us, struct err *err)
{
	(void)now_us;
	return parse_duration(text, strlen(text), us, err);
}

static bool patience(const char *text, int64_t now_us, int64_t *us, struct err *err)
{
	(void)now_us;
	return parse_patience(text, strlen(text), us, err);
}

TEST(durations_add_up)
{
	static const struct reading rows[] = {{"1h30min", INT64_C(5400000000), NULL}, {"500ms", 500000, NULL},
		{"366d", 366 * DAY_US, NULL}, {"2 hours 30 minutes", INT64_C(9000000000), NULL}, {"367d", 0, ""},
		{"0s", 0, ""}, {"10", 0, "'10' has no unit; write 10s, 10min"}, {"ten", 0, ""},
		{"99999999999999999d", 0, ""}, {"10m", 0, "write min"}};
	static const struct reading patient[] = {{"10", 10000000, NULL}, {"0", 0, ""}};

	ALL_READ(rows, 0, duration);
	ALL_READ(patient, 0, patience);
}

TEST(times_have_zones)
{
	static const struct reading rows[] = {
		{"2026-11-23T14:30:00Z", INT64_C(1795444200000000), NULL},
		{"2026-11-23T15:30:00+01:00", INT64_C(1795444200000000), NULL},
		{"2026-11-23T15:30", INT64_C(1795444200000000), NULL}, /* TZ is one hour east */
		{"2026-11-23", INT64_C(1795388400000000), NULL},
		{"-7d", INT64_C(1794839400000000), NULL},
		{"now", INT64_C(1795444200000000), NULL},
		{"yesterday", INT64_C(1795302000000000), NULL}, /* midnight one hour east */
		{"Tomorrow", INT64_C(1795474800000000), NULL},
		{"2026-02-30", 0, ""},
		{"2026-11-23T25:00", 0, ""},
		{"2026-11-23 ", 0, ""},
		{"tomorow", 0, "did you mean 'tomorrow'?"},
		{"23.11.2026", 0, "write 2026-11-23"},
	};

	ALL_READ(rows, INT64_C(1795444200000000), parse_time);
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
	const struct reading rows[] = {{"2026-11-28", day, NULL}, {"-7d", day - 7 * DAY_US, NULL},
		{"yesterday", day - DAY_US, NULL}, {"2026-02-30", 0, ""}, {"yesteryear", 0, ""}};
	const struct reading late[] = {{"now", day, NULL}};
	const char *zone = getenv("TZ");
	char *before = zone ? strdup(zone) : NULL;

	for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
		setenv("TZ", zones[i], 1);
		tzset();
		ALL_READ(rows, day + 5, parse_day);
		ALL_READ(late, day + DAY_US - 1, parse_day);
	}
	if (before)
		setenv("TZ", before, 1);
	else
		unsetenv("TZ");
	tzset();
	free(before);
}

static bool count(const char *text, int64_t now_us, int64_t *value, struct err *err)
{
	(void)now_us;
	return parse_count(text, strlen(text), value, err);
}

TEST(a_number_with_a_comma_is_recognized)
{
	static const struct reading rows[] = {{"1,500", 0, "without a comma"}};

	ALL_READ(rows, 0, count);
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
