/* Takes a request's target apart. */
#include "api/rest/query.h"

#include <string.h>

#include "base/utf8.h"

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool rest_decode(const char *text, size_t len, bool form, const char *field, struct arena *arena, struct rest_text *out,
	struct err *err)
{
	char *to = arena_alloc(arena, len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '%') {
			int high = i + 2 < len ? digit(text[i + 1]) : -1;
			int low = i + 2 < len ? digit(text[i + 2]) : -1;

			if (high < 0 || low < 0)
				return err_invalid(err, field, "has a %% that is not followed by two hex digits");
			c = (char)(high << 4 | low);
			i += 2;
		} else if (form && c == '+') {
			c = ' ';
		}
		to[n++] = c;
	}
	to[n] = '\0';
	if (memchr(to, '\0', n))
		return err_invalid(err, field, "contains a NUL character");
	if (!utf8_valid(to, n))
		return err_invalid(err, field, "is not valid UTF-8");
	*out = (struct rest_text){.text = to, .len = n};
	return true;
}

bool rest_pair_next(const char **at, struct rest_text *name, struct rest_text *value)
{
	size_t len;
	const char *sign;

	*at += strspn(*at, "&");
	len = strcspn(*at, "&");
	if (!len)
		return false;
	sign = memchr(*at, '=', len);
	*name = (struct rest_text){.text = *at, .len = sign ? (size_t)(sign - *at) : len};
	*value = (struct rest_text){.text = sign ? sign + 1 : NULL, .len = sign ? len - name->len - 1 : 0};
	*at += len;
	return true;
}
