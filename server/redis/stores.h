/* The interfaces of server/store, implemented on Redis. One of each per loop; each has its own link. */
#ifndef BURSAR_REDIS_STORES_H
#define BURSAR_REDIS_STORES_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/err.h"
#include "store/changes.h"
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
	const struct redis_library *functions; /* NULL = the built-in library; tests pass one with their own clock */
	bool expired_charge_estimate; /* what an expired reservation costs besides its request */
	int64_t changes_ms; /* of redis_changes_new: how old what it has heard may be; not 0 */
};

/*
 * Asks Redis, waiting up to a second: can Bursar run on it? ERR_PRECONDITION when it is older than 7.0, may evict keys
 * (maxmemory-policy) or is a cluster; ERR_INVALID for a url or a tls_ca that cannot be used. ERR_UNAVAILABLE when it does not answer, or not
 * successfully yet (it is loading, the password is wrong): a process starts all the same and waits. Blocks: only for
 * startup.
 */
bool redis_check(const char *url, const char *tls_ca, struct err *err) __attribute__((warn_unused_result));

/*
 * Starts to connect; calls are answered once connected, or fail at their deadlines. NULL for an invalid url. The
 * process must ignore SIGPIPE. `_free` fails all calls (their callbacks run, with LIMITS_FAILED, before it returns) and
 * closes; the memory is freed when the loop has run once more.
 */
struct limits_store *redis_limits_new(const struct redis_options *options, struct err *err);
void redis_limits_free(struct limits_store *store);
/* The number of abandoned checks whose reservations have not been returned to Redis yet. On the loop's thread. */
int redis_limits_owed(const struct limits_store *store);
/*
 * Does Redis serve this store's calls? The link itself finds out about once a second, even without calls. If not, `why`
 * (may be NULL) gets a sentence. For /readyz; on the loop's thread.
 */
bool redis_limits_ready(const struct limits_store *store, struct err *why);

/*
 * The pools: a link of its own for calls (with a default timeout of 2 s, since queued callers have time), and a
 * connection that receives grants, from ops->listen on. `timeout_us` and `functions` of the options apply to the pool's
 * link; leave them 0 and NULL. `_free` as above.
 */
struct pools_store *redis_pools_new(const struct redis_options *options, struct err *err);
void redis_pools_free(struct pools_store *store);
bool redis_pools_ready(const struct pools_store *store, struct err *why);

/*
 * The watch: its calls use the link of the pools, which must outlive its use but is freed first (its calls fail then);
 * watchers listen on a connection of its own, which exists only while there are any.
 */
struct watch_store *redis_watch_new(const struct redis_options *options, struct pools_store *pools);
void redis_watch_free(struct watch_store *store);

/*
 * Learns of changes by Redis's tracking of keys (CLIENT TRACKING), over two connections of its own, which exist from the
 * first ops->follow on. When the link of `limits` connects again, a new session begins. `_free` before that of `limits`.
 */
struct changes_store *redis_changes_new(const struct redis_options *options, struct limits_store *limits);
void redis_changes_free(struct changes_store *store); /* NULL is fine */

struct outbox_store *redis_outbox_new(const struct redis_options *options, struct err *err);
void redis_outbox_free(struct outbox_store *store);
bool redis_outbox_ready(const struct outbox_store *store, struct err *why);

#endif
