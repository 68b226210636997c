/* gRPC's notations in headers (text.h). Base64 is libsodium's. */
#include "rpc/h2/text.h"

#include <sodium.h>
#include <string.h>

#include "base/units.h"

#define VARIANT sodium_base64_VARIANT_ORIGINAL_NO_PADDING

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
	size_t room = sodium_base64_encoded_len(n, VARIANT); /* with the NUL */

	sodium_bin2base64(buf_reserve(out, room), room, bytes, n, VARIANT);
	out->len += room - 1;
}

const char *h2_base64_read(struct arena *arena, const char *text, size_t len, size_t *n)
{
	const char *comma = memchr(text, ',', len);
	unsigned char *out;
	size_t most;

	if (comma)
		len = (size_t)(comma - text);
	while (len > 0 && text[len - 1] == '=')
		len--;
	most = len / 4 * 3 + 3;
	out = arena_alloc(arena, most);
	return sodium_base642bin(out, most, text, len, NULL, n, NULL, VARIANT) == 0 ? (const char *)out : NULL;
}
