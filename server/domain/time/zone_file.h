/*
 * The system's database of time zones: TZif files under $TZDIR or /usr/share/zoneinfo. Each is read on its first use
 * and kept; zones_refresh re-reads those that the system has replaced. A zone that was read once stays known even if
 * its file goes away.
 */
#ifndef BURSAR_DOMAIN_TIME_ZONE_FILE_H
#define BURSAR_DOMAIN_TIME_ZONE_FILE_H

#include "base/err.h"
#include "domain/time/tz.h"

/* Is it a zone of the system's database? ERR_INVALID when not; ERR_PRECONDITION when there is no database. */
bool zone_check(const char *name, struct err *err);

/*
 * The zone, valid until zone_give; "" and "UTC" need no file. NULL when there is no zone of this name (ERR_INVALID) or
 * no data at all (ERR_PRECONDITION). Thread-safe; give it back promptly, because a refresh waits for it.
 */
const struct tz *zone_take(const char *name, struct err *err);
void zone_give(const struct tz *tz);

/* Changes whenever any zone may have changed: results computed from a zone are valid while this stays the same. */
uint64_t zones_generation(void);

/* Notes that an account's zone cannot be read: zones_refresh retries it, and zones_facts reports it. */
void zone_miss(const char *name);

struct zones_facts {
	char folder[256];
	char version[32]; /* "2025b"; "" when the data does not say */
	bool found; /* is there any data? */
	int missing; /* zones of accounts that cannot be read */
	char first_missing[ZONE_NAME_MAX + 1];
};
void zones_facts(struct zones_facts *out);

/* Checks whether files were replaced (one stat per zone in use), and re-reads those. Returns how many. Thread-safe. */
int zones_refresh(void);

#endif
