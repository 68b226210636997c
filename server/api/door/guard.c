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

static bool is_reading(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static bool foreign_page(const struct http_exchange *exchange)
{
	const char *origin = http_header_find(exchange, "origin"), *host = http_header_find(exchange, "host");

	return origin && (!host || !is_same_origin(origin, host));
}

static bool refuse_page(struct err *err, const char *why)
{
	err_set(err, ERR_PERMISSION, "%s", why);
	return err_reason(err, "FOREIGN_PAGE");
}

bool door_from_page(const struct http_exchange *exchange, struct err *err)
{
	const char *mark = http_header_find(exchange, "x-bursar-page");

	if (foreign_page(exchange))
		return refuse_page(err, "a page of another site may not log in or out");
	if (mark && strcmp(mark, "1") == 0)
		return true;
	return refuse_page(err, "with a session, what changes something needs the header 'X-Bursar-Page: 1'");
}

bool door_guard_body(const struct http_exchange *exchange, struct err *err)
{
	return !exchange->body_len || is_json(http_header_find(exchange, "content-type")) ||
	       err_invalid(err, "Content-Type", "must be application/json");
}

bool door_named_locally(const struct http_exchange *exchange)
{
	const char *host = http_header_find(exchange, "host");

	return host && is_local_name(host);
}

/*
 * The browser adds the cookie to whatever it sends here, but only a page of this origin can add the header. A session
 * may come to any name of the server, because it is a proof. Pages of configured sites use none: they have a key.
 */
bool door_guard(const struct door *door, struct http_exchange *exchange, struct err *err)
{
	bool foreign = foreign_page(exchange);

	if (!door_guard_body(exchange, err))
		return false;
	if (http_header_find(exchange, "authorization"))
		return true;
	if (foreign && !door_is_friend(door, exchange))
		return refuse_page(err, "a page of another site may not call without a key");
	exchange->needs_proof |= foreign;
	exchange->session = foreign ? NULL : door_cookie(exchange);
	if (exchange->session)
		return is_reading(exchange->method) || door_from_page(exchange, err);
	/* Over TLS the caller may have a certificate, which is a proof too. */
	if (door_named_locally(exchange) || exchange->encrypted)
		return true;
	err_set(err, ERR_UNAUTHENTICATED, "without a key, only localhost, 127.0.0.1 and [::1] are served");
	return err_reason(err, "NO_KEY");
}
