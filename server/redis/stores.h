/* The interfaces of server/store as Redis serves them. One of each per loop; each has a link of its own. */
#ifndef BURSAR_REDIS_STORES_H
#define BURSAR_REDIS_STORES_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/err.h"
#include "store/limits.h"
#include "store/outbox.h"
#include "store/pools.h"
#include "store/watch.h"

struct redis_library;

struct redis_options {
	uv_loop_t *loop;
	const char *url; /* redis://[user:password@]host[:port][/db], rediss://..., unix:///path[?db=n] */
	const char
		*tls_ca; /* of rediss://: PEM file of who signs the certificate; NULL or "": the system's authorities */
	int64_t timeout_us; /* of one call; 0 = 50 ms (outbox: 2 s) */
	int64_t idempotency_window_us; /* how long a settled request is remembered; 0 = 15 min */
	const struct redis_library
		*functions; /* NULL = the one that is built in; tests give one with a clock of theirs */
	bool expired_charge_estimate; /* what an expired reservation costs beside its request */
};

/*
 * Asks Redis, and waits for it up to a second: may Bursar run on it? ERR_PRECONDITION when it is older than 7.0, may evict keys
 * (maxmemory-policy) or is a cluster, ERR_INVALID for a url or a tls_ca that cannot be used. ERR_UNAVAILABLE when it does not answer, or not yet as
 * it should (it is loading, the password is wrong): a process starts all the same and waits. Blocks: for the start of a process.
 */
bool redis_check(const char *url, const char *tls_ca, struct err *err) __attribute__((warn_unused_result));

/*
 * Starts to connect; calls are answered as soon as that has happened, or fail at their deadlines. NULL for a url that
 * cannot be used. SIGPIPE must be ignored by the process. `_free` gives up all calls (their callbacks run, with
 * LIMITS_FAILED, before it returns) and closes; memory goes when the loop has run once more.
 */
struct limits_store *redis_limits_new(const struct redis_options *options, struct err *err);
void redis_limits_free(struct limits_store *store);
/* How many checks were given up whose reservations Redis has not taken back yet. On the loop's thread. */
int redis_limits_owed(const struct limits_store *store);
/*
 * Does Redis do what this store asks? It is asked by the link itself, about once a second, whether or not there are calls. Where it does
 * not, `why` (may be NULL) gets a sentence. For /readyz; on the loop's thread.
 */
bool redis_limits_ready(const struct limits_store *store, struct err *why);

/*
 * The pools: a link of its own for calls (whose default timeout is 2 s: who queues has time), and a connection that hears of grants,
 * from ops->listen on. `timeout_us` and `functions` of the options are of the pool's link; leave them 0 and NULL. `_free` as above.
 */
struct pools_store *redis_pools_new(const struct redis_options *options, struct err *err);
void redis_pools_free(struct pools_store *store);
bool redis_pools_ready(const struct pools_store *store, struct err *why);

/*
 * The watch: its calls go over the link of the pools, which outlives it in use and is freed first (its calls are given up then); who
 * watches hears on a connection of its own, which there is only meanwhile.
 */
struct watch_store *redis_watch_new(const struct redis_options *options, struct pools_store *pools);
void redis_watch_free(struct watch_store *store);

struct outbox_store *redis_outbox_new(const struct redis_options *options, struct err *err);
void redis_outbox_free(struct outbox_store *store);
bool redis_outbox_ready(const struct outbox_store *store, struct err *why);

#endif
