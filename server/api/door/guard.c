/*
 * Browsers send requests on behalf of any page that is open in them, and before a first key exists, a caller on the
 * server's own machine needs no credentials. A page of another site can make its browser send a POST with a plain body
 * to 127.0.0.1, or have its own name resolve to that address. Neither can be told from a program by the address alone, so
 * requests without credentials are held to what only programs and Bursar's own pages send.
 */
#include <string.h>
#include <strings.h>

#include "api/door/private.h"

/* "localhost:7421", "127.0.0.1", "[::1]:80": a name that no foreign DNS can point to this machine. */
static bool is_local_name(const char *host)
{
	static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i]);

		if (strncasecmp(host, names[i], len) == 0 && (!host[len] || host[len] == ':'))
			return true;
	}
	return false;
}

/* Whether the page that sent the request, if one did, came from the host that the request went to. */
static bool is_same_origin(const char *origin, const char *host)
{
	const char *name = strstr(origin, "://");

	return name && strcmp(name + 3, host) == 0;
}

static bool is_json(const char *type)
{
	return type && strncasecmp(type, "application/json", 16) == 0 &&
	       (!type[16] || type[16] == ';' || type[16] == ' ');
}

static bool foreign(struct err *err, const char *why)
{
	err_set(err, ERR_UNAUTHENTICATED, "%s", why);
	return err_reason(err, "NO_KEY");
}

bool door_guard(const struct door *door, const struct http_exchange *exchange, struct err *err)
{
	const char *origin = http_header_find(exchange, "origin"), *host = http_header_find(exchange, "host");

	if (exchange->body_len && !is_json(http_header_find(exchange, "content-type")))
		return err_invalid(err, "Content-Type", "must be application/json");
	if (http_header_find(exchange, "authorization"))
		return true;
	if (origin && !door_is_friend(door, exchange) && (!host || !is_same_origin(origin, host)))
		return foreign(err, "a page of another site may not call without a key");
	if (!host || !is_local_name(host))
		return foreign(err, "without a key, only localhost, 127.0.0.1 and [::1] are served");
	return true;
}
