/* Where days, weeks and months begin. */

#include <stdio.h>
#include <string.h>

#include "domain/time/date.h"
#include "domain/time/tz.h"
#include "domain/limit/window.h"
#include "domain/time/zone_file.h"
#include "lib/test.h"

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

TEST(utc_needs_no_file)
{
	struct windows windows = windows_of("", at(2026, 11, 23, 12, 0));

	assert_int_equal(windows.at[WINDOW_DAY][0], at(2026, 11, 22, 0, 0));
	assert_int_equal(windows.at[WINDOW_DAY][3], at(2026, 11, 25, 0, 0));
	assert_int_equal(windows.at[WINDOW_WEEK][0], at(2026, 11, 16, 0, 0));
	assert_int_equal(windows.at[WINDOW_WEEK][1], at(2026, 11, 23, 0, 0));
	assert_int_equal(windows.at[WINDOW_WEEK][2], at(2026, 11, 30, 0, 0));
	assert_int_equal(windows.at[WINDOW_MONTH][0], at(2026, 10, 1, 0, 0));
	assert_int_equal(windows.at[WINDOW_MONTH][2], at(2026, 12, 1, 0, 0));
	assert_int_equal(windows.at[WINDOW_MONTH][3], at(2027, 1, 1, 0, 0));
}

TEST(times_before_1970_have_windows)
{
	day_is("", -1, -DAY, 0);
	day_is("Europe/Berlin", at(1900, 1, 1, 0, 0), at(1899, 12, 31, 23, 0), at(1900, 1, 1, 23, 0));
}

TEST(a_midnight_that_the_clocks_jump_over_begins_the_day_late)
{
	/* Beirut 2022-03-27: 00:00 became 01:00, at 22:00 UTC. */
	day_is("Asia/Beirut", at(2022, 3, 27, 12, 0), at(2022, 3, 26, 22, 0), at(2022, 3, 27, 21, 0));
	/* Sao Paulo 2018-11-04: 00:00 became 01:00, at 03:00 UTC. */
	day_is("America/Sao_Paulo", at(2018, 11, 4, 12, 0), at(2018, 11, 4, 3, 0), at(2018, 11, 5, 2, 0));
}

TEST(a_midnight_that_comes_twice_begins_the_day_once)
{
	/* Havana 2024-11-03: 01:00 became 00:00 again, at 05:00 UTC; the day began at 04:00 UTC. */
	day_is("America/Havana", at(2024, 11, 3, 4, 30), at(2024, 11, 3, 4, 0), at(2024, 11, 4, 5, 0));
	day_is("America/Havana", at(2024, 11, 3, 5, 30), at(2024, 11, 3, 4, 0), at(2024, 11, 4, 5, 0));
	/* Sao Paulo 2018-02-18: 00:00 became 23:00 of the 17th, which goes on for an hour. */
	day_is("America/Sao_Paulo", at(2018, 2, 18, 2, 30), at(2018, 2, 17, 2, 0), at(2018, 2, 18, 3, 0));
}

TEST(a_date_that_was_skipped_has_no_window)
{
	/* Samoa had no 2011-12-30: the 29th ended at 10:00 UTC on the 30th, and the 31st began. */
	day_is("Pacific/Apia", at(2011, 12, 30, 9, 59), at(2011, 12, 29, 10, 0), at(2011, 12, 30, 10, 0));
	day_is("Pacific/Apia", at(2011, 12, 30, 10, 0), at(2011, 12, 30, 10, 0), at(2011, 12, 31, 10, 0));
}

TEST(the_rule_of_the_footer_reaches_far_ahead)
{
	/* 2090-03-26 is the last Sunday of March. */
	day_is("Europe/Berlin", at(2090, 3, 26, 12, 0), at(2090, 3, 25, 23, 0), at(2090, 3, 26, 22, 0));
	/* Sydney's summer spans the year's end: 2090-10-01 is the first Sunday of October. */
	day_is("Australia/Sydney", at(2090, 10, 1, 0, 0), at(2090, 9, 30, 14, 0), at(2090, 10, 1, 13, 0));
	day_is("Australia/Sydney", at(2091, 1, 1, 0, 0), at(2090, 12, 31, 13, 0), at(2091, 1, 1, 13, 0));
	day_is("Asia/Kathmandu", at(2090, 1, 1, 0, 0), at(2089, 12, 31, 18, 15), at(2090, 1, 1, 18, 15));
}

TEST(being_outside_the_boundaries_is_reported)
{
	struct windows windows = windows_of("UTC", at(2026, 11, 23, 12, 0));

	assert_int_equal(windows_start(&windows, WINDOW_DAY, at(2026, 11, 22, 0, 0)), at(2026, 11, 22, 0, 0));
	assert_int_equal(windows_start(&windows, WINDOW_DAY, at(2026, 11, 22, 0, 0) - 1), -1);
	assert_int_equal(windows_end(&windows, WINDOW_DAY, at(2026, 11, 25, 0, 0)), -1);
	assert_int_equal(windows_end(&windows, WINDOW_DAY, at(2026, 11, 25, 0, 0) - 1), at(2026, 11, 25, 0, 0));
}

