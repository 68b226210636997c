/* The address of Redis. */
#include "redis/connect/url.h"

#include <stdlib.h>
#include <string.h>

#define FORMS "use redis:// or rediss://[user:password@]host[:port][/db], or unix:///path[?db=n]"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Copies with %XX decoded; false when it does not fit or is not text. */
static bool decode(const char *from, size_t len, char *to, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = from[i];

		if (c == '%') {
			if (i + 2 >= len || hex(from[i + 1]) < 0 || hex(from[i + 2]) < 0)
				return false;
			c = (char)(hex(from[i + 1]) * 16 + hex(from[i + 2]));
			i += 2;
		}
		if (c == '\0' || n + 1 >= size)
			return false;
		to[n++] = c;
	}
	to[n] = '\0';
	return true;
}

static bool number(const char *text, int least, int most, int *out)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end || value < least || value > most)
		return false;
	*out = (int)value;
	return true;
}

static bool credentials_parse(const char *text, size_t len, struct redis_url *out)
{
	const char *colon = memchr(text, ':', len);

	if (!colon)
		return false;
	return decode(text, (size_t)(colon - text), out->user, sizeof(out->user)) &&
	       decode(colon + 1, len - (size_t)(colon - text) - 1, out->password, sizeof(out->password));
}

static bool host_parse(const char *text, size_t len, struct redis_url *out)
{
	const char *port = NULL;
	char digits[8] = "";

	if (len && text[0] == '[') {
		const char *close = memchr(text, ']', len);

		if (!close)
			return false;
		if (close + 1 < text + len && close[1] != ':')
			return false;
		port = close + 1 < text + len ? close + 1 : NULL;
		if (!decode(text + 1, (size_t)(close - text) - 1, out->host, sizeof(out->host)))
			return false;
	} else {
		port = memchr(text, ':', len);
		if (!decode(text, port ? (size_t)(port - text) : len, out->host, sizeof(out->host)))
			return false;
	}
	if (!out->host[0])
		strcpy(out->host, "127.0.0.1");
	if (!port)
		return true;
	len -= (size_t)(port + 1 - text);
	return decode(port + 1, len, digits, sizeof(digits)) && number(digits, 1, 65535, &out->port);
}

static bool unix_parse(const char *text, struct redis_url *out)
{
	const char *query = strchr(text, '?');
	size_t len = query ? (size_t)(query - text) : strlen(text);

	if (!decode(text, len, out->path, sizeof(out->path)) || out->path[0] != '/')
		return false;
	return !query || (strncmp(query, "?db=", 4) == 0 && number(query + 4, 0, 1 << 20, &out->db));
}

static bool tcp_parse(const char *text, struct redis_url *out)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	const char *at = memrchr(text, '@', len);

	if (at) {
		if (!credentials_parse(text, (size_t)(at - text), out))
			return false;
		len -= (size_t)(at + 1 - text);
		text = at + 1;
	}
	if (!host_parse(text, len, out))
		return false;
	return !slash || !slash[1] || number(slash + 1, 0, 1 << 20, &out->db);
}

bool redis_url_parse(const char *text, struct redis_url *out, struct err *err)
{
	struct redis_url url = {.port = 6379};
	bool right;

	if (strncmp(text, "unix://", 7) == 0) {
		right = unix_parse(text + 7, &url);
	} else if (strncmp(text, "redis://", 8) == 0) {
		right = tcp_parse(text + 8, &url);
	} else if (strncmp(text, "rediss://", 9) == 0) {
		url.tls = true;
		right = tcp_parse(text + 9, &url);
	} else {
		return err_invalid(err, "redis", "must begin with redis://, rediss:// or unix://; " FORMS);
	}
	if (!right)
		return err_invalid(err, "redis", "is not a valid address; " FORMS);
#ifndef BURSAR_REDIS_TLS
	if (url.tls)
		return err_invalid(err, "redis",
			"rediss:// needs a build with hiredis_ssl (hiredis 1.0 or newer); use redis:// here");
#endif
	*out = url;
	return true;
}
