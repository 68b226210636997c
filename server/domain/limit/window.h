/* Calendar windows in IANA time zones: where days, weeks and months begin. C, not Lua, handles months, DST and leap
 * days. */
#ifndef BURSAR_DOMAIN_LIMIT_WINDOW_H
#define BURSAR_DOMAIN_LIMIT_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "domain/limit/limit.h"
#include "domain/time/tz.h"

/*
 * The boundaries around a time for each unit: at[u][0] <= at[u][1] <= t < at[u][2] < at[u][3], so that a store whose
 * clock differs by less than a window still finds its current window. Microseconds.
 */
struct windows {
	int64_t at[WINDOW_COUNT][4];
};

/*
 * The zone of an account, and per unit the windows that were running when it changed: boundaries from the start of the
 * first to the end of the last, 0 after the last. They run to their end, whatever the zone. The window after them ends
 * at the zone's first boundary that is most of a unit away (20 h, 6 days, 27 days), so that no number of changes makes
 * a short window with a whole budget. From there on the boundaries are the zone's own.
 */
#define KEPT_BOUNDS 3
struct zone {
	char name[ZONE_NAME_MAX + 1]; /* "" = UTC */
	int64_t kept[WINDOW_COUNT][KEPT_BOUNDS];
};

/*
 * Moves the account to the zone ("" or "UTC": UTC); the same name changes nothing. `used`: something may have been
 * counted in the running windows, so they are kept; otherwise the account begins in the zone at once.
 */
void zone_put(struct zone *zone, const char *name, bool used, int64_t now_us);

/* Does the zone keep any windows; and are its boundaries in order? */
bool zone_keeps(const struct zone *zone);
bool zone_check_kept(const struct zone *zone, struct err *err);

/* The end of the kept windows of `unit` while they run; 0 afterwards. */
int64_t zone_kept_until(const struct zone *zone, enum window_unit unit, int64_t now_us);

/* Fills `out` for the time now_us. UTC never fails; an unknown zone is ERR_INVALID. Thread-safe; O(1) when cached. */
bool windows_at(const struct zone *zone, int64_t now_us, struct windows *out, struct err *err);

/*
 * The same for an account that was given the zone earlier: it counts even if the zone's file is gone. A zone that was
 * read once stays as it was; one that was never readable counts as UTC (after the kept windows), which zones_facts
 * reports. The store never ends a running window early, so neither this nor the way back resets anything; each may make
 * one additional window.
 */
void windows_or_utc(const struct zone *zone, int64_t now_us, struct windows *out);

/* The start of the window of `unit` that contains now_us, or -1 when `now_us` is outside [at[0], at[3]). */
int64_t windows_start(const struct windows *windows, enum window_unit unit, int64_t now_us);
/* Its end, or -1. */
int64_t windows_end(const struct windows *windows, enum window_unit unit, int64_t now_us);

#endif
