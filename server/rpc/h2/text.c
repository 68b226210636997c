/* gRPC's notations in headers (text.h). */
#include "rpc/h2/text.h"

#include <string.h>

#include "base/units.h"

bool h2_timeout_parse(const char *text, size_t len, int64_t *timeout_us)
{
	static const struct {
		char unit;
		int64_t us;
	} units[] = {{'H', HOUR_US}, {'M', MINUTE_US}, {'S', SECOND_US}, {'m', 1000}, {'u', 1}};
	int64_t value = 0;

	if (len < 2 || len > 9)
		return false;
	for (size_t i = 0; i + 1 < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (text[i] - '0');
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (text[len - 1] == units[i].unit) {
			*timeout_us = value * units[i].us;
			return true;
		}
	}
	*timeout_us = (value + 999) / 1000;
	return text[len - 1] == 'n';
}

void h2_percent_put(struct buf *out, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		char escaped[3] = {'%', digits[c >> 4], digits[c & 15]};

		if (c >= ' ' && c <= '~' && c != '%')
			buf_put(out, text, 1);
		else
			buf_put(out, escaped, sizeof(escaped));
	}
}

void h2_base64_put(struct buf *out, const uint8_t *bytes, size_t n)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (; n > 0; bytes += 3) {
		size_t group = n < 3 ? n : 3;
		uint32_t word = (uint32_t)bytes[0] << 16 | (group > 1 ? (uint32_t)bytes[1] << 8 : 0) |
				(group > 2 ? bytes[2] : 0);
		char text[4] = {
			alphabet[word >> 18], alphabet[word >> 12 & 63], alphabet[word >> 6 & 63], alphabet[word & 63]};

		buf_put(out, text, group + 1);
		n -= group;
	}
}

static int digit_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

const char *h2_base64_read(struct arena *arena, const char *text, size_t len, size_t *n)
{
	const char *comma = memchr(text, ',', len);
	char *out;
	uint32_t word = 0;
	size_t count = 0;

	if (comma)
		len = (size_t)(comma - text);
	while (len > 0 && text[len - 1] == '=')
		len--;
	if (len % 4 == 1)
		return NULL;
	out = arena_alloc(arena, len / 4 * 3 + 3);
	for (size_t i = 0; i < len; i++) {
		int digit = digit_of(text[i]);

		if (digit < 0)
			return NULL;
		word = word << 6 | (uint32_t)digit;
		/* Each digit but the first of four completes a byte. */
		if (i % 4)
			out[count++] = (char)(word >> (6 - 2 * (i % 4)));
	}
	*n = count;
	return out;
}
