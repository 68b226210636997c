/*
 * The HTTP headers for a bot's own answer: RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10),
 * X-RateLimit-Limit, -Remaining and -Reset; of a denial also X-Bursar-Reason and -Limit, Retry-After, retry-after-ms and x-should-retry,
 * as HTTP clients and the SDKs of LLM providers read them.
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

/* What was decided. */
struct header_decision {
	int64_t now_us;
	bool denied;
	/* of a denial: */
	enum reason reason;
	int binding; /* the index of the limit that denied; -1 = no limit did */
	bool permanent; /* waiting will not help */
	int64_t retry_after_us;
};

/*
 * Fills `out` and returns how many; the values lie in the arena. The X-RateLimit fields speak of the limit that denied, or of what is
 * allowed, of the one with the least part remaining. Times are seconds from now, rounded up. Of a denial X-RateLimit-Reset and
 * Retry-After are the same: when this request could pass; where waiting will not help, there is neither. Shadow limits are left out:
 * they bind nobody. No limits: only what can be said.
 *
 * Of many limits with long names those that do not fit are left out, but never the one that X-RateLimit speaks of: all headers together
 * have at most HEADERS_BYTES, and leave room for a message in the 8 KiB that common servers and clients take.
 */
#define HEADERS_BYTES 5000
int headers_make(const struct header_limit limits[], int count, const struct header_decision *decision,
	struct arena *arena, struct header out[HEADERS_MAX]);

#endif
