/* Parses what people type (parse.h). */
#include "cli/text/parse.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/text/distance.h"
#include "base/units.h"

#define COUNT_LIMIT ((INT64_C(1) << 53) - 1)

/*
 * Decimal digits with optional '_' between them and an optional fraction, times 10^scale; a finer fraction is an error.
 * Reads from *p up to `end` and leaves *p after the number.
 */
static bool read_decimal(const char **p, const char *end, int scale, int64_t *out)
{
	int64_t n = 0;
	int digits = 0, decimals = -1;

	for (; *p < end; (*p)++) {
		char c = **p;

		if (c == '.' && decimals < 0 && digits > 0) {
			decimals = 0;
			continue;
		}
		if (c == '_' && digits > 0 && decimals < 0)
			continue;
		if (!isdigit((unsigned char)c))
			break;
		if (decimals >= 0 && ++decimals > scale) {
			/* Trailing zeros are allowed: 0.250000000000 is a quarter. */
			if (c != '0')
				return false;
			continue;
		}
		digits++;
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, c - '0', &n))
			return false;
	}
	if (digits == 0 || decimals == 0)
		return false;
	for (int i = decimals < 0 ? 0 : decimals; i < scale; i++)
		if (__builtin_mul_overflow(n, 10, &n))
			return false;
	*out = n;
	return n <= COUNT_LIMIT;
}

bool parse_count(const char *text, size_t len, int64_t *out, struct err *err)
{
	const char *p = text, *end = text + len;
	int scale = 0;
	int64_t n;

	if (len > 0 && (end[-1] == 'k' || end[-1] == 'K'))
		scale = 3;
	else if (len > 0 && end[-1] == 'M')
		scale = 6;
	if (scale)
		end--;
	if (!read_decimal(&p, end, scale, &n) || p != end)
		return err_set(err, ERR_INVALID, "'%.*s' is not a count; %s such as 1500, 200k or 1.5M", (int)len, text,
			len > 0 && memchr(text, ',', len) ? "write it without a comma,"
							  : "write a whole number up to 2^53-1");
	*out = n;
	return true;
}

bool parse_usd(const char *text, size_t len, int64_t *out, struct err *err)
{
	const char *p = text, *end = text + len;
	int64_t n;

	if (p < end && *p == '$')
		p++;
	if (end - p > 3 && strncasecmp(end - 3, "usd", 3) == 0)
		end -= 3;
	if (!read_decimal(&p, end, 9, &n) || p != end)
		return err_set(err, ERR_INVALID,
			"'%.*s' is not an amount of USD; write 5, 0.25 or 5USD, with a decimal point, at most nine "
			"decimals and below 9007199",
			(int)len, text);
	*out = n;
	return true;
}

static bool signed_by(bool (*parse)(const char *, size_t, int64_t *, struct err *), const char *text, size_t len,
	int64_t *out, struct err *err)
{
	size_t sign = len > 0 && (*text == '+' || *text == '-');

	if (!parse(text + sign, len - sign, out, err))
		return false;
	if (*text == '-')
		*out = -*out;
	return true;
}

bool parse_change(const char *text, size_t len, int64_t *out, struct err *err)
{
	return signed_by(parse_count, text, len, out, err);
}

bool parse_usd_change(const char *text, size_t len, int64_t *out, struct err *err)
{
	return signed_by(parse_usd, text, len, out, err);
}

static const struct unit {
	const char *name;
	int64_t us;
} units[] = {{"us", 1}, {"ms", 1000}, {"s", 1000000}, {"sec", 1000000}, {"secs", 1000000}, {"second", 1000000},
	{"seconds", 1000000}, {"min", 60000000}, {"mins", 60000000}, {"minute", 60000000}, {"minutes", 60000000},
	{"h", 3600000000}, {"hr", 3600000000}, {"hour", 3600000000}, {"hours", 3600000000}, {"d", DAY_US},
	{"day", DAY_US}, {"days", DAY_US}, {"w", 7 * DAY_US}, {"week", 7 * DAY_US}, {"weeks", 7 * DAY_US}};

