/*
 * Accounts whose time zone changes at random, with clocks that jump, differ and step back, and with restarts. Whatever
 * happens, their windows are contiguous, none is cut short, and none is too short.
 *
 * property_test_zone_changes [--seed N] [--steps N]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/chance.h"
#include "domain/time/date.h"
#include "domain/limit/profile.h"
#include "domain/time/zone_file.h"

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define STEPS_DEFAULT 60000
#define EPISODE 30
#define ZONES_MAX 600

/* The promise for each window: no shorter than this, and no longer than this plus the longest natural one. */
static const int64_t least[WINDOW_COUNT] = {20 * HOUR, 6 * DAY, 27 * DAY};
static const int64_t most[WINDOW_COUNT] = {20 * HOUR + 28 * HOUR, 13 * DAY + 6 * HOUR, 58 * DAY + 6 * HOUR};

/* An account as the store keeps it: a window begins when a later start is seen, by a clock that never goes back. */
struct store {
	int64_t clock_us, start[WINDOW_COUNT];
	int64_t end[WINDOW_COUNT]; /* the promised end of the running window, which the store does not know */
};

struct account {
	struct zone zone;
	struct store store;
	int64_t now_us;
	char what[160];
};

static char zones[ZONES_MAX][ZONE_NAME_MAX + 1];
static int zone_count;
static uint64_t seed = 1;
static int64_t done;

static void holds(bool fact, const struct account *account, const char *promise)
{
	if (fact)
		return;
	printf("--seed %" PRIu64 ", step %" PRId64 ": %s\n  %s at %" PRId64 " in zone '%s'\n", seed, done, promise,
		account->what, account->now_us, account->zone.name);
	for (int u = 0; u < WINDOW_COUNT; u++)
		printf("  kept %" PRId64 " %" PRId64 " %" PRId64 ", running %" PRId64 " to %" PRId64 "\n",
			account->zone.kept[u][0], account->zone.kept[u][1], account->zone.kept[u][2],
			account->store.start[u], account->store.end[u]);
	exit(1);
}

/* The zones of countries, and those with a fixed offset, from -12 to +14 hours. */
static bool zones_read(void)
{
	FILE *file = fopen("/usr/share/zoneinfo/zone.tab", "re");
	char line[512], name[ZONE_NAME_MAX + 1];

	if (!file)
		return false;
	while (zone_count < ZONES_MAX - 27 && fgets(line, sizeof(line), file))
		if (line[0] != '#' && sscanf(line, "%*s %*s %64s", name) == 1 && zone_check(name, NULL))
			strcpy(zones[zone_count++], name);
	fclose(file);
	for (int hour = -14; hour <= 12; hour++)
		if (hour)
			snprintf(zones[zone_count++], sizeof(zones[0]), "Etc/GMT%+d", hour);
		else
			strcpy(zones[zone_count++], "UTC");
	return zone_count > 300;
}

static struct windows windows_of(const struct account *account, int64_t at_us)
{
	struct windows windows;
	struct err err;

	if (windows_at(&account->zone, at_us, &windows, &err))
		return windows;
	printf("%s\n", err.text);
	exit(1);
}

/* Follows the windows from `now` on; any moment within a window must see the same ones. */
static void line_is_whole(const struct account *account, struct chance *chance, enum window_unit unit)
{
	struct windows here = windows_of(account, account->now_us), there;

	for (int i = 0; i < 5; i++) {
		int64_t start = here.at[unit][1], end = here.at[unit][2];
		int64_t inside = chance_between(chance, start > account->now_us ? start : account->now_us, end - 1);

		there = windows_of(account, inside);
		holds(memcmp(&there.at[unit][1], &here.at[unit][1], 3 * sizeof(int64_t)) == 0, account,
			"two moments of a window see the same window");
		there = windows_of(account, end);
		holds(there.at[unit][0] == start && there.at[unit][1] == end && there.at[unit][2] == here.at[unit][3],
			account, "windows lie end to end");
		holds(end - start >= least[unit] && (end == account->zone.kept[unit][0] || end - start <= most[unit]),
			account, "a window has a window's length");
		here = there;
	}
}

/* For two moments far apart, starts and ends never go back. */
static void line_rises(const struct account *account, struct chance *chance)
{
	int64_t a_us = account->now_us + chance_between(chance, -90 * DAY, 90 * DAY),
		b_us = a_us + chance_below(chance, 60 * DAY);
	struct windows a = windows_of(account, a_us), b = windows_of(account, b_us);

	for (int u = 0; u < WINDOW_COUNT; u++) {
		holds(a.at[u][0] < a.at[u][1] && a.at[u][1] <= a_us && a_us < a.at[u][2] && a.at[u][2] < a.at[u][3],
			account, "boundaries stand around their moment");
		holds(b.at[u][1] == a.at[u][1] ? b.at[u][2] == a.at[u][2] : b.at[u][1] >= a.at[u][2], account,
			"a later moment lies in the same window or behind it");
	}
}

