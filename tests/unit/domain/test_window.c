/* Where days, weeks and months begin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "domain/date.h"
#include "domain/tz.h"
#include "domain/window.h"

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)

static struct err err;

static int64_t at(int year, int month, int day, int hour, int minute)
{
	return ((date_days(year, month, day) * 24 + hour) * 60 + minute) * 60 * SECOND;
}

static struct windows windows_of(const char *name, int64_t now_us)
{
	struct zone zone = {0};
	struct windows windows;

	snprintf(zone.name, sizeof(zone.name), "%s", name);
	assert_true(windows_at(&zone, now_us, &windows, &err));
	for (int u = 0; u < WINDOW_COUNT; u++) {
		assert_true(windows.at[u][0] < windows.at[u][1] && windows.at[u][1] <= now_us);
		assert_true(now_us < windows.at[u][2] && windows.at[u][2] < windows.at[u][3]);
	}
	return windows;
}

static void day_is(const char *zone, int64_t now_us, int64_t start, int64_t end)
{
	struct windows windows = windows_of(zone, now_us);

	assert_int_equal(windows_start(&windows, WINDOW_DAY, now_us), start);
	assert_int_equal(windows_end(&windows, WINDOW_DAY, now_us), end);
}

static void utc_needs_no_file(void **state)
{
	struct windows windows = windows_of("", at(2026, 11, 23, 12, 0));

	(void)state;
	assert_int_equal(windows.at[WINDOW_DAY][0], at(2026, 11, 22, 0, 0));
	assert_int_equal(windows.at[WINDOW_DAY][3], at(2026, 11, 25, 0, 0));
	assert_int_equal(windows.at[WINDOW_WEEK][0], at(2026, 11, 16, 0, 0));
	assert_int_equal(windows.at[WINDOW_WEEK][1], at(2026, 11, 23, 0, 0));
	assert_int_equal(windows.at[WINDOW_WEEK][2], at(2026, 11, 30, 0, 0));
	assert_int_equal(windows.at[WINDOW_MONTH][0], at(2026, 10, 1, 0, 0));
	assert_int_equal(windows.at[WINDOW_MONTH][2], at(2026, 12, 1, 0, 0));
	assert_int_equal(windows.at[WINDOW_MONTH][3], at(2027, 1, 1, 0, 0));
}

static void times_before_1970_have_windows(void **state)
{
	(void)state;
	day_is("", -1, -DAY, 0);
	day_is("Europe/Berlin", at(1900, 1, 1, 0, 0), at(1899, 12, 31, 23, 0), at(1900, 1, 1, 23, 0));
}

static void a_midnight_that_the_clocks_jump_over_begins_the_day_late(void **state)
{
	(void)state;
	/* Beirut 2022-03-27: 00:00 became 01:00, at 22:00 UTC. */
	day_is("Asia/Beirut", at(2022, 3, 27, 12, 0), at(2022, 3, 26, 22, 0), at(2022, 3, 27, 21, 0));
	/* Sao Paulo 2018-11-04: 00:00 became 01:00, at 03:00 UTC. */
	day_is("America/Sao_Paulo", at(2018, 11, 4, 12, 0), at(2018, 11, 4, 3, 0), at(2018, 11, 5, 2, 0));
}

static void a_midnight_that_comes_twice_begins_the_day_once(void **state)
{
	(void)state;
	/* Havana 2024-11-03: 01:00 became 00:00 again, at 05:00 UTC; the day began at 04:00 UTC. */
	day_is("America/Havana", at(2024, 11, 3, 4, 30), at(2024, 11, 3, 4, 0), at(2024, 11, 4, 5, 0));
	day_is("America/Havana", at(2024, 11, 3, 5, 30), at(2024, 11, 3, 4, 0), at(2024, 11, 4, 5, 0));
	/* Sao Paulo 2018-02-18: 00:00 became 23:00 of the 17th, which goes on for an hour. */
	day_is("America/Sao_Paulo", at(2018, 2, 18, 2, 30), at(2018, 2, 17, 2, 0), at(2018, 2, 18, 3, 0));
}

static void a_date_that_was_skipped_has_no_window(void **state)
{
	(void)state;
	/* Samoa had no 2011-12-30: the 29th ended at 10:00 UTC on the 30th, and the 31st began. */
	day_is("Pacific/Apia", at(2011, 12, 30, 9, 59), at(2011, 12, 29, 10, 0), at(2011, 12, 30, 10, 0));
	day_is("Pacific/Apia", at(2011, 12, 30, 10, 0), at(2011, 12, 30, 10, 0), at(2011, 12, 31, 10, 0));
}

static void the_rule_of_the_footer_reaches_far_ahead(void **state)
{
	(void)state;
	/* 2090-03-26 is the last Sunday of March. */
	day_is("Europe/Berlin", at(2090, 3, 26, 12, 0), at(2090, 3, 25, 23, 0), at(2090, 3, 26, 22, 0));
	/* Sydney's summer spans the year's end: 2090-10-01 is the first Sunday of October. */
	day_is("Australia/Sydney", at(2090, 10, 1, 0, 0), at(2090, 9, 30, 14, 0), at(2090, 10, 1, 13, 0));
	day_is("Australia/Sydney", at(2091, 1, 1, 0, 0), at(2090, 12, 31, 13, 0), at(2091, 1, 1, 13, 0));
	day_is("Asia/Kathmandu", at(2090, 1, 1, 0, 0), at(2089, 12, 31, 18, 15), at(2090, 1, 1, 18, 15));
}

