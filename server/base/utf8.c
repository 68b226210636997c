/* UTF-8 and ids. */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* The length of the well-formed sequence at `p`, or 0; its code point goes to `rune`. */
static size_t rune_len(const uint8_t *p, size_t n, uint32_t *rune)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len;

	if (p[0] < 0x80) {
		*rune = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] < 0xe0)
		len = 2;
	else if (p[0] >= 0xe0 && p[0] < 0xf0)
		len = 3;
	else if (p[0] >= 0xf0 && p[0] < 0xf5)
		len = 4;
	else
		return 0;
	if (len > n)
		return 0;
	*rune = p[0] & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*rune = *rune << 6 | (p[i] & 0x3f);
	}
	if (*rune < least[len] || *rune > 0x10ffff || (*rune >= 0xd800 && *rune <= 0xdfff))
		return 0;
	return len;
}

bool utf8_valid(const void *p, size_t n)
{
	const uint8_t *at = p;
	uint32_t rune;

	while (n > 0) {
		size_t len = rune_len(at, n, &rune);

		if (!len)
			return false;
		at += len;
		n -= len;
	}
	return true;
}

bool utf8_check(const char *text, size_t len, const char *field, struct err *err)
{
	const uint8_t *at = (const uint8_t *)text;
	size_t left = len;

	while (left > 0) {
		uint32_t rune = 0;
		size_t n;

		/* Nearly all of nearly every text. */
		if (*at >= 0x20 && *at < 0x7f) {
			at++;
			left--;
			continue;
		}
		n = rune_len(at, left, &rune);
		if (!n)
			return err_invalid(err, field, "is not valid UTF-8 at byte %zu", len - left);
		if (rune < 0x20 || (rune >= 0x7f && rune <= 0x9f))
			return err_invalid(
				err, field, "has the control character U+%04X at byte %zu", (unsigned)rune, len - left);
		at += n;
		left -= n;
	}
	return true;
}

bool id_check(const char *id, size_t len, const char *field, struct err *err)
{
	if (len == 0)
		return err_invalid(err, field, "is empty; 1 to %d bytes are needed", ID_MAX);
	if (len > ID_MAX)
		return err_invalid(err, field, "is %zu bytes long; at most %d are allowed", len, ID_MAX);
	return utf8_check(id, len, field, err);
}

void key_escape(struct buf *out, const char *id, size_t len)
{
	static const char hex[] = "0123456789ABCDEF";
	static const bool special[UINT8_MAX + 1] = {
		['%'] = true, ['/'] = true, ['{'] = true, ['}'] = true, [':'] = true, [' '] = true};
	size_t begin = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)id[i];
		char xx[3] = {'%', hex[c >> 4], hex[c & 15]};

		if (!special[c])
			continue;
		buf_put(out, id + begin, i - begin);
		buf_put(out, xx, sizeof(xx));
		begin = i + 1;
	}
	buf_put(out, id + begin, len - begin);
}

size_t utf8_put(char *to, unsigned code)
{
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		to[0] = (char)(0xc0 | code >> 6);
		to[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		to[0] = (char)(0xe0 | code >> 12);
		to[1] = (char)(0x80 | (code >> 6 & 0x3f));
		to[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | code >> 18);
	to[1] = (char)(0x80 | (code >> 12 & 0x3f));
	to[2] = (char)(0x80 | (code >> 6 & 0x3f));
	to[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}
