/*
 * The system's database of time zones: TZif files under $TZDIR or /usr/share/zoneinfo. Each is read when it is first asked for, and kept;
 * zones_refresh reads again those that the system has replaced. What has been read once stays known, also when its file goes.
 */
#ifndef BURSAR_DOMAIN_TIME_ZONE_FILE_H
#define BURSAR_DOMAIN_TIME_ZONE_FILE_H

#include "base/err.h"
#include "domain/time/tz.h"

/* Is it a zone of the system's database? ERR_INVALID; ERR_PRECONDITION when there is no database. */
bool zone_check(const char *name, struct err *err);

/*
 * The zone, until zone_give; "" and "UTC" need no file. NULL when there is none of this name (ERR_INVALID), or no data at all
 * (ERR_PRECONDITION). Thread-safe; what is taken is given back at once, for a refresh waits for it.
 */
const struct tz *zone_take(const char *name, struct err *err);
void zone_give(const struct tz *tz);

/* Changes whenever a zone may be another than before: what was computed from one holds as long as this. */
uint64_t zones_generation(void);

/* An account lives in the zone, which cannot be read: zones_refresh tries it again, and zones_facts tells. */
void zone_miss(const char *name);

struct zones_facts {
	char folder[256];
	char version[32]; /* "2025b"; "" when the data does not say */
	bool found; /* is there any data? */
	int missing; /* zones of accounts that cannot be read */
	char first_missing[ZONE_NAME_MAX + 1];
};
void zones_facts(struct zones_facts *out);

/* Looks whether files were replaced (one stat a zone in use), and reads those again. Returns how many. Thread-safe. */
int zones_refresh(void);

#endif
