/* An account moves to another time zone: which windows it keeps, and for how long. */
#include <string.h>

#include "domain/limit/window.h"

#include "base/units.h"

/* Somebody's clock may be so much ahead of ours, or the change reach the store so much later: then the next window has begun
 * there, and is kept too. */
#define MARGIN_US MINUTE_US

static void windows_keep(const struct zone *before, enum window_unit unit, int64_t now_us, int64_t kept[KEPT_BOUNDS])
{
	const int64_t *old = before->kept[unit];
	struct zone utc = {0};
	struct windows windows;
	const int64_t *at;

	if (now_us < old[0])
		now_us = old[0]; /* whoever made that change had a later clock */
	if (!windows_at(before, now_us, &windows, NULL)) { /* its file is gone: only what is kept is known for sure */
		memcpy(utc.kept, before->kept, sizeof(utc.kept));
		if (!windows_at(&utc, now_us, &windows, NULL))
			return;
	}
	at = windows.at[unit];
	kept[0] = at[1];
	kept[1] = at[2];
	kept[2] = now_us >= at[2] - MARGIN_US || old[2] > at[2] ? at[3] : 0;
}

void zone_put(struct zone *zone, const char *name, bool used, int64_t now_us)
{
	struct zone after = {0};

	if (strcmp(name, "UTC") == 0)
		name = "";
	if (strcmp(zone->name, name) == 0)
		return;
	for (int u = 0; used && u < WINDOW_COUNT; u++)
		windows_keep(zone, (enum window_unit)u, now_us, after.kept[u]);
	memcpy(after.name, name, strlen(name) + 1);
	*zone = after;
}

bool zone_keeps(const struct zone *zone)
{
	for (int u = 0; u < WINDOW_COUNT; u++)
		if (zone->kept[u][1])
			return true;
	return false;
}

bool zone_check_kept(const struct zone *zone, struct err *err)
{
	for (int u = 0; u < WINDOW_COUNT; u++) {
		const int64_t *kept = zone->kept[u];
		bool none = !kept[0] && !kept[1] && !kept[2];
		bool ordered = kept[0] >= -COUNT_MAX && kept[0] < kept[1] && kept[1] <= COUNT_MAX &&
			       (!kept[2] || (kept[1] < kept[2] && kept[2] <= COUNT_MAX));

		if (!none && !ordered)
			return err_invalid(err, "zone", "the boundaries of kept windows are not in order");
	}
	return true;
}

int64_t zone_kept_until(const struct zone *zone, enum window_unit unit, int64_t now_us)
{
	const int64_t *kept = zone->kept[unit];
	int64_t end = kept[2] ? kept[2] : kept[1];

	return now_us < end ? end : 0;
}