static void outside_of_the_boundaries_is_told(void **state)
{
	struct windows windows = windows_of("UTC", at(2026, 11, 23, 12, 0));

	(void)state;
	assert_int_equal(windows_start(&windows, WINDOW_DAY, at(2026, 11, 22, 0, 0)), at(2026, 11, 22, 0, 0));
	assert_int_equal(windows_start(&windows, WINDOW_DAY, at(2026, 11, 22, 0, 0) - 1), -1);
	assert_int_equal(windows_end(&windows, WINDOW_DAY, at(2026, 11, 25, 0, 0)), -1);
	assert_int_equal(windows_end(&windows, WINDOW_DAY, at(2026, 11, 25, 0, 0) - 1), at(2026, 11, 25, 0, 0));
}

static void names_that_are_no_zones_are_refused(void **state)
{
	static const char *const names[] = {"Europe/Atlantis", "../../etc/passwd", "Europe/../Europe/Berlin",
		"/etc/passwd", "Europe//Berlin", "Europe/", "right/Europe/Berlin", "posix/UTC", "zone.tab", "Europe",
		"UTC\n", "tzdata.zi", "leapseconds", "\xff"};
	struct zone zone = {.name = "Nowhere"};
	struct windows windows;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_false(zone_check(names[i], &err));
		assert_string_equal(err.field, "time_zone");
	}
	assert_false(windows_at(&zone, 0, &windows, &err));
	assert_true(zone_check("", &err) && zone_check("UTC", &err) && zone_check("America/Port-au-Prince", &err) &&
		    zone_check("Etc/GMT+12", &err) && zone_check("America/Argentina/Buenos_Aires", &err));
}

static void a_changed_zone_keeps_the_old_boundary_first(void **state)
{
	struct zone zone = {.name = "Asia/Tokyo", .previous = "UTC", .changed_at_us = at(2026, 11, 23, 12, 0)};
	struct windows windows;
	int64_t last = 0;

	(void)state;
	assert_true(windows_at(&zone, at(2026, 11, 23, 18, 0), &windows, &err));
	assert_int_equal(windows.at[WINDOW_DAY][1], at(2026, 11, 23, 0, 0));
	assert_int_equal(windows.at[WINDOW_DAY][2], at(2026, 11, 24, 0, 0));
	assert_int_equal(windows.at[WINDOW_DAY][3], at(2026, 11, 24, 15, 0));
	/* From whatever moment one looks, the boundaries are the same line. */
	for (int64_t now = at(2026, 11, 20, 0, 0); now < at(2026, 12, 3, 0, 0); now += 3600 * SECOND) {
		assert_true(windows_at(&zone, now, &windows, &err));
		assert_true(windows.at[WINDOW_DAY][1] >= last);
		last = windows.at[WINDOW_DAY][1];
		assert_true(windows.at[WINDOW_DAY][1] <= now && now < windows.at[WINDOW_DAY][2]);
	}
	assert_int_equal(last, at(2026, 12, 2, 15, 0));
	strcpy(zone.previous, "Nowhere/Land");
	assert_false(windows_at(&zone, 0, &windows, &err));
}

static void posix_rules_are_read_or_refused(void **state)
{
	static const char *const good[] = {"UTC0", "CET-1CEST,M3.5.0,M10.5.0/3", "<+0330>-3:30",
		"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "EST5EDT4,0/0,J365/25", "IST-2IDT,M3.4.4/26,M10.5.0", "XXX-24"};
	static const char *const bad[] = {"", "UT0", "UTC", "UTC0x", "CET-1CEST", "CET-1CEST,M3.5.0",
		"CET-1CEST,M13.5.0,M1.1.1", "CET-1CEST,M0.5.0,M1.1.1", "CET-1CEST,M3.6.0,M1.1.1",
		"CET-1CEST,M3.5.7,M1.1.1", "CET-1CEST,J0,J1", "<+03", "CET-168", "CET-1CEST,366,1",
		"CET-99999999999999999999"};
	struct tz_rule rule;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(tz_rule_parse(good[i], strlen(good[i]), &rule));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(tz_rule_parse(bad[i], strlen(bad[i]), &rule));
}

static void a_broken_file_is_refused_at_every_length(void **state)
{
	static uint8_t data[65536];
	FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
	size_t len;
	struct tz tz;

	(void)state;
	assert_non_null(file);
	len = fread(data, 1, sizeof(data), file);
	fclose(file);
	for (size_t n = 0; n < len; n++)
		assert_false(tz_parse(data, n, &tz));
	/* Whatever a byte is changed to, it is read or refused, without a step outside. */
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = data[i];
		int64_t from;
		int64_t to;

		data[i] ^= 0xff;
		if (tz_parse(data, len, &tz)) {
			tz_offset(&tz, 1800000000, &from, &to);
			tz_offset(&tz, 4000000000, &from, &to);
			tz_release(&tz);
		}
		data[i] = byte;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utc_needs_no_file),
		cmocka_unit_test(times_before_1970_have_windows),
		cmocka_unit_test(a_midnight_that_the_clocks_jump_over_begins_the_day_late),
		cmocka_unit_test(a_midnight_that_comes_twice_begins_the_day_once),
		cmocka_unit_test(a_date_that_was_skipped_has_no_window),
		cmocka_unit_test(the_rule_of_the_footer_reaches_far_ahead),
		cmocka_unit_test(outside_of_the_boundaries_is_told),
		cmocka_unit_test(names_that_are_no_zones_are_refused),
		cmocka_unit_test(a_changed_zone_keeps_the_old_boundary_first),
		cmocka_unit_test(posix_rules_are_read_or_refused),
		cmocka_unit_test(a_broken_file_is_refused_at_every_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
