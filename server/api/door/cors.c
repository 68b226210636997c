/*
 * Pages of other sites, if they are configured (https://fetch.spec.whatwg.org/#http-cors-protocol). Without
 * Access-Control-Allow-Credentials: such a page calls with a key of its own, never with a session of the dashboard.
 */
#include <string.h>

#include "api/door/private.h"

/* Whether the list, whose items are separated by spaces or commas, has the origin. */
static bool has(const char *list, const char *origin)
{
	size_t len = strlen(origin);

	for (const char *at = list; len && (at = strstr(at, origin)); at += len)
		if ((at == list || strchr(", ", at[-1])) && (!at[len] || strchr(", ", at[len])))
			return true;
	return false;
}

bool door_is_friend(const struct door *door, const struct http_exchange *exchange)
{
	const char *origin = http_header_find(exchange, "origin");

	return origin && has(door->cors_origins, origin);
}

static void preflight(struct http_exchange *exchange)
{
	exchange->status = 204;
	http_header_add(exchange, "Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
	http_header_add(exchange, "Access-Control-Allow-Headers",
		"Authorization, Content-Type, Accept, If-Match, Idempotency-Key, Last-Event-ID, traceparent");
	http_header_add(exchange, "Access-Control-Max-Age", "7200");
}

bool door_cors(const struct door *door, struct http_exchange *exchange)
{
	if (!door->cors_origins[0])
		return false;
	http_header_add(exchange, "Vary", "Origin");
	if (!door_is_friend(door, exchange))
		return false;
	http_header_add(exchange, "Access-Control-Allow-Origin", http_header_find(exchange, "origin"));
	http_header_add(exchange, "Access-Control-Expose-Headers",
		"ETag, Retry-After, retry-after-ms, x-should-retry, RateLimit, RateLimit-Policy, X-RateLimit-Limit, "
		"X-RateLimit-Remaining, X-RateLimit-Reset, X-Bursar-Reason, X-Bursar-Limit");
	if (strcmp(exchange->method, "OPTIONS") != 0)
		return false;
	preflight(exchange);
	return true;
}
