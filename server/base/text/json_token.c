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