/* Does the same as accounts.load in lua/lib/account.lua. */
static void step_check(struct account *account, struct chance *chance)
{
	struct store *store = &account->store;
	struct windows windows = windows_of(account, account->now_us);

	snprintf(account->what, sizeof(account->what), "check");
	if (store->clock_us < account->now_us)
		store->clock_us = account->now_us;
	for (int u = 0; u < WINDOW_COUNT; u++) {
		enum window_unit unit = (enum window_unit)u;
		int64_t start = windows_start(&windows, unit, store->clock_us),
			end = windows_end(&windows, unit, store->clock_us);

		if (start > store->start[u]) {
			holds(!store->start[u] || start >= store->end[u], account,
				"no window ends earlier than it would have");
			holds(!store->start[u] || start - store->start[u] >= least[u], account, "no window is short");
			store->start[u] = start;
		}
		if (start == store->start[u] && end > store->end[u])
			store->end[u] = end;
		line_is_whole(account, chance, unit);
	}
	line_rises(account, chance);
}

static void step_zone(struct account *account, struct chance *chance)
{
	const char *name = zones[chance_below(chance, zone_count)];
	int64_t put_us = account->now_us + chance_between(chance, -30 * SECOND, 30 * SECOND);
	struct windows before, after;

	/* Asks the store how far its clock has come. */
	if (put_us < account->store.clock_us && chance_percent(chance, 90))
		put_us = account->store.clock_us;
	else if (put_us < account->store.clock_us - 30 * SECOND)
		put_us = account->store.clock_us - 30 * SECOND;
	before = windows_of(account, put_us);
	if (chance_percent(chance, 20))
		name = account->zone.name; /* nothing must change */
	snprintf(account->what, sizeof(account->what), "put '%s' at %" PRId64, name, put_us);
	zone_put(&account->zone, name, true, put_us);
	after = windows_of(account, put_us);
	for (int u = 0; u < WINDOW_COUNT; u++) {
		/* Windows before the kept ones are no longer known; the store does not go back to them. */
		if (put_us >= account->zone.kept[u][0])
			holds(memcmp(&after.at[u][1], &before.at[u][1], 2 * sizeof(int64_t)) == 0, account,
				"the running window stays");
	}
}

static void step_restart(struct account *account)
{
	struct account_profile profile = {.zone = account->zone}, back;
	struct arena arena = {0};
	struct buf bytes = {0};

	snprintf(account->what, sizeof(account->what), "restart");
	profile_pack(&profile, &bytes);
	holds(profile_unpack((uint8_t *)bytes.data, bytes.len, &arena, &back), account, "a profile can be read back");
	holds(strcmp(back.zone.name, account->zone.name) == 0 &&
			memcmp(back.zone.kept, account->zone.kept, sizeof(back.zone.kept)) == 0,
		account, "the zone comes back as it was");
	account->zone = back.zone;
	buf_release(&bytes);
	arena_release(&arena);
}

static void step_clock(struct account *account, struct chance *chance)
{
	struct windows windows = windows_of(account, account->now_us);
	static const int64_t spans[] = {60 * SECOND, HOUR, 6 * HOUR, DAY, 8 * DAY, 40 * DAY};
	int64_t back;

	switch (chance_below(chance, 6)) {
	case 0:
		account->now_us = windows.at[chance_below(chance, WINDOW_COUNT)][2] + chance_below(chance, 5) - 2;
		break;
	case 1:
		account->now_us = windows.at[WINDOW_DAY][2] + chance_between(chance, -40 * SECOND, 40 * SECOND);
		break;
	case 2:
		back = chance_below(chance, chance_percent(chance, 80) ? 30 * SECOND : 3 * DAY);
		account->now_us -= back;
		break;
	default:
		account->now_us += chance_below(chance, spans[chance_below(chance, sizeof(spans) / sizeof(spans[0]))]);
	}
	snprintf(account->what, sizeof(account->what), "clock");
}

/* A time near a skipped date (Samoa, Tokelau), or anywhere in 30 years with all their clock changes. */
static int64_t any_time(struct chance *chance)
{
	if (chance_percent(chance, 20))
		return date_days(2011, 12, 30) * DAY + chance_between(chance, -40 * DAY, 3 * DAY);
	return date_days(2008, 1, 1) * DAY + chance_below(chance, 30 * 365 * DAY);
}

static void episode(struct chance *chance)
{
	struct account account = {.now_us = any_time(chance)};

	zone_put(&account.zone, zones[chance_below(chance, zone_count)], false, account.now_us);
	for (int i = 0; i < EPISODE; i++, done++) {
		int64_t kind = chance_below(chance, 100);

		if (kind < 35)
			step_zone(&account, chance);
		else if (kind < 45)
			step_restart(&account);
		else if (kind < 75)
			step_clock(&account, chance);
		step_check(&account, chance);
	}
}

int main(int argc, char **argv)
{
	int64_t steps = STEPS_DEFAULT;

	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--seed") == 0)
			seed = strtoull(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--steps") == 0)
			steps = strtoll(argv[i + 1], NULL, 10);
	}
	if (!zones_read()) {
		printf("/usr/share/zoneinfo/zone.tab cannot be read: install tzdata\n");
		return 1;
	}
	printf("seed %" PRIu64 ", %" PRId64 " steps, %d zones\n", seed, steps, zone_count);
	while (done < steps) {
		struct chance chance = {.state = seed * UINT64_C(1000000007) + (uint64_t)done};

		episode(&chance);
	}
	printf("%" PRId64 " steps: all windows whole\n", done);
	return 0;
}
