/* The Gregorian calendar by eras of 400 years, years beginning in March so that the leap day comes last. */
#include "domain/time/date.h"

#include <stdio.h>
#include <string.h>

#define ERA_DAYS 146097

int64_t date_days(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = floor_div(y, 400);
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

void date_of(int64_t days, int64_t *year, int *month, int *day)
{
	int64_t z = days + 719468;
	int64_t era = floor_div(z, ERA_DAYS);
	int64_t doe = z - era * ERA_DAYS;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*day = (int)(doy - (153 * mp + 2) / 5 + 1);
	*month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year = yoe + era * 400 + (*month <= 2);
}

int date_weekday(int64_t days)
{
	/* 1970-01-01 was a Thursday. */
	return (int)(days + 3 - floor_div(days + 3, 7) * 7);
}

/* True when `text` has digits where `shape` has 9, and the same characters elsewhere. */
static bool has_shape(const char *text, const char *shape)
{
	size_t i = 0;

	for (; text[i] && shape[i]; i++)
		if (shape[i] == '9' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
			return false;
	return text[i] == shape[i];
}

bool date_parse(const char *text, const char *field, int64_t *days, struct err *err)
{
	int year = 0, month = 0, day = 0;
	char again[DATE_TEXT];

	if (!has_shape(text, "9999-99-99"))
		return err_invalid(err, field, "must look like 2026-11-23");
	sscanf(text, "%4d-%2d-%2d", &year, &month, &day);
	if (year < 1970 || month < 1 || month > 12 ||
		strcmp(date_format(date_days(year, month, day), again), text) != 0)
		return err_invalid(err, field, "%s is not a day of the calendar since 1970", text);
	*days = date_days(year, month, day);
	return true;
}

bool date_parse_month(const char *text, const char *field, int64_t *days, struct err *err)
{
	int year = 0, month = 0;

	if (!has_shape(text, "9999-99"))
		return err_invalid(err, field, "must look like 2026-11");
	sscanf(text, "%4d-%2d", &year, &month);
	if (year < 1970 || month < 1 || month > 12)
		return err_invalid(err, field, "%s is not a month since 1970", text);
	*days = date_days(year, month, 1);
	return true;
}

const char *date_format(int64_t days, char out[DATE_TEXT])
{
	int64_t year;
	int month, day;

	date_of(days, &year, &month, &day);
	snprintf(out, DATE_TEXT, "%04d-%02d-%02d", (int)(year % 10000), month, day);
	return out;
}

int64_t date_month(int64_t days)
{
	int64_t year;
	int month, day;

	date_of(days, &year, &month, &day);
	return days - (day - 1);
}

int64_t date_next_month(int64_t days)
{
	return date_month(date_month(days) + 31);
}
