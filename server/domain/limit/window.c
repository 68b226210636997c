/*
 * Calendar windows. A local day begins at the first instant whose local time has reached its midnight. This is right
 * when clocks jump over midnight (the day begins later), turn back over it (it begins once), or skip a whole date.
 */
#include "domain/limit/window.h"

#include <string.h>

#include "base/units.h"
#include "domain/time/date.h"
#include "domain/time/tz.h"
#include "domain/time/zone_file.h"

enum { MEMO_SLOTS = 64 };

/* The last answer of windows_at in this thread: valid until the first of its windows ends. */
struct memo {
	struct zone zone;
	int64_t from_us, to_us;
	uint64_t generation; /* of the zones */
	bool lost; /* the zone was not readable: these are the windows of UTC */
	struct windows windows;
};
static _Thread_local struct memo memos[MEMO_SLOTS];

static int64_t day_start(const struct tz *tz, int64_t day)
{
	return tz_reached(tz, day * DAY_S);
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

/* The first day of the `unit` that contains the day, or of the one `steps` units later. */
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

static int64_t zone_first(const struct tz *tz, enum window_unit unit, int64_t from)
{
	int64_t start = zone_prev(tz, unit, from);

	return start == from ? start : zone_next(tz, unit, from);
}

/* The shortest window after kept ones; and an upper bound for any window in any zone, including these. */
static const int64_t shortest[WINDOW_COUNT] = {20 * INT64_C(3600), 6 * DAY_S, 27 * DAY_S};
static const int64_t longest[WINDOW_COUNT] = {3 * DAY_S, 16 * DAY_S, 64 * DAY_S};

/* Boundaries of a unit: the zone's own up to the first fixed one and after the last. */
struct line {
	const struct tz *tz;
	enum window_unit unit;
	int fixed;
	int64_t at[KEPT_BOUNDS + 2];
};

static struct line line_of(const struct tz *tz, enum window_unit unit, const int64_t kept[KEPT_BOUNDS])
{
	struct line line = {.tz = tz, .unit = unit};
	int64_t end;

	if (!kept[1])
		return line;
	/* The window before is unknown by now: use one that is certainly older, so that a store whose clock steps back
	 * does not take it for a new one. */
	line.at[line.fixed++] = zone_prev(tz, unit, floor_div(kept[0], SECOND_US) - longest[unit]);
	for (int i = 0; i < KEPT_BOUNDS && (i < 2 || kept[i]); i++)
		line.at[line.fixed++] = floor_div(kept[i], SECOND_US);
	end = line.at[line.fixed - 1];
	line.at[line.fixed++] = zone_first(tz, unit, end + shortest[unit]);
	return line;
}

static int64_t line_prev(const struct line *line, int64_t at)
{
	int i = line->fixed - 1;

	if (i < 0 || at < line->at[0] || at >= line->at[i])
		return zone_prev(line->tz, line->unit, at);
	while (line->at[i] > at)
		i--;
	return line->at[i];
}

static int64_t line_next(const struct line *line, int64_t at)
{
	int i = 0;

	if (!line->fixed || at < line->at[0] || at >= line->at[line->fixed - 1])
		return zone_next(line->tz, line->unit, at);
	while (line->at[i] <= at)
		i++;
	return line->at[i];
}

static void windows_fill(const struct zone *zone, const struct tz *tz, int64_t at, struct windows *out)
{
	for (int u = 0; u < WINDOW_COUNT; u++) {
		struct line line = line_of(tz, (enum window_unit)u, zone->kept[u]);
		int64_t bounds[4];

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
	for (int u = 0; u < WINDOW_COUNT; u++)
		hash = (hash ^ (uint32_t)(zone->kept[u][1] / (1000 * SECOND_US))) * 16777619u;
	return &memos[(hash ^ hash >> 16) % MEMO_SLOTS];
}

static bool memo_holds(const struct memo *memo, const struct zone *zone, int64_t now_us)
{
	return memo->generation == zones_generation() && now_us >= memo->from_us && now_us < memo->to_us &&
	       strcmp(memo->zone.name, zone->name) == 0 && memcmp(memo->zone.kept, zone->kept, sizeof(zone->kept)) == 0;
}

static void memo_put(struct memo *memo, const struct memo *from)
{
	*memo = *from;
	memo->from_us = INT64_MIN;
	memo->to_us = INT64_MAX;
	for (int u = 0; u < WINDOW_COUNT; u++) {
		if (from->windows.at[u][1] > memo->from_us)
			memo->from_us = from->windows.at[u][1];
		if (from->windows.at[u][2] < memo->to_us)
			memo->to_us = from->windows.at[u][2];
	}
}

/* With `lost_ok`, a zone that cannot be read counts as UTC. */
static bool windows_find(const struct zone *zone, int64_t now_us, bool lost_ok, struct windows *out, struct err *err)
{
	struct memo *memo = memo_of(zone), fresh = {.zone = *zone, .generation = zones_generation()};
	const struct tz *tz;

	if (memo_holds(memo, zone, now_us) && (lost_ok || !memo->lost)) {
		*out = memo->windows;
		return true;
	}
	tz = zone_take(zone->name, err);
	if (!tz && lost_ok) {
		zone_miss(zone->name);
		fresh.lost = true;
		tz = zone_take("", NULL);
	}
	if (!tz)
		return false;
	windows_fill(zone, tz, floor_div(now_us, SECOND_US), &fresh.windows);
	zone_give(tz);
	memo_put(memo, &fresh);
	*out = fresh.windows;
	return true;
}

bool windows_at(const struct zone *zone, int64_t now_us, struct windows *out, struct err *err)
{
	return windows_find(zone, now_us, false, out, err);
}

void windows_or_utc(const struct zone *zone, int64_t now_us, struct windows *out)
{
	struct err ignored;

	windows_find(zone, now_us, true, out, &ignored);
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
