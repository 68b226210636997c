/* The cookie that holds a session of the dashboard. It is never logged. */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "api/door/private.h"
#include "base/clock.h"

static const char name[] = "bursar_session=";
enum { NAME_LEN = sizeof(name) - 1 };

/* Over TLS, also where a proxy has ended it. A caller who lies about the latter only loses their own cookie. */
static bool is_encrypted(const struct http_exchange *exchange)
{
	const char *proto = http_header_find(exchange, "x-forwarded-proto");

	return exchange->encrypted || (proto && strncasecmp(proto, "https", 5) == 0);
}

static void put(struct http_exchange *exchange, const char *session, int64_t seconds)
{
	http_header_add(exchange, "Set-Cookie",
		arena_printf(exchange->arena, "%s%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%" PRId64 "%s", name,
			session, seconds, is_encrypted(exchange) ? "; Secure" : ""));
}

void door_cookie_set(struct http_exchange *exchange, const char *session, int64_t ends_at_us)
{
	int64_t seconds = (ends_at_us - clock_wall_us()) / 1000000;

	put(exchange, session, seconds > 0 ? seconds : 0);
}

void door_cookie_clear(struct http_exchange *exchange)
{
	put(exchange, "", 0);
}

const char *door_cookie(const struct http_exchange *exchange)
{
	const char *at = http_header_find(exchange, "cookie");

	while (at) {
		at += strspn(at, "; ");
		/* An empty one is what a browser has after a logout. */
		if (strncmp(at, name, NAME_LEN) == 0 && !strchr("; ", at[NAME_LEN]))
			return arena_strndup(exchange->arena, at + NAME_LEN, strcspn(at + NAME_LEN, "; "));
		at = strchr(at, ';');
	}
	return NULL;
}
