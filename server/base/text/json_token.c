/* Tokens of JSON (base/text/json_token.h). */
#include "base/text/json_token.h"

#include <string.h>

#include "base/utf8.h"

static size_t digits(const char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && p[n] >= '0' && p[n] <= '9')
		n++;
	return n;
}

size_t json_number_len(const char *p, const char *end)
{
	const char *at = p;
	size_t n;

	if (at < end && *at == '-')
		at++;
	n = digits(at, end);
	if (!n || (n > 1 && *at == '0'))
		return 0;
	at += n;
	if (at < end && *at == '.') {
		n = digits(at + 1, end);
		if (!n)
			return 0;
		at += 1 + n;
	}
	if (at < end && (*at == 'e' || *at == 'E')) {
		at++;
		if (at < end && (*at == '+' || *at == '-'))
			at++;
		n = digits(at, end);
		if (!n)
			return 0;
		at += n;
	}
	return (size_t)(at - p);
}

size_t json_escape_len(const char *p, const char *end)
{
	if (end - p < 2)
		return 0;
	if (p[1] != 'u')
		return p[1] && strchr("\"\\/bfnrt", p[1]) ? 2 : 0;
	for (int i = 2; i < 6; i++)
		if (p + i >= end || !p[i] || !strchr("0123456789abcdefABCDEF", p[i]))
			return 0;
	return 6;
}

static unsigned hex4(const char *p)
{
	unsigned code = 0;

	for (int i = 0; i < 4; i++) {
		unsigned char c = (unsigned char)p[i];

		code = code * 16 + (c <= '9' ? c - (unsigned)'0' : (c | 0x20U) - 'a' + 10U);
	}
	return code;
}

bool json_unescape(const char *p, const char *end, char *to, size_t *put, size_t *len)
{
	static const char names[] = "bfnrt", bytes[] = "\b\f\n\r\t";
	const char *name = strchr(names, p[1]);
	unsigned code, low;

	*len = 2;
	*put = 1;
	to[0] = name ? bytes[name - names] : p[1];
	if (p[1] != 'u')
		return true;
	*len = 6;
	code = hex4(p + 2);
	if (code >= 0xd800 && code < 0xdc00 && end - p >= 12 && p[6] == '\\' && p[7] == 'u') {
		low = hex4(p + 8);
		if (low < 0xdc00 || low > 0xdfff)
			return false;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		*len = 12;
	}
	*put = utf8_put(to, code);
	return code && (code < 0xd800 || code > 0xdfff);
}

static void put_escape(unsigned char c, struct buf *out)
{
	static const char hex[] = "0123456789abcdef", from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = strchr(from, c);

	if (at && c)
		buf_put(out, (char[]){'\\', to[at - from]}, 2);
	else
		buf_put(out, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
}

/* How many bytes of text from `p` are written as they are: the next ASCII ones, or one sequence of UTF-8. 0: none. */
static size_t as_it_is(const char *p, const char *end)
{
	size_t n = json_plain_len(p, end);

	if (n || (unsigned char)*p < 0x80)
		return n;
	for (n = 2; n <= 4 && n <= (size_t)(end - p); n++)
		if (utf8_valid(p, n))
			return n;
	return 0;
}

void json_write_text(const char *text, struct buf *out)
{
	const char *end = text ? text + strlen(text) : NULL;

	buf_put(out, "\"", 1);
	while (text < end) {
		size_t n = as_it_is(text, end);

		if (n)
			buf_put(out, text, n);
		else if ((unsigned char)*text < 0x80)
			put_escape((unsigned char)*text, out);
		else
			buf_put_str(out, "\xef\xbf\xbd");
		text += n ? n : 1;
	}
	buf_put(out, "\"", 1);
}
