/* Calendar windows in IANA time zones: where days, weeks and months begin. Months, DST and leap days are C's work. */
#ifndef BURSAR_DOMAIN_WINDOW_H
#define BURSAR_DOMAIN_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "domain/limit.h"

#define ZONE_NAME_MAX 64

/*
 * The boundaries around a time for each unit: at[u][0] <= at[u][1] <= t < at[u][2] < at[u][3], so that a store whose
 * clock differs by less than a window still finds the window it is in. Microseconds.
 */
struct windows {
	int64_t at[WINDOW_COUNT][4];
};

/*
 * The zone of an account. A new zone takes effect at the old zone's next boundary of each unit after changed_at_us:
 * until then the old one's windows run. previous == "" when it never changed; an account that leaves UTC has "UTC".
 */
struct zone {
	char name[ZONE_NAME_MAX + 1]; /* "" = UTC */
	char previous[ZONE_NAME_MAX + 1];
	int64_t changed_at_us;
};

/*
 * The account moves to the zone ("" or "UTC": UTC). A `known` one does so at the ends of its running windows, as windows_at has it;
 * a new one begins there.
 */
void zone_put(struct zone *zone, const char *name, bool known, int64_t now_us);

/* Is it a zone of the system's database (TZif files under /usr/share/zoneinfo, read and cached by this module)? */
bool zone_check(const char *name, struct err *err);

/* Fills `out` for the time now_us. UTC never fails; an unknown zone is ERR_INVALID. Thread-safe; O(1) when cached. */
bool windows_at(const struct zone *zone, int64_t now_us, struct windows *out, struct err *err);

/* The start of the window of `unit` that holds now_us, or -1 when `now_us` lies outside [at[0], at[3]). */
int64_t windows_start(const struct windows *windows, enum window_unit unit, int64_t now_us);
/* Its end; -1 likewise. */
int64_t windows_end(const struct windows *windows, enum window_unit unit, int64_t now_us);

#endif
