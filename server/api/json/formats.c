/* Texts with a format of their own: times of RFC 3339, and base64. */
#include <string.h>

#include "api/json/reader.h"
#include "domain/time/date.h"

/* Takes exactly `n` digits. */
static bool digits(const char **p, const char *end, int n, int *out)
{
	*out = 0;
	for (int i = 0; i < n; i++) {
		if (*p == end || **p < '0' || **p > '9')
			return false;
		*out = *out * 10 + (*(*p)++ - '0');
	}
	return true;
}

static bool character(const char **p, const char *end, const char *any)
{
	if (*p == end || !**p || !strchr(any, **p))
		return false;
	++*p;
	return true;
}

/* Up to nine digits after the point; those after the sixth must be 0, so that nothing is rounded. */
static bool fraction(const char **p, const char *end, int64_t *us)
{
	int64_t unit = 100000;
	int count = 0;

	if (!character(p, end, "."))
		return true;
	for (; *p < end && **p >= '0' && **p <= '9'; ++*p, count++) {
		if (unit == 0 && **p != '0')
			return false;
		*us += (**p - '0') * unit;
		unit /= 10;
	}
	return count >= 1 && count <= 9;
}

/* Z, or +hh:mm: seconds east of UTC. */
static bool zone(const char **p, const char *end, int *east)
{
	int hours, minutes, sign;

	*east = 0;
	if (character(p, end, "Zz"))
		return true;
	sign = *p < end && **p == '-' ? -1 : 1;
	if (!character(p, end, "+-") || !digits(p, end, 2, &hours) || !character(p, end, ":") ||
		!digits(p, end, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*east = sign * (hours * 3600 + minutes * 60);
	return true;
}

/* A day of the calendar, as its number. */
static bool day_of(int year, int month, int day, int64_t *days)
{
	int64_t same_year;
	int same_month, same_day;

	if (year < 1 || month < 1 || month > 12 || day < 1)
		return false;
	*days = date_days(year, month, day);
	date_of(*days, &same_year, &same_month, &same_day);
	return same_month == month && same_day == day;
}

bool json_time_parse(const char *text, size_t len, int64_t *us)
{
	const char *p = text, *end = text + len;
	int year, month, day, hour, minute, second, east;
	int64_t days, part = 0;

	if (!digits(&p, end, 4, &year) || !character(&p, end, "-") || !digits(&p, end, 2, &month) ||
		!character(&p, end, "-") || !digits(&p, end, 2, &day) || !character(&p, end, "Tt "))
		return false;
	if (!digits(&p, end, 2, &hour) || !character(&p, end, ":") || !digits(&p, end, 2, &minute) ||
		!character(&p, end, ":") || !digits(&p, end, 2, &second))
		return false;
	if (!fraction(&p, end, &part) || !zone(&p, end, &east) || p != end)
		return false;
	if (hour > 23 || minute > 59 || second > 59 || !day_of(year, month, day, &days))
		return false;
	*us = (((days * 24 + hour) * 60 + minute) * 60 + second - east) * 1000000 + part;
	return true;
}

/* The value of a digit of base64, of either kind, plus 1; 0: it is none. */
static unsigned base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A') + 1;
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 27;
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0') + 53;
	if (c == '+' || c == '-')
		return 63;
	return c == '/' || c == '_' ? 64 : 0;
}

bool json_base64_read(const char *text, size_t len, uint8_t *out, size_t *out_len)
{
	uint32_t word = 0;
	size_t put = 0;
	int held = 0;

	if (len % 4 == 0 && len && text[len - 1] == '=')
		len -= text[len - 2] == '=' ? 2 : 1;
	if (len % 4 == 1)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = base64_digit(text[i]);

		if (!digit)
			return false;
		word = word << 6 | (digit - 1);
		held += 6;
		if (held >= 8) {
			held -= 8;
			out[put++] = (uint8_t)(word >> held);
		}
	}
	*out_len = put;
	return (word & ((1U << held) - 1)) == 0; /* the bits that are left over mean nothing, and are 0 */
}

void json_base64_write(const uint8_t *bytes, size_t len, struct buf *out)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t full = (len + 2) / 3 * 4;
	char *to = buf_reserve(out, full);

	for (size_t i = 0; i < len; i += 3) {
		uint32_t word = (uint32_t)bytes[i] << 16 | (i + 1 < len ? (uint32_t)bytes[i + 1] << 8 : 0) |
				(i + 2 < len ? bytes[i + 2] : 0);

		*to++ = digit[word >> 18];
		*to++ = digit[word >> 12 & 63];
		*to++ = (char)(i + 1 < len ? digit[word >> 6 & 63] : '=');
		*to++ = (char)(i + 2 < len ? digit[word & 63] : '=');
	}
	*to = '\0';
	out->len += full;
}
