/* Days of the Gregorian calendar, counted from 1970-01-01. */
#ifndef BURSAR_DOMAIN_TIME_DATE_H
#define BURSAR_DOMAIN_TIME_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Quotient and remainder that round down, also for times before 1970. */
static inline int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* The day number of a date; month 1..12, day 1.. (a day past the month's end runs into the next). */
int64_t date_days(int64_t year, int month, int day);

/* The date of a day number. */
void date_of(int64_t days, int64_t *year, int *month, int *day);

/* 0 = Monday .. 6 = Sunday. */
int date_weekday(int64_t days);

#define DATE_TEXT 16
/* "2026-11-23" to its day number, "2026-11" to that of its first day; from 1970-01-01 to 9999. ERR_INVALID on `field`. */
bool date_parse(const char *text, const char *field, int64_t *days, struct err *err)
	__attribute__((warn_unused_result));
bool date_parse_month(const char *text, const char *field, int64_t *days, struct err *err)
	__attribute__((warn_unused_result));
/* "2026-11-23". */
const char *date_format(int64_t days, char out[DATE_TEXT]);
/* The first day of the month that contains a day, and of the next month. */
int64_t date_month(int64_t days);
int64_t date_next_month(int64_t days);

#endif
