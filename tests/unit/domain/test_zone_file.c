/* Zone files that appear, change and disappear while they are in use. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "domain/limit/window.h"
#include "domain/time/zone_file.h"
#include "lib/test.h"
#include "zone_copy.h"

#define NOW INT64_C(1795435200000000) /* 2026-11-23 12:00 UTC */
#define HOUR INT64_C(3600000000)

static char folder[] = "/tmp/zones-XXXXXX";
static struct err err;

static void put(const char *name, const char *as)
{
	assert_true(zone_copy(folder, name, as));
}

static void write_text(const char *name, const char *text)
{
	char path[300];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_non_null(file = fopen(path, "w"));
	fputs(text, file);
	fclose(file);
}

static void drop(const char *name)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	unlink(path);
}

static int64_t day_start(const char *name)
{
	struct zone zone = {0};
	struct windows windows;

	snprintf(zone.name, sizeof(zone.name), "%s", name);
	windows_or_utc(&zone, NOW, &windows);
	return windows_start(&windows, WINDOW_DAY, NOW);
}

static int64_t midnight(int hours_east)
{
	return NOW - 12 * HOUR - hours_east * HOUR;
}

static struct zones_facts facts_now(void)
{
	struct zones_facts facts;

	zones_facts(&facts);
	return facts;
}

TEST(without_any_data_a_zone_is_refused_with_a_sentence_and_its_account_counts_by_utc)
{
	struct zone zone = {.name = "Here"};
	struct windows windows;

	assert_false(facts_now().found);
	assert_false(zone_check("Here", &err));
	assert_int_equal(err.code, ERR_PRECONDITION);
	assert_non_null(strstr(err.text, "has no time zone data in /tmp/zones-"));
	assert_non_null(strstr(err.text, "install tzdata"));
	assert_true(zone_check("", &err) && zone_check("UTC", &err));
	assert_false(windows_at(&zone, NOW, &windows, &err));
	assert_int_equal(day_start("Here"), midnight(0));
	assert_false(windows_at(&zone, NOW, &windows, &err)); /* and does not count as known afterwards */
	assert_int_equal(facts_now().missing, 1);
	assert_string_equal(facts_now().first_missing, "Here");
}

TEST(data_that_comes_is_read)
{
	uint64_t before = zones_generation();

	put("UTC", "UTC");
	put("Here", "Asia/Tokyo");
	assert_int_equal(day_start("Here"), midnight(0)); /* nobody has looked yet */
	zones_refresh();
	assert_true(zones_generation() > before);
	assert_int_equal(day_start("Here"), midnight(9));
	assert_int_equal(facts_now().missing, 0);
	assert_true(facts_now().found);
	assert_false(zone_check("There", &err));
	assert_int_equal(err.code, ERR_INVALID);
}

TEST(a_replaced_file_is_read_again)
{
	assert_int_equal(zones_refresh(), 0);
	put("Here", "Asia/Kolkata");
	assert_int_equal(zones_refresh(), 1);
	assert_int_equal(day_start("Here"), midnight(5) - HOUR / 2);
	assert_int_equal(zones_refresh(), 0);
}

TEST(what_was_known_stays_when_its_file_breaks_or_goes)
{
	int64_t before = day_start("Here");

	write_text("Here", "no zone");
	assert_int_equal(zones_refresh(), 0);
	assert_int_equal(day_start("Here"), before);
	drop("Here");
	drop("UTC");
	assert_int_equal(zones_refresh(), 0);
	assert_int_equal(day_start("Here"), before);
	assert_int_equal(facts_now().missing, 0);
	put("Here", "Asia/Tokyo");
	assert_int_equal(zones_refresh(), 1);
	assert_int_equal(day_start("Here"), midnight(9));
}

TEST(the_version_is_what_the_data_says)
{
	assert_string_equal(facts_now().version, "");
	write_text("tzdata.zi", "# version 2025b\n# ddeps backzone\n");
	assert_string_equal(facts_now().version, "2025b");
	write_text("+VERSION", "2026a\n");
	assert_string_equal(facts_now().version, "2026a");
	write_text("+VERSION", "");
	assert_string_equal(facts_now().version, "2025b");
	assert_string_equal(facts_now().folder, folder);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(folder) && setenv("TZDIR", folder, 1) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const names[] = {"Here", "UTC", "tzdata.zi", "+VERSION"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		drop(names[i]);
	return rmdir(folder);
}

/* In this order, because each test starts with what the previous one leaves behind. */

TEST_GROUP(setup, teardown);
