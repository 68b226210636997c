/*
 * Calendar windows. A local day begins at the first instant whose local time has reached its midnight: that is right
 * where clocks jump over midnight (the day begins later), turn back over it (it begins once), or skip a whole date.
 */
#include "domain/window.h"

#include <string.h>

#include "domain/date.h"
#include "domain/tz.h"
#include "domain/zone_file.h"

#define DAY_S INT64_C(86400)
#define SECOND_US INT64_C(1000000)
enum { MEMO_SLOTS = 64 };

/* What windows_at last answered in this thread: good until the first of its windows ends. */
struct memo {
	struct zone zone;
	int64_t from_us, to_us;
	struct windows windows;
};
static _Thread_local struct memo memos[MEMO_SLOTS];

/* The first instant at which local time has reached midnight of the day. */
static int64_t day_start(const struct tz *tz, int64_t day)
{
	int64_t midnight = day * DAY_S;
	int64_t at = midnight - INT64_C(27) * 3600; /* local time is surely before midnight */
	int64_t from;
	int64_t to;

	for (;;) {
		int64_t start = midnight - tz_offset(tz, at, &from, &to);

		if (start < at)
			start = at; /* the clocks jumped over midnight */
		if (start < to)
			return start;
		at = to;
	}
}

static int64_t day_of(const struct tz *tz, int64_t at)
{
	int64_t from;
	int64_t to;
	int64_t day = floor_div(at + tz_offset(tz, at, &from, &to), DAY_S);

	while (day_start(tz, day) > at)
		day--;
	while (day_start(tz, day + 1) <= at)
		day++;
	return day;
}

/* The first day of the `unit` that holds the day; `steps` units later. */
static int64_t unit_first_day(enum window_unit unit, int64_t day, int steps)
{
	int64_t year;
	int month;
	int dom;

	if (unit == WINDOW_DAY)
		return day + steps;
	if (unit == WINDOW_WEEK)
		return day - date_weekday(day) + INT64_C(7) * steps;
	date_of(day, &year, &month, &dom);
	month += steps;
	return month > 12 ? date_days(year + 1, month - 12, 1) : date_days(year, month, 1);
}

static int64_t zone_prev(const struct tz *tz, enum window_unit unit, int64_t at)
{
	return day_start(tz, unit_first_day(unit, day_of(tz, at), 0));
}

static int64_t zone_next(const struct tz *tz, enum window_unit unit, int64_t at)
{
	return day_start(tz, unit_first_day(unit, day_of(tz, at), 1));
}

/* Boundaries of a unit: those of `before` up to `change`, which is one of them, and those of `now` behind it. */
struct line {
	const struct tz *before, *now;
	enum window_unit unit;
	int64_t change;
};

static int64_t line_prev(const struct line *line, int64_t at)
{
	int64_t start;

	if (at < line->change)
		return zone_prev(line->before, line->unit, at);
	start = zone_prev(line->now, line->unit, at);
	return start > line->change ? start : line->change;
}

static int64_t line_next(const struct line *line, int64_t at)
{
	return zone_next(at < line->change ? line->before : line->now, line->unit, at);
}

static void windows_fill(
	const struct tz *before, const struct tz *now, int64_t changed_s, int64_t at, struct windows *out)
{
	for (int u = 0; u < WINDOW_COUNT; u++) {
		struct line line = {.before = before, .now = now, .unit = (enum window_unit)u, .change = INT64_MIN};
		int64_t bounds[4];

		if (before)
			line.change = zone_next(before, line.unit, changed_s);
		bounds[1] = line_prev(&line, at);
		bounds[0] = line_prev(&line, bounds[1] - 1);
		bounds[2] = line_next(&line, at);
		bounds[3] = line_next(&line, bounds[2]);
		for (int i = 0; i < 4; i++)
			out->at[u][i] = bounds[i] * SECOND_US;
	}
}

static struct memo *memo_of(const struct zone *zone)
{
	uint32_t hash = 2166136261u;

	for (const char *p = zone->name; *p; p++)
		hash = (hash ^ (uint8_t)*p) * 16777619u;
	return &memos[(hash ^ hash >> 16) % MEMO_SLOTS];
}

static bool memo_holds(const struct memo *memo, const struct zone *zone, int64_t now_us)
{
	return now_us >= memo->from_us && now_us < memo->to_us && strcmp(memo->zone.name, zone->name) == 0 &&
	       strcmp(memo->zone.previous, zone->previous) == 0 && memo->zone.changed_at_us == zone->changed_at_us;
}

static void memo_put(struct memo *memo, const struct zone *zone, const struct windows *windows)
{
	*memo = (struct memo){.zone = *zone, .from_us = INT64_MIN, .to_us = INT64_MAX, .windows = *windows};
	for (int u = 0; u < WINDOW_COUNT; u++) {
		if (windows->at[u][1] > memo->from_us)
			memo->from_us = windows->at[u][1];
		if (windows->at[u][2] < memo->to_us)
			memo->to_us = windows->at[u][2];
	}
}

bool windows_at(const struct zone *zone, int64_t now_us, struct windows *out, struct err *err)
{
	struct memo *memo = memo_of(zone);
	const struct tz *before = NULL;
	const struct tz *now;
	struct windows windows;

	if (memo_holds(memo, zone, now_us)) {
		*out = memo->windows;
		return true;
	}
	now = zone_need(zone->name, err);
	if (!now)
		return false;
	/* An account in UTC that moved has "UTC" as its previous zone; "" says that it never moved. */
	if (zone->previous[0] && strcmp(zone->previous, zone->name) != 0) {
		before = zone_need(zone->previous, err);
		if (!before)
			return false;
	}
	windows_fill(before, now, floor_div(zone->changed_at_us, SECOND_US), floor_div(now_us, SECOND_US), &windows);
	memo_put(memo, zone, &windows);
	*out = windows;
	return true;
}

void zone_put(struct zone *zone, const char *name, bool known, int64_t now_us)
{
	if (strcmp(name, "UTC") == 0)
		name = "";
	if (strcmp(zone->name, name) == 0)
		return;
	if (known) {
		const char *previous = zone->name[0] ? zone->name : "UTC";
		memcpy(zone->previous, previous, strlen(previous) + 1);
		zone->changed_at_us = now_us;
	}
	memcpy(zone->name, name, strlen(name) + 1);
}

static int windows_index(const struct windows *windows, enum window_unit unit, int64_t now_us)
{
	const int64_t *at = windows->at[unit];

	for (int i = 0; i < 3; i++)
		if (now_us >= at[i] && now_us < at[i + 1])
			return i;
	return -1;
}

int64_t windows_start(const struct windows *windows, enum window_unit unit, int64_t now_us)
{
	int i = windows_index(windows, unit, now_us);

	return i < 0 ? -1 : windows->at[unit][i];
}

int64_t windows_end(const struct windows *windows, enum window_unit unit, int64_t now_us)
{
	int i = windows_index(windows, unit, now_us);

	return i < 0 ? -1 : windows->at[unit][i + 1];
}
