/* Ids: UTF-8, what id_check accepts, and that no two ids share a Redis key. */
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "fuzz/fuzz.h"

/* UTF-8 by the table in RFC 3629: the length of the sequence at `p`; 0 if it is not valid. */
static size_t sequence_len(const uint8_t *p, size_t left)
{
	static const struct {
		uint8_t first, last, second_first, second_last;
		size_t len;
	} rules[] = {
		{0x00, 0x7f, 0, 0, 1},
		{0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3},
		{0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		size_t len = rules[i].len;

		if (p[0] < rules[i].first || p[0] > rules[i].last || len > left)
			continue;
		if (len > 1 && (p[1] < rules[i].second_first || p[1] > rules[i].second_last))
			continue;
		if ((len > 2 && (p[2] & 0xc0) != 0x80) || (len > 3 && (p[3] & 0xc0) != 0x80))
			continue;
		return len;
	}
	return 0;
}

static void judge(const uint8_t *data, size_t size, bool *utf8, bool *plain)
{
	*utf8 = *plain = true;
	for (size_t i = 0, len; i < size && *utf8; i += len) {
		len = sequence_len(data + i, size - i);
		*utf8 = len > 0;
		if (len == 1 && (data[i] < 0x20 || data[i] == 0x7f))
			*plain = false;
		if (len == 2 && data[i] == 0xc2 && data[i + 1] <= 0x9f)
			*plain = false;
	}
}

static int nibble(char c)
{
	const char *digits = "0123456789ABCDEF";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* Reads a part of a key back: there must be only one way to do so. */
static void unescape(const struct buf *key, struct buf *out)
{
	for (size_t i = 0; i < key->len; i++) {
		char c = key->data[i];

#ifdef PLANTED_BUG
		if (c == '%' && key->len - i == 3 && key->data[i + 1] == '2' && key->data[i + 2] == '5') {
			buf_put_str(out, "%25");
			break;
		}
#endif
		if (c != '%') {
			buf_put_u8(out, (uint8_t)c);
			continue;
		}
		HOLDS(key->len - i >= 3);
		HOLDS(nibble(key->data[i + 1]) >= 0 && nibble(key->data[i + 2]) >= 0);
		buf_put_u8(out, (uint8_t)(nibble(key->data[i + 1]) << 4 | nibble(key->data[i + 2])));
		i += 2;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *id = (const char *)data;
	struct buf key = {0}, back = {0};
	struct err err = {0};
	bool utf8, plain, taken;

	judge(data, size, &utf8, &plain);
	HOLDS(utf8_valid(data, size) == utf8);
	taken = id_check(id, size, "items[3].user", &err);
	HOLDS(taken == (utf8 && plain && size >= 1 && size <= ID_MAX));
	if (!taken) {
		HOLDS(err.code == ERR_INVALID);
		HOLDS(strcmp(err.field, "items[3].user") == 0);
		HOLDS(strncmp(err.text, "items[3].user: ", 15) == 0 && utf8_valid(err.text, strlen(err.text)));
		return 0;
	}
	key_escape(&key, id, size);
	HOLDS(key.len <= 3 * size);
	for (const char *p = "/{}: "; *p; p++)
		HOLDS(!memchr(key.data, *p, key.len));
	unescape(&key, &back);
	HOLDS(back.len == size && memcmp(back.data, data, size) == 0);
	buf_release(&key);
	buf_release(&back);
	return 0;
}
