/* Refusals of callers without a valid key, and how often an address has been refused. */
#include <string.h>

#include "api/auth/private.h"
#include "base/clock.h"
#include "base/observe/log.h"
#include "base/observe/metrics.h"

enum { FAILURES_MAX = 10, FAILURES_US = 60000000 };

/* "ipv4:10.0.0.5:4711" -> "10.0.0.5"; "ipv6:%5B::1%5D:4711" and "ipv6:[::1]:4711" -> "::1"; others unchanged. */
const char *auth_address(struct call *call)
{
	const char *peer = call_peer(call);
	const char *from = strchr(peer, ':'), *to = strrchr(peer, ':');

	if (strncmp(peer, "ipv", 3) != 0 || !from || to <= from)
		return peer;
	from++;
	if (strncmp(from, "%5B", 3) == 0) {
		from += 3;
		to -= to - from >= 3 ? 3 : 0;
	} else if (*from == '[') {
		from++;
		to--;
	}
	return arena_strndup(call_arena(call), from, (size_t)(to - from));
}

/*
 * Failed attempts by address, one table per server thread. Guessing a 256-bit key is hopeless; the limit keeps down log
 * noise and the cost of a broken bot. A valid key still gets in, because many callers may share an address.
 */
struct failures {
	char address[ADDRESS_MAX]; /* for IPv6, of the whole network */
	int64_t since_us;
	int count;
};
static __thread struct failures failures[256];

static struct failures *failures_of(const char *address)
{
	uint32_t hash = 2166136261u;

	for (const char *p = address; *p; p++)
		hash = (hash ^ (uint8_t)*p) * 16777619u;
	return &failures[hash % (sizeof(failures) / sizeof(failures[0]))];
}

/* The address's row, which begins again after a minute. */
static struct failures *recent(const char *address, int64_t now_us)
{
	char crowd[ADDRESS_MAX];
	struct failures *seen;

	address_crowd(address, crowd);
	seen = failures_of(crowd);
	if (strcmp(seen->address, crowd) != 0 || now_us - seen->since_us > FAILURES_US) {
		*seen = (struct failures){.since_us = now_us};
		memcpy(seen->address, crowd, sizeof(crowd));
	}
	return seen;
}

static bool too_many(const char *address, int64_t wait_us, struct err *err)
{
	err_set(err, ERR_EXHAUSTED, "too many invalid keys from %s", address);
	err->retry_after_us = wait_us;
	return err_reason(err, "TOO_MANY_WRONG_KEYS");
}

bool auth_may_try(const char *address, struct err *err)
{
	int64_t now_us = clock_mono_us();
	const struct failures *seen = recent(address, now_us);

	return seen->count < FAILURES_MAX || too_many(address, FAILURES_US - (now_us - seen->since_us), err);
}

bool auth_refuse_quietly(const char *why, struct err *err)
{
	err_set(err, ERR_UNAUTHENTICATED, "%s", why);
	return err_reason(err, "NO_KEY");
}

bool auth_refuse(const char *address, const char *why, struct err *err)
{
	int64_t now_us = clock_mono_us();
	struct failures *seen = recent(address, now_us);

	metric_inc(METRIC_logins_failed_total, 0, 0);
	if (seen->count < FAILURES_MAX) {
		seen->count++;
		log_warn("a caller had no valid key", F("from", address), F("why", why));
		return auth_refuse_quietly(why, err);
	}
	return too_many(address, FAILURES_US - (now_us - seen->since_us), err);
}
