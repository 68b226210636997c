/*
 * What a worker owns. Workers share nothing but the catalog's snapshots and the threads behind `accounts` and `admin`;
 * everything here is touched by the worker's own loop thread only.
 */
#ifndef BURSAR_SERVICE_WORKER_WORKER_H
#define BURSAR_SERVICE_WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/conf/conf.h"
#include "base/timers.h"
#include "domain/limit/window.h"
#include "service/cache/accounts.h"
#include "store/accounts.h"
#include "store/admin.h"
#include "store/catalog.h"
#include "store/changes.h"
#include "store/limits.h"
#include "store/pools.h"
#include "store/watch.h"

/* One snapshot of the catalog and the number of this worker's requests that still use it. */
struct snapshot {
	struct catalog *catalog;
	int users;
};

/* How many unknown users a tenant has brought in during the current minute. */
#define NEWCOMER_TENANTS 64
struct newcomers {
	char tenant[ID_MAX + 1];
	int64_t minute, count;
};

struct local_table;
struct denials;

/* The parts that wire.c gives a worker; all outlive it. */
struct worker_parts {
	struct limits_store *limits;
	struct pools_store *pools; /* the priority pools; NULL on a loop that serves no callers */
	struct watch_store *watch; /* NULL on a loop that serves no callers */
	struct changes_store *changes; /* likewise; or when denials are not remembered */
	struct accounts_store *accounts;
	struct admin_store *admin;
	struct catalog_source *catalog;
	struct timers *timers;
	const struct conf *conf;
	int workers; /* how many answer checks, in all processes; LOCAL mode divides by it */
	void *owner; /* opaque: for the code that assembled the parts */
	bool (*ready)(void *arg); /* whether the stores of this process answer, as /readyz says; from any thread */
	void *ready_arg;
};

struct pool_manager;
struct alert_log;
struct key_log;
struct shared;
struct gather;
struct publisher;
struct watch_hub;
struct event_hub;

struct worker {
	struct worker_parts parts;
	struct alert_log *alert_log; /* what is noted for the alerts role (service/worker/alert_log.h) */
	struct key_log *key_log; /* which keys were used (service/worker/key_log.h) */
	struct pool_manager *manager; /* of the pools (service/pool/pool.h); NULL on a loop that serves no callers */
	struct shared *shared; /* how many users share an account (service/worker/shared.h) */
	struct publisher *publisher; /* publishes decisions to watchers (service/request/publish.h); NULL likewise */
	struct gather *watched; /* NULL: nobody watches */
	struct watch_hub *hub; /* this worker's watchers (service/watch/watch.h); NULL until the first one */
	struct event_hub *events; /* this worker's readers of events (service/events/events.h); NULL likewise */
	struct account_cache *cache;
	struct local_table *local;
	struct denials *denials; /* NULL: none are remembered */
	struct snapshot *snapshot; /* the newest; NULL before the first load */
	uint64_t generation; /* of `snapshot` */
	int64_t clock_offset_us; /* the store's clock minus this machine's */
	int64_t durable_away_until_us; /* clock_mono_us: PostgreSQL failed to answer; nobody waits for it until then */
	int64_t durable_failing_us,
		durable_failed_us; /* clock_mono_us: the first and last of a run of PostgreSQL failures */
	int epochs_asked; /* unanswered PostgreSQL queries for pool epochs; the stores must outlive them */
	int64_t ledger_behind_until_us; /* clock_mono_us: the ledger fell behind; new limits do not wait until then */
	struct policy no_limits; /* for a shared account without a tier */
	struct newcomers newcomers[NEWCOMER_TENANTS];
};

struct worker *worker_new(const struct worker_parts *parts);
/* No request may be open. NULL is fine. */
void worker_free(struct worker *worker);

/* The store's current time, estimated from this machine's clock and the store's last answer. */
int64_t worker_now_us(const struct worker *worker);
void worker_clock_is(struct worker *worker, int64_t store_now_us);

/* True if PostgreSQL failed to answer a moment ago, so that nobody should wait for it. */
bool worker_durable_away(const struct worker *worker);
/*
 * Notes the outcome of a query sent at `asked_us` (clock_mono_us); ERR_NONE: it was answered. A single ERR_DEADLINE
 * does not mean that PostgreSQL is away: the caller may just not have waited long enough.
 */
void worker_durable_said(struct worker *worker, enum err_code code, int64_t asked_us);

/* The newest snapshot, valid until snapshot_give. ERR_UNAVAILABLE before the first load. */
struct snapshot *snapshot_take(struct worker *worker, struct err *err);
void snapshot_give(struct worker *worker, struct snapshot *snapshot);

/*
 * For an account on a tier that `mine` does not have: whether there is a newer catalog, one should be waited for, or
 * the tier is gone. *until_us starts at 0 and holds the time until which to wait. Counting by the default tier in the
 * meantime would lose what was used under the account's own limits.
 */
enum catalog_lag { CATALOG_NEWER, CATALOG_AWAITED, CATALOG_HAS_NONE };
#define CATALOG_LOOK_US 5000 /* how often to look */
enum catalog_lag worker_catalog_lag(struct worker *worker, const struct catalog *mine, int64_t *until_us);

/* Admits one more unknown user of the tenant. ERR_EXHAUSTED with retry_after_us if this minute's share is used up. */
bool worker_newcomer(struct worker *worker, const char *tenant, struct err *err);

#endif
