/*
 * The HTTP headers for a bot's own answer: RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10),
 * X-RateLimit-Limit, -Remaining and -Reset, Retry-After.
 */
#ifndef BURSAR_DOMAIN_HEADERS_H
#define BURSAR_DOMAIN_HEADERS_H

#include "base/arena.h"
#include "domain/decision.h"

#define HEADERS_MAX 6

struct header {
	const char *name, *value;
};

/* One limit that counted the request. */
struct header_limit {
	enum account_kind account_kind;
	const struct limit *limit;
	struct figures figures;
};

/*
 * Fills `out` and returns how many; the values lie in the arena. `binding` is the index of the limit that the
 * X-RateLimit fields speak of: the one that denied; -1 = the one with the least part remaining. `retry_after_us` 0: no
 * Retry-After. Times are seconds from now, rounded up. Shadow limits are left out: they bind nobody. No limits: only
 * what can be said.
 */
int headers_make(const struct header_limit limits[], int count, int binding, int64_t now_us, int64_t retry_after_us,
	struct arena *arena, struct header out[HEADERS_MAX]);

#endif
