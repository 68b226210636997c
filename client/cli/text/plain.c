/* Escapes characters that control a terminal or reorder its text (plain.h). */
#include "cli/text/plain.h"

#include <stdint.h>
#include <string.h>

/* The length of a C0, DEL or C1 character in UTF-8; 0 for all others. */
static size_t control_at(const uint8_t *p, size_t n, unsigned *rune)
{
	if (p[0] < 0x20 || p[0] == 0x7f) {
		*rune = p[0];
		return 1;
	}
	if (n < 2 || p[0] != 0xc2 || p[1] < 0x80 || p[1] > 0x9f)
		return 0;
	*rune = p[1];
	return 2;
}

/* Embeddings, overrides and isolates: U+202A to U+202E, U+2066 to U+2069. Direction marks do not move other text. */
static size_t order_at(const uint8_t *p, size_t n, unsigned *rune)
{
	if (n < 3 || p[0] != 0xe2)
		return 0;
	*rune = 0x2000u | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
	return (p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae) || (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9) ? 3 : 0;
}

enum form { IN_A_LINE, LINES, LINES_IN_ORDER };

static bool stays(uint8_t byte, enum form form)
{
	return (byte == '\n' || byte == '\t') && form != IN_A_LINE;
}

/* How many bytes from here on need no escaping: nearly all of any text. */
static size_t ordinary(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *at = p;

	while (at < end && *at >= 0x20 && *at != 0x7f && *at != 0xc2 && *at != 0xe2 && *at != (uint8_t)OWN_ESCAPE[0])
		at++;
	return (size_t)(at - p);
}

static void put_all(struct buf *out, const char *bytes, size_t len, enum form form)
{
	const uint8_t *p = (const uint8_t *)bytes, *end = p + len;
	unsigned rune;

	while (p < end) {
		size_t n = ordinary(p, end);

		buf_put(out, (const char *)p, n);
		p += n;
		if (p == end)
			break;
		n = stays(*p, form) ? 0 : control_at(p, (size_t)(end - p), &rune);
		if (!n && form != LINES)
			n = order_at(p, (size_t)(end - p), &rune);
		if (n)
			buf_putf(out, "\\u%04x", rune);
		else if (*p == (uint8_t)OWN_ESCAPE[0])
			buf_put_str(out, form == IN_A_LINE ? "\\ufffd" : "\033");
		else
			buf_put(out, (const char *)p, 1);
		p += n ? n : 1;
	}
}

void put_plain(struct buf *out, const char *text)
{
	put_all(out, text, strlen(text), IN_A_LINE);
}

void put_plain_lines(struct buf *out, const char *bytes, size_t len, bool order)
{
	put_all(out, bytes, len, order ? LINES_IN_ORDER : LINES);
}
