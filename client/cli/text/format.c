/* Formats numbers for people (format.h). */
#include "cli/text/format.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void put_grouped(struct buf *out, uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			buf_put(out, ",", 1);
		buf_put(out, &digits[i], 1);
	}
}

/* The absolute value; also correct for INT64_MIN. */
static uint64_t magnitude(int64_t n)
{
	return n < 0 ? -(uint64_t)n : (uint64_t)n;
}

void put_money(struct buf *out, int64_t nano)
{
	uint64_t n = magnitude(nano);
	char decimals[12];
	size_t len;

	buf_put_str(out, nano < 0 ? "-$" : "$");
	put_grouped(out, n / 1000000000);
	len = (size_t)snprintf(decimals, sizeof(decimals), "%09" PRIu64, n % 1000000000);
	while (len > 2 && decimals[len - 1] == '0')
		len--;
	buf_put(out, ".", 1);
	buf_put(out, decimals, len);
}

void put_count(struct buf *out, int64_t count)
{
	if (count < 0)
		buf_put(out, "-", 1);
	put_grouped(out, magnitude(count));
}

void put_amount(struct buf *out, Bursar__V1__Dimension dimension, int64_t amount)
{
	if (dimension == BURSAR__V1__DIMENSION__DIMENSION_COST)
		put_money(out, amount);
	else
		put_count(out, amount);
}

/* `n` as `big` units and a rest of `small` ones: "2 h 5 min", "2 h". */
static void put_two(
	struct buf *out, int64_t seconds, int64_t big_s, const char *big, int64_t small_s, const char *small)
{
	int64_t rest = (seconds % big_s + small_s - 1) / small_s;
	int64_t n = seconds / big_s;

	if (rest == big_s / small_s) {
		n++;
		rest = 0;
	}
	buf_putf(out, "%" PRId64 " %s", n, big);
	if (rest > 0)
		buf_putf(out, " %" PRId64 " %s", rest, small);
}

void put_duration(struct buf *out, int64_t us)
{
	int64_t seconds, tenths;

	if (us <= 0) {
		buf_put_str(out, "0 s");
		return;
	}
	seconds = us / 1000000 + (us % 1000000 != 0);
	tenths = us / 100000 + (us % 100000 != 0);
	if (us <= 999000)
		buf_putf(out, "%" PRId64 " ms", (us + 999) / 1000);
	else if (tenths < 100 && tenths % 10 != 0)
		buf_putf(out, "%" PRId64 ".%" PRId64 " s", tenths / 10, tenths % 10);
	else if (seconds < 60)
		buf_putf(out, "%" PRId64 " s", seconds);
	else if (seconds < 3600)
		put_two(out, seconds, 60, "min", 1, "s");
	else if (seconds < 86400)
		put_two(out, seconds, 3600, "h", 60, "min");
	else
		put_two(out, seconds, 86400, "d", 3600, "h");
}

void put_time(struct buf *out, int64_t us)
{
	time_t seconds = (time_t)(us / 1000000);
	char text[40], zone[8];
	struct tm tm;

	if (us == 0) {
		buf_put_str(out, "never");
		return;
	}
	if (!localtime_r(&seconds, &tm)) {
		buf_putf(out, "%" PRId64 " us", us);
		return;
	}
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	buf_putf(out, "%s%.3s:%s", text, zone, zone + 3);
}

void put_time_from(struct buf *out, int64_t us, int64_t now_us)
{
	int64_t away_us = us >= now_us ? us - now_us : now_us - us;

	put_time(out, us);
	if (us == 0)
		return;
	/* Rounded to the nearest second, so that a microsecond does not turn 15 min into "15 min 1 s". */
	if (away_us >= 10000000)
		away_us = (away_us + 500000) / 1000000 * 1000000;
	buf_put_str(out, us >= now_us ? " (in " : " (");
	put_duration(out, away_us);
	buf_put_str(out, us >= now_us ? ")" : " ago)");
}

void put_enum(struct buf *out, const ProtobufCEnumDescriptor *descriptor, int value, const char *prefix)
{
	const ProtobufCEnumValue *row = protobuf_c_enum_descriptor_get_value(descriptor, value);
	size_t skip = strlen(prefix);

	if (!row) {
		buf_putf(out, "%d", value);
		return;
	}
	if (strncmp(row->name, prefix, skip) != 0)
		skip = 0;
	for (const char *p = row->name + skip; *p; p++) {
		char c = (char)tolower((unsigned char)*p);

		buf_put(out, &c, 1);
	}
}

void put_duration_exact(struct buf *out, int64_t us)
{
	static const struct {
		const char *name;
		int64_t us;
	} units[] = {{"h", INT64_C(3600000000)}, {"min", 60000000}, {"s", 1000000}, {"ms", 1000}, {"us", 1}};
	size_t i = 0;

	while (us % units[i].us != 0)
		i++;
	buf_putf(out, "%" PRId64 "%s", us / units[i].us, units[i].name);
}

void put_time_exact(struct buf *out, int64_t us)
{
	time_t at = (time_t)(us / 1000000);
	char text[40];
	struct tm tm;

	gmtime_r(&at, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	buf_put_str(out, text);
	if (us % 1000000) {
		size_t len = (size_t)snprintf(text, sizeof(text), ".%06d", (int)(us % 1000000));
		while (text[len - 1] == '0')
			len--;
		buf_put(out, text, len);
	}
	buf_put_str(out, "Z");
}

const char *or_dash(const char *text)
{
	return text && text[0] ? text : "-";
}

void put_minute(struct buf *out, int minute)
{
	buf_putf(out, "%02d:%02d", minute / 60, minute % 60);
}
