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
#include "store/limits.h"
#include "store/pools.h"
#include "store/watch.h"

/* One snapshot of the catalog and the requests of this worker that still look at it. */
struct snapshot {
	struct catalog *catalog;
	int users;
};

/* Unknown users that a tenant brought in during the running minute. */
#define NEWCOMER_TENANTS 64
struct newcomers {
	char tenant[ID_MAX + 1];
	int64_t minute, count;
};

struct local_table;

/* The parts that main gives a worker; all outlive it. */
struct worker_parts {
	struct limits_store *limits;
	struct pools_store *pools; /* of the priority pools; NULL on a loop that has none */
	struct watch_store *watch; /* NULL on a loop that serves no callers */
	struct accounts_store *accounts;
	struct admin_store *admin;
	struct catalog_source *catalog;
	struct timers *timers;
	const struct conf *conf;
	int workers; /* that answer checks, in this process and in others: LOCAL divides by it */
	void *owner; /* whoever put the parts together; not the worker's business */
	bool (*ready)(void *arg); /* do the stores of this process answer? What /readyz says; any thread */
	void *ready_arg;
};

struct pool_manager;
struct key_log;
struct shared;
struct gather;
struct publisher;
struct watch_hub;

struct worker {
	struct worker_parts parts;
	struct key_log *key_log; /* which keys were used (service/worker/key_log.h) */
	struct pool_manager *manager; /* of the pools (service/pool/pool.h); NULL on a loop that serves no callers */
	struct shared *shared; /* how many share an account (service/worker/shared.h) */
	struct publisher
		*publisher; /* of what it decides, to those who watch (service/request/publish.h); NULL likewise */
	struct gather *watched; /* NULL: nobody watches */
	struct watch_hub *hub; /* who watches here (service/watch/watch.h); NULL: nobody yet */
	struct account_cache *cache;
	struct local_table *local;
	struct snapshot *snapshot; /* the newest; NULL before the first load */
	uint64_t generation; /* of that */
	int64_t clock_offset_us; /* the store's clock minus this machine's */
	int64_t durable_away_until_us; /* clock_mono_us: PostgreSQL did not answer lately, so nobody waits for it */
	int64_t durable_failing_us,
		durable_failed_us; /* clock_mono_us: the first and last of its failures that came close together */
	int epochs_asked; /* of PostgreSQL, for pools, and not yet answered: the loop's stores live until then */
	int64_t ledger_behind_until_us; /* clock_mono_us: the ledger did not catch up lately, so new limits do not wait for it */
	struct policy no_limits; /* of a shared account without a tier */
	struct newcomers newcomers[NEWCOMER_TENANTS];
};

struct worker *worker_new(const struct worker_parts *parts);
/* No request may be open. NULL is fine. */
void worker_free(struct worker *worker);

/* The store's time, as far as this machine's clock and the last answer tell. */
int64_t worker_now_us(const struct worker *worker);
void worker_clock_is(struct worker *worker, int64_t store_now_us);

/* Did PostgreSQL not answer a moment ago? Then nobody waits for it. */
bool worker_durable_away(const struct worker *worker);
/* It was asked at `asked_us` (clock_mono_us), and this came of it; ERR_NONE: an answer. That somebody in a hurry did not wait long enough
 * does not yet mean that it is away. */
void worker_durable_said(struct worker *worker, enum err_code code, int64_t asked_us);

/* The newest snapshot, kept until given back. ERR_UNAVAILABLE before the first load. */
struct snapshot *snapshot_take(struct worker *worker, struct err *err);
void snapshot_give(struct worker *worker, struct snapshot *snapshot);

/*
 * An account is on a tier that `mine` does not have: is there a newer catalog, is one to be waited for, or is the tier gone?
 * `until_us` begins as 0 and keeps how long it is waited for. Counting by the default tier meanwhile would lose what was
 * used under the account's own limits.
 */
enum catalog_lag { CATALOG_NEWER, CATALOG_AWAITED, CATALOG_HAS_NONE };
#define CATALOG_LOOK_US 5000 /* how often to ask */
enum catalog_lag worker_catalog_lag(struct worker *worker, const struct catalog *mine, int64_t *until_us);

/* May one more unknown user of the tenant come in? ERR_EXHAUSTED with retry_after when the minute's share is used up. */
bool worker_newcomer(struct worker *worker, const char *tenant, struct err *err);

#endif