static int64_t unit_us(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (strlen(units[i].name) == len && strncmp(units[i].name, name, len) == 0)
			return units[i].us;
	return 0;
}

/* Reads one part of a duration, such as "30s" or "30 s"; false when there is none. */
static bool read_span(const char **p, const char *end, int64_t *sum)
{
	const char *name;
	int64_t n, us;

	if (!read_decimal(p, end, 0, &n))
		return false;
	while (*p < end && **p == ' ')
		++*p;
	for (name = *p; *p < end && isalpha((unsigned char)**p); ++*p)
		;
	us = unit_us(name, (size_t)(*p - name));
	while (*p < end && **p == ' ')
		++*p;
	return us != 0 && !__builtin_mul_overflow(n, us, &n) && !__builtin_add_overflow(*sum, n, sum) &&
	       *sum <= 366 * DAY_US;
}

bool parse_duration(const char *text, size_t len, int64_t *out, struct err *err)
{
	const char *p = text, *end = text + len;
	int64_t sum = 0, number;
	bool right = true;

	while (right && p < end)
		right = read_span(&p, end, &sum);
	if (right && sum > 0) {
		*out = sum;
		return true;
	}
	p = text;
	if (read_decimal(&p, end, 0, &number) && p == end && number > 0)
		return err_set(err, ERR_INVALID, "'%.*s' has no unit; write %.*ss, %.*smin, %.*sh or %.*sd", (int)len,
			text, (int)len, text, (int)len, text, (int)len, text, (int)len, text);
	return err_set(err, ERR_INVALID,
		"'%.*s' is not a duration; write 500ms, 30s, 15min, 2h, 7d or 1h30min, at most 366d%s", (int)len, text,
		len > 0 && text[len - 1] == 'm' ? " (m would be minutes or months: write min)" : "");
}

bool parse_patience(const char *text, size_t len, int64_t *out, struct err *err)
{
	const char *p = text;
	int64_t seconds;

	if (read_decimal(&p, text + len, 0, &seconds) && p == text + len && seconds > 0 && seconds <= 366 * 86400) {
		*out = seconds * 1000000;
		return true;
	}
	return parse_duration(text, len, out, err);
}

/* "Z" or "+01:00" or "+0100" as seconds east of UTC. */
static bool read_zone(const char *text, int *seconds)
{
	int hours, minutes, used = 0;

	if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) {
		*seconds = 0;
		return true;
	}
	if (text[0] != '+' && text[0] != '-')
		return false;
	if (sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &used) < 2 &&
		sscanf(text + 1, "%2d%2d%n", &hours, &minutes, &used) < 2)
		return false;
	if (text[1 + used] || hours < 0 || hours > 15 || minutes < 0 || minutes > 59)
		return false;
	*seconds = (hours * 3600 + minutes * 60) * (text[0] == '-' ? -1 : 1);
	return true;
}

/* ".25" after the seconds: at most six digits. */
static bool read_fraction(const char **p, int64_t *micros)
{
	int64_t unit = 100000;

	if (**p != '.')
		return true;
	for (++*p; isdigit((unsigned char)**p) && unit > 0; ++*p, unit /= 10)
		*micros += (**p - '0') * unit;
	return !isdigit((unsigned char)**p);
}

static bool read_calendar(const char *text, int64_t *out)
{
	int64_t micros = 0;
	struct tm tm = {.tm_isdst = -1}, wanted;
	const char *rest = strptime(text, "%Y-%m-%d", &tm);
	int zone = 0;
	time_t at;

	if (!rest)
		return false;
	if (*rest == 'T' || *rest == ' ') {
		const char *seconds = strptime(rest + 1, "%H:%M:%S", &tm);

		rest = seconds ? seconds : strptime(rest + 1, "%H:%M", &tm);
		if (!rest || (seconds && !read_fraction(&rest, &micros)))
			return false;
	}
	wanted = tm;
	if (*rest && !read_zone(rest, &zone))
		return false;
	at = *rest ? timegm(&tm) - zone : mktime(&tm);
	/* strptime would turn February 31 into a day in March: refuse it instead. */
	if (tm.tm_mday != wanted.tm_mday || tm.tm_mon != wanted.tm_mon)
		return false;
	*out = (int64_t)at * 1000000 + micros;
	return at >= 0;
}

