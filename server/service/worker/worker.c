/* A worker's own state: clock, catalog, new users, and whether PostgreSQL answers. */
#include "service/worker/worker.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto/hash.h"
#include "service/worker/alert_log.h"
#include "service/worker/denials.h"
#include "service/worker/key_log.h"
#include "service/worker/local.h"
#include "service/worker/shared.h"

enum { LOCAL_ENTRIES = 4096, DENIAL_ENTRIES = 16384 };
/* How far behind a catalog can be. */
#define CATALOG_US 1000000
/* How long nobody waits for PostgreSQL after a failure, and how long timeouts must last to count as one. */
enum { DURABLE_AWAY_US = 1000000, DURABLE_PATIENCE_US = 500000 };

struct worker *worker_new(const struct worker_parts *parts)
{
	struct worker *worker = mem_zalloc(1, sizeof(*worker));

	worker->parts = *parts;
	if (worker->parts.workers < 1)
		worker->parts.workers = 1;
	if (!policy_prepare(&worker->no_limits, NULL))
		abort();
	worker->cache = account_cache_new(parts->conf->account_cache);
	worker->local = local_new(LOCAL_ENTRIES);
	worker->denials = denials_new(parts->changes, parts->conf->denial_memory_ms * 1000, DENIAL_ENTRIES);
	worker->alert_log = alert_log_new(worker);
	worker->key_log = key_log_new(worker);
	worker->shared = shared_new(worker);
	return worker;
}

static void snapshot_free(struct snapshot *snapshot)
{
	catalog_release(snapshot->catalog);
	free(snapshot);
}

void worker_free(struct worker *worker)
{
	if (!worker)
		return;
	if (worker->snapshot)
		snapshot_free(worker->snapshot);
	account_cache_free(worker->cache);
	local_free(worker->local);
	denials_free(worker->denials);
	alert_log_free(worker->alert_log);
	key_log_free(worker->key_log);
	shared_free(worker->shared);
	free(worker);
}

int64_t worker_now_us(const struct worker *worker)
{
	return clock_wall_us() + worker->clock_offset_us;
}

bool worker_durable_away(const struct worker *worker)
{
	return clock_mono_us() < worker->durable_away_until_us;
}

void worker_durable_said(struct worker *worker, enum err_code code, int64_t asked_us)
{
	int64_t now_us = clock_mono_us();

	if (code == ERR_NONE) {
		worker->durable_away_until_us = worker->durable_failed_us = 0;
		return;
	}
	if (!worker->durable_failed_us || asked_us - worker->durable_failed_us > DURABLE_AWAY_US)
		worker->durable_failing_us = asked_us;
	worker->durable_failed_us = now_us;
	if (code != ERR_DEADLINE || now_us - worker->durable_failing_us >= DURABLE_PATIENCE_US)
		worker->durable_away_until_us = now_us + DURABLE_AWAY_US;
}

void worker_clock_is(struct worker *worker, int64_t store_now_us)
{
	worker->clock_offset_us = store_now_us - clock_wall_us();
}

/* A request keeps the snapshot it started with; the worker keeps the newest one. */
static void snapshot_refresh(struct worker *worker)
{
	uint64_t generation = catalog_source_generation(worker->parts.catalog);
	struct snapshot *old = worker->snapshot;
	struct catalog *catalog;

	if (old && generation == worker->generation)
		return;
	catalog = catalog_acquire(worker->parts.catalog);
	if (!catalog)
		return;
	worker->snapshot = mem_zalloc(1, sizeof(*worker->snapshot));
	worker->snapshot->catalog = catalog;
	worker->generation = generation;
	if (old && !old->users)
		snapshot_free(old);
}

struct snapshot *snapshot_take(struct worker *worker, struct err *err)
{
	snapshot_refresh(worker);
	if (!worker->snapshot) {
		err_set(err, ERR_UNAVAILABLE, "tiers and prices have not been read from PostgreSQL yet");
		return NULL;
	}
	worker->snapshot->users++;
	return worker->snapshot;
}

void snapshot_give(struct worker *worker, struct snapshot *snapshot)
{
	if (snapshot && --snapshot->users == 0 && snapshot != worker->snapshot)
		snapshot_free(snapshot);
}

enum catalog_lag worker_catalog_lag(struct worker *worker, const struct catalog *mine, int64_t *until_us)
{
	int64_t now_us = clock_mono_us();

	if (catalog_source_generation(worker->parts.catalog) != catalog_generation(mine))
		return CATALOG_NEWER;
	if (!*until_us) {
		*until_us = now_us + CATALOG_US;
		catalog_source_poke(worker->parts.catalog);
	}
	return now_us < *until_us ? CATALOG_AWAITED : CATALOG_HAS_NONE;
}

bool worker_newcomer(struct worker *worker, const char *tenant, struct err *err)
{
	size_t slot = hash64(tenant, strlen(tenant)) % NEWCOMER_TENANTS;
	struct newcomers *newcomers = &worker->newcomers[slot];
	int64_t now_us = clock_mono_us();
	int64_t minute = now_us / 60000000;
	int64_t most = worker->parts.conf->new_users_per_minute;
	int64_t share = (most + worker->parts.workers - 1) / worker->parts.workers;

	if (newcomers->minute != minute || strcmp(newcomers->tenant, tenant) != 0) {
		newcomers->minute = minute;
		newcomers->count = 0;
		memcpy(newcomers->tenant, tenant, strlen(tenant) + 1);
	}
	if (newcomers->count >= share) {
		err_set(err, ERR_EXHAUSTED, "tenant %s has had too many new users in this minute", tenant);
		err_reason(err, "TOO_MANY_NEW_USERS");
		if (err)
			err->retry_after_us = (minute + 1) * 60000000 - now_us;
		return false;
	}
	newcomers->count++;
	return true;
}
