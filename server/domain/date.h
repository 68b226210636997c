/* Days of the Gregorian calendar, counted from 1970-01-01. */
#ifndef BURSAR_DOMAIN_DATE_H
#define BURSAR_DOMAIN_DATE_H

#include <stdint.h>

/* Quotient and remainder that round down, for times before 1970 too. */
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

#endif
