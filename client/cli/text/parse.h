/* Parses what people type: counts, money, durations, times. Errors are ERR_INVALID and say what would be right. */
#ifndef BURSAR_CLI_PARSE_H
#define BURSAR_CLI_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A whole number from 0 to 2^53-1: "1500", "1_500", "1500000", "200k", "1.5M". */
bool parse_count(const char *text, size_t len, int64_t *out, struct err *err);

/* USD as nano-USD: "5", "$5", "5USD", "0.25", "1_000"; at most nine decimals. */
bool parse_usd(const char *text, size_t len, int64_t *out, struct err *err);

/* The same with a sign: "+1180", "-200k", "+$0.25", "-0.5"; without a sign it is positive. */
bool parse_change(const char *text, size_t len, int64_t *out, struct err *err);
bool parse_usd_change(const char *text, size_t len, int64_t *out, struct err *err);

/* "250us", "500ms", "30s", "15min", "2 hours", "7d", "1h30min": microseconds, more than 0 and at most 366 days. */
bool parse_duration(const char *text, size_t len, int64_t *out, struct err *err);

/* The same for a timeout, where a bare number is in seconds. */
bool parse_patience(const char *text, size_t len, int64_t *out, struct err *err);

/*
 * A time as microseconds since 1970 UTC: "2026-11-23", "2026-11-23T14:30", "2026-11-23T14:30:05.25Z", "...+01:00" (without
 * a zone: local time), "now", "+2h" and "-7d" (from `now_us`), "yesterday", "today" and "tomorrow" (midnight, local time).
 */
bool parse_time(const char *text, int64_t now_us, int64_t *out, struct err *err);

/*
 * The first microsecond of a UTC day: "2026-11-23" is the UTC day everywhere; other times give the UTC day they are
 * in.
 */
bool parse_day(const char *text, int64_t now_us, int64_t *out, struct err *err);

/* A time of the day, "22:00", as minutes. */
bool parse_minute(const char *text, size_t len, int32_t *out, struct err *err);

#endif