TEST(names_that_are_no_zones_are_refused)
{
	static const char *const names[] = {"Europe/Atlantis", "../../etc/passwd", "Europe/../Europe/Berlin",
		"/etc/passwd", "Europe//Berlin", "Europe/", "right/Europe/Berlin", "posix/UTC", "zone.tab", "Europe",
		"UTC\n", "tzdata.zi", "leapseconds", "\xff"};
	struct zone zone = {.name = "Nowhere"};
	struct windows windows;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_false(zone_check(names[i], &err));
		assert_string_equal(err.field, "time_zone");
	}
	assert_false(windows_at(&zone, 0, &windows, &err));
	assert_true(zone_check("", &err) && zone_check("UTC", &err) && zone_check("America/Port-au-Prince", &err) &&
		    zone_check("Etc/GMT+12", &err) && zone_check("America/Argentina/Buenos_Aires", &err));
}

static int64_t end_of(const struct zone *zone, enum window_unit unit, int64_t now_us)
{
	struct windows windows;

	assert_true(windows_at(zone, now_us, &windows, &err));
	return windows.at[unit][2];
}

TEST(a_changed_zone_keeps_the_running_windows)
{
	struct zone zone = {0};
	struct windows windows;
	int64_t last = 0;

	zone_put(&zone, "Asia/Tokyo", true, at(2026, 11, 23, 12, 0));
	assert_true(windows_at(&zone, at(2026, 11, 23, 18, 0), &windows, &err));
	assert_int_equal(windows.at[WINDOW_DAY][1], at(2026, 11, 23, 0, 0));
	assert_int_equal(windows.at[WINDOW_DAY][2], at(2026, 11, 24, 0, 0));
	/* Tokyo's next midnight would be 15 hours later: too short a day for a whole budget. */
	assert_int_equal(windows.at[WINDOW_DAY][3], at(2026, 11, 25, 15, 0));
	assert_int_equal(windows.at[WINDOW_WEEK][2], at(2026, 11, 30, 0, 0));
	assert_int_equal(windows.at[WINDOW_WEEK][3], at(2026, 12, 6, 15, 0));
	assert_int_equal(windows.at[WINDOW_MONTH][2], at(2026, 12, 1, 0, 0));
	assert_int_equal(windows.at[WINDOW_MONTH][3], at(2026, 12, 31, 15, 0));
	/* The boundaries are the same from any moment. */
	for (int64_t now = at(2026, 11, 18, 0, 0); now < at(2026, 12, 3, 0, 0); now += 3600 * SECOND) {
		assert_true(windows_at(&zone, now, &windows, &err));
		assert_true(windows.at[WINDOW_DAY][1] >= last);
		last = windows.at[WINDOW_DAY][1];
		assert_true(windows.at[WINDOW_DAY][1] <= now && now < windows.at[WINDOW_DAY][2]);
	}
	assert_int_equal(last, at(2026, 12, 2, 15, 0));
}

TEST(whatever_zone_is_put_the_running_window_ends_when_it_would_have)
{
	static const char *const names[] = {"Etc/GMT+12", "Pacific/Kiritimati", "Asia/Kathmandu", "UTC"};
	struct zone zone = {.name = "Europe/Berlin"};
	int64_t now = at(2026, 11, 23, 23, 30), end = at(2026, 11, 24, 23, 0), month = at(2026, 11, 30, 23, 0);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++, now += 3600 * SECOND) {
		zone_put(&zone, names[i], true, now);
		assert_int_equal(end_of(&zone, WINDOW_DAY, now), end);
		assert_int_equal(end_of(&zone, WINDOW_MONTH, now), month);
		assert_int_equal(zone_kept_until(&zone, WINDOW_DAY, now), end);
		assert_int_equal(zone_kept_until(&zone, WINDOW_DAY, end), 0);
	}
	/* The window after the kept one is kept too if the zone changes within it. */
	now = at(2026, 11, 25, 1, 0);
	end = end_of(&zone, WINDOW_DAY, now);
	assert_int_equal(end, at(2026, 11, 26, 0, 0));
	zone_put(&zone, "Etc/GMT-14", true, now);
	assert_int_equal(end_of(&zone, WINDOW_DAY, now), end);
}