/* "yesterday" and the like, as days from today. */
static bool read_named_day(const char *text, int *days)
{
	static const struct {
		const char *name;
		int days;
	} named[] = {{"yesterday", -1}, {"today", 0}, {"tomorrow", 1}};

	for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++) {
		if (strcasecmp(named[i].name, text) == 0) {
			*days = named[i].days;
			return true;
		}
	}
	return false;
}

/* The local midnight that begins the day. */
static int64_t midnight(int64_t now_us, int days)
{
	time_t now = (time_t)(now_us / 1000000);
	struct tm tm;

	localtime_r(&now, &tm);
	tm.tm_mday += days;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm) * 1000000;
}

/* For 20.11.2026, 11/20/2026 and the like, says how to write the date if the order is unmistakable. */
static bool no_time(const char *text, const char *what, const char *forms, struct err *err)
{
	struct meant meant = {.typed = text};
	int a, b, year, used = 0;

	meant_try(&meant, "yesterday");
	meant_try(&meant, "today");
	meant_try(&meant, "tomorrow");
	if (sscanf(text, "%2d.%2d.%4d%n", &a, &b, &year, &used) == 3 && !text[used] && year > 1969 && b >= 1 && b <= 12)
		return err_set(err, ERR_INVALID, "'%s' is not %s; write %04d-%02d-%02d", text, what, year, b, a);
	if (meant.name[0])
		return err_set(err, ERR_INVALID, "'%s' is not %s; did you mean '%s'?", text, what, meant.name);
	return err_set(err, ERR_INVALID, "'%s' is not %s; write %s", text, what, forms);
}

bool parse_time(const char *text, int64_t now_us, int64_t *out, struct err *err)
{
	int64_t span = 0;
	int days;

	if (strcmp(text, "now") == 0) {
		*out = now_us;
		return true;
	}
	if (read_named_day(text, &days)) {
		*out = midnight(now_us, days);
		return true;
	}
	if ((text[0] == '+' || text[0] == '-') && isdigit((unsigned char)text[1])) {
		if (!parse_duration(text + 1, strlen(text + 1), &span, err))
			return false;
		*out = text[0] == '+' ? now_us + span : now_us - span;
		return true;
	}
	return read_calendar(text, out) ||
	       no_time(text, "a time",
		       "2026-11-23, 2026-11-23T14:30, 2026-11-23T14:30:00+01:00, now, yesterday, +2h or -7d", err);
}

bool parse_day(const char *text, int64_t now_us, int64_t *out, struct err *err)
{
	static const char forms[] = "2026-11-23, yesterday or -7d";
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%d", &tm);
	struct tm wanted = tm;
	int64_t us = 0;
	int days;

	if (rest && !*rest) {
		us = (int64_t)timegm(&tm) * 1000000;
		if (us < 0 || tm.tm_mday != wanted.tm_mday || tm.tm_mon != wanted.tm_mon)
			return err_set(err, ERR_INVALID, "'%s' is not a calendar day", text);
	} else if (read_named_day(text, &days)) {
		us = now_us + days * DAY_US;
	} else if (!parse_time(text, now_us, &us, err)) {
		return no_time(text, "a day", forms, err);
	}
	*out = us - us % DAY_US;
	return true;
}

bool parse_minute(const char *text, size_t len, int32_t *out, struct err *err)
{
	bool ok = len == 5 && isdigit((unsigned char)text[0]) && isdigit((unsigned char)text[1]) && text[2] == ':' &&
		  isdigit((unsigned char)text[3]) && isdigit((unsigned char)text[4]);
	int hour = ok ? (text[0] - '0') * 10 + text[1] - '0' : 24,
	    minute = ok ? (text[3] - '0') * 10 + text[4] - '0' : 60;

	if (hour > 23 || minute > 59)
		return err_set(err, ERR_INVALID, "'%.*s' must be a time of the day such as 22:00", (int)len, text);
	*out = hour * 60 + minute;
	return true;
}
