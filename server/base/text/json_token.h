/* What the readers of JSON share: how long its numbers and escapes are, and what an escape stands for. */
#ifndef BURSAR_BASE_TEXT_JSON_TOKEN_H
#define BURSAR_BASE_TEXT_JSON_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"

/* How many bytes from `p` are ASCII and stand for themselves in a string: no quote, backslash or control character. */
static inline size_t json_plain_len(const char *p, const char *end)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const char *at = p;
	uint64_t eight;

	/* A subtraction sets the top bit of a byte that is too small, and perhaps of those after it. */
	for (; end - at >= 8; at += 8) {
		memcpy(&eight, at, sizeof(eight));
		if ((eight | (eight - ones * 0x20) | ((eight ^ ones * '"') - ones) | ((eight ^ ones * '\\') - ones)) &
			ones * 0x80)
			break;
	}
	while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' && *at != '\\')
		at++;
	return (size_t)(at - p);
}

/* How many bytes of a number begin at `p`; 0: none. */
size_t json_number_len(const char *p, const char *end);

/* How many bytes of an escape begin at the backslash at `p`: 2 or 6; 0: it is not one. */
size_t json_escape_len(const char *p, const char *end);

/*
 * The escape at `p` as UTF-8: its bytes in `to` (at most 4), and how long it is, with both halves of a surrogate pair.
 * False for a NUL and for half a pair. All escapes of the string have passed json_escape_len().
 */
bool json_unescape(const char *p, const char *end, char *to, size_t *put, size_t *len);

/* Appends the text as a JSON string. NULL is empty; what is not UTF-8 becomes U+FFFD. */
void json_write_text(const char *text, struct buf *out);

#endif