TEST(the_same_name_again_changes_nothing_and_the_old_one_restores_its_line)
{
	struct zone zone = {.name = "America/Havana"}, before, plain = zone;
	int64_t now = at(2026, 11, 1, 3, 0); /* an hour before a day of 25 hours */

	zone_put(&zone, "Asia/Tokyo", true, now);
	before = zone;
	zone_put(&zone, "Asia/Tokyo", true, now + 7200 * SECOND);
	assert_memory_equal(&zone, &before, sizeof(zone));
	zone_put(&zone, "America/Havana", true, now + 600 * SECOND);
	for (int64_t t = now; t < now + 100 * DAY; t += 1800 * SECOND) {
		struct windows a, b;

		assert_true(windows_at(&zone, t, &a, &err) && windows_at(&plain, t, &b, &err));
		for (int u = 0; u < WINDOW_COUNT; u++)
			assert_memory_equal(&a.at[u][1], &b.at[u][1], 3 * sizeof(int64_t));
	}
}

TEST(in_the_last_minute_of_a_window_the_next_one_is_kept_too)
{
	struct zone zone = {0};
	int64_t end = at(2026, 11, 24, 0, 0), next = at(2026, 11, 25, 0, 0);

	zone_put(&zone, "Etc/GMT+3", true, end - 30 * SECOND);
	assert_int_equal(end_of(&zone, WINDOW_DAY, end - 1), end);
	assert_int_equal(end_of(&zone, WINDOW_DAY, end), next);
	assert_int_equal(end_of(&zone, WINDOW_WEEK, end), at(2026, 11, 30, 0, 0));
	assert_int_equal(zone_kept_until(&zone, WINDOW_DAY, end), next);
	/* A change by a clock that is behind does not remove it either. */
	zone_put(&zone, "Etc/GMT+4", true, end - 100 * SECOND);
	assert_int_equal(end_of(&zone, WINDOW_DAY, end), next);
	zone_put(&zone, "Etc/GMT+5", true, end - 2 * DAY);
	assert_int_equal(end_of(&zone, WINDOW_DAY, end - 1), end);
	assert_int_equal(end_of(&zone, WINDOW_DAY, end), next);
}

TEST(a_clock_that_steps_back_before_the_change_finds_no_younger_window)
{
	struct zone zone = {0};
	struct windows windows;
	int64_t start = at(2026, 11, 23, 0, 0);

	zone_put(&zone, "Pacific/Kiritimati", true, start + 600 * SECOND);
	assert_true(windows_at(&zone, start - 1, &windows, &err));
	assert_true(windows.at[WINDOW_DAY][1] <= start - DAY);
	assert_int_equal(windows.at[WINDOW_DAY][2], start);
}

TEST(an_account_that_was_never_used_begins_in_its_zone)
{
	struct zone zone = {0};
	int64_t now = at(2026, 11, 23, 12, 0);

	zone_put(&zone, "Asia/Tokyo", false, now);
	assert_false(zone_keeps(&zone));
	assert_int_equal(end_of(&zone, WINDOW_DAY, now), at(2026, 11, 23, 15, 0));
}

TEST(a_zone_whose_file_is_gone_can_be_left)
{
	struct zone zone = {.name = "Nowhere/Land"};
	int64_t now = at(2026, 11, 23, 12, 0);

	zone_put(&zone, "Asia/Tokyo", true, now);
	assert_string_equal(zone.name, "Asia/Tokyo");
	assert_int_equal(end_of(&zone, WINDOW_DAY, now), at(2026, 11, 24, 0, 0));
}

TEST(posix_rules_are_read_or_refused)
{
	static const char *const good[] = {"UTC0", "CET-1CEST,M3.5.0,M10.5.0/3", "<+0330>-3:30",
		"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "EST5EDT4,0/0,J365/25", "IST-2IDT,M3.4.4/26,M10.5.0", "ABC-24"};
	static const char *const bad[] = {"", "UT0", "UTC", "UTC0x", "CET-1CEST", "CET-1CEST,M3.5.0",
		"CET-1CEST,M13.5.0,M1.1.1", "CET-1CEST,M0.5.0,M1.1.1", "CET-1CEST,M3.6.0,M1.1.1",
		"CET-1CEST,M3.5.7,M1.1.1", "CET-1CEST,J0,J1", "<+03", "CET-168", "CET-1CEST,366,1",
		"CET-99999999999999999999"};
	struct tz_rule rule;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(tz_rule_parse(good[i], strlen(good[i]), &rule));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(tz_rule_parse(bad[i], strlen(bad[i]), &rule));
}

TEST(a_broken_file_is_refused_at_every_length)
{
	static uint8_t data[65536];
	FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
	size_t len;
	struct tz tz;

	assert_non_null(file);
	len = fread(data, 1, sizeof(data), file);
	fclose(file);
	for (size_t n = 0; n < len; n++)
		assert_false(tz_parse(data, n, &tz));
	/* Whatever a byte is changed to, the file is read or refused without reading out of bounds. */
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
