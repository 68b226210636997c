/*
 * The HTTP headers for a bot's own response: RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10),
 * X-RateLimit-Limit, -Remaining and -Reset; for a denial also X-Bursar-Reason and -Limit, Retry-After, retry-after-ms
 * and x-should-retry, as HTTP clients and the SDKs of LLM providers read them.
 */
#ifndef BURSAR_DOMAIN_TEXT_HEADERS_H
#define BURSAR_DOMAIN_TEXT_HEADERS_H

#include "base/arena.h"
#include "domain/limit/decision.h"

#define HEADERS_MAX 10

struct header {
	const char *name, *value;
};

/* One limit that counted the request. */
struct header_limit {
	enum account_kind account_kind;
	const struct limit *limit;
	struct figures figures;
};

/* The decision. */
struct header_decision {
	int64_t now_us;
	bool denied;
	/* only for a denial: */
	enum reason reason;
	int binding; /* the index of the limit that denied; -1 = no limit did */
	bool permanent; /* waiting does not help */
	int64_t retry_after_us;
};

/*
 * Fills `out` and returns the number of headers; the values are in the arena. The X-RateLimit fields describe the limit
 * that denied or, for an allowed request, the one with the smallest fraction remaining. Times are seconds from now,
 * rounded up. For a denial X-RateLimit-Reset and Retry-After are equal: when this request could pass; where waiting
 * does not help, both are omitted. Shadow limits are left out, as they bind nobody. Without limits, only headers that
 * need none are filled.
 *
 * If many limits have long names, those that do not fit are left out, but never the one that X-RateLimit describes: all
 * headers together take at most HEADERS_BYTES, which leaves room for a message in the 8 KiB that common servers and
 * clients accept.
 */
#define HEADERS_BYTES 5000
int headers_make(const struct header_limit limits[], int count, const struct header_decision *decision,
	struct arena *arena, struct header out[HEADERS_MAX]);

#endif
