/*
 * Offsets of time zones, read from TZif files of version 2 or newer (RFC 8536), with the rule in their footer for times
 * after the last transition. Our own code, because libc supports only one zone per process.
 */
#ifndef BURSAR_DOMAIN_TIME_TZ_H
#define BURSAR_DOMAIN_TIME_TZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZONE_NAME_MAX 64

/* One clock change, such as "M3.5.0/2". */
struct tz_change {
	char form; /* 'M' month.week.weekday, 'J' day 1..365 without leap days, 'D' day 0..365 with */
	int month, week, weekday, day;
	int32_t time; /* seconds after local midnight; may be negative or more than a day */
};
struct tz_rule {
	bool has_dst;
	int32_t standard, dst; /* seconds east of UTC */
	struct tz_change to_dst, to_standard;
};

struct tz {
	int count;
	int64_t *at; /* transitions, ascending, seconds UTC */
	int32_t *offset; /* from at[i] on, seconds east */
	int32_t first; /* before at[0] */
	bool has_rule; /* from at[count - 1] on; without one the last offset continues */
	struct tz_rule rule;
};

/* Reads the bytes of a TZif file; false when they are not one. Freed with tz_release. */
bool tz_parse(const uint8_t *data, size_t len, struct tz *out);
void tz_release(struct tz *tz);

/* Reads a POSIX TZ text such as "CET-1CEST,M3.5.0,M10.5.0/3" (not terminated). */
bool tz_rule_parse(const char *text, size_t len, struct tz_rule *out);

/* The offset in force at `at` (seconds UTC), and its interval [*from, *to). */
int32_t tz_offset(const struct tz *tz, int64_t at, int64_t *from, int64_t *to);

/*
 * The first instant (seconds UTC) at which local time has reached `local`, given in seconds as if it were UTC: the change itself for
 * a time that clocks jump over, and the first of two for one that they show twice.
 */
int64_t tz_reached(const struct tz *tz, int64_t local);

#endif
