/*
 * Loads the catalog and checks every half second whether it has changed (pg/stores.h). It polls because LISTEN needs a
 * dedicated session, which a transaction pooler does not provide, and reading one row twice a second costs nothing.
 */
#include "pg/stores.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/observe/log.h"
#include "domain/price/price.h"
#include "pg/admin/admin.h"
#include "pg/link/link.h"
#include "pg/link/rows.h"
#include "pg/lookup/keys.h"
#include "pg/lookup/names.h"
#include "pg/lookup/texts.h"
#include "store/catalog_build.h"

#define POLL_US INT64_C(500000)
#define LOOK_DEADLINE_US INT64_C(5000000)

struct pg_catalog {
	struct catalog_source source; /* first; this is what callers see */
	char *conninfo;
	int pool_slots; /* the option */
	bool option_written, names_stuck; /* used by the thread only */
	struct catalog_signing signing; /* used by the thread only */
	int wake_fd;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* poked, stopping, loaded or failed */
	bool stopping, poked, healthy, loaded;
	struct err last;
	int64_t generation; /* the database's generation that was loaded; used by the thread only */
};

enum {
	ANSWER_BEGIN,
	ANSWER_PLANNED,
	ANSWER_EPOCH,
	ANSWER_TENANTS,
	ANSWER_TIERS,
	ANSWER_LIMITS,
	ANSWER_ACCOUNTS,
	ANSWER_PRICES,
	ANSWER_ALIASES,
	ANSWER_FAMILIES,
	ANSWER_POOLS,
	ANSWER_TEXTS,
	ANSWER_KEYS,
	ANSWER_KEYS_MADE,
	ANSWER_SIGNERS,
	ANSWER_COMMIT,
	ANSWER_COUNT
};

static const struct pg_statement load_statements[ANSWER_COUNT] = {
	[ANSWER_BEGIN] = {.sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"},
	/*
	 * PostgreSQL takes the statement of the prices for an expensive one, because each row has subqueries, and compiles
	 * it: with 4,000 prices that takes 500 ms, and the work 45 ms.
	 */
	[ANSWER_PLANNED] = {.sql = "SET LOCAL jit = off"},
	[ANSWER_EPOCH] = {.sql = "SELECT generation, names_at_us FROM catalog_epoch"},
	/* A tenant that has accounts but was never created gets the settings of `default` under its own id. */
	[ANSWER_TENANTS] =
		{.sql = "SELECT " TENANT_COLUMNS " FROM tenants UNION ALL "
			"SELECT x.tenant, d.default_tier, d.unknown_users, d.unknown_model, d.fallback_model, "
			"d.language, d." TENANT_EPOCH ", d.cost_source"
			" FROM (SELECT DISTINCT tenant FROM accounts WHERE kind >= 4) x, tenants d "
			"WHERE d.id = 'default' AND x.tenant NOT IN (SELECT id FROM tenants) ORDER BY 1"},
	[ANSWER_TIERS] = {.sql = "SELECT " TIER_COLUMNS " FROM tiers ORDER BY tenant, name"},
	[ANSWER_LIMITS] = {.sql = "SELECT " TIER_LIMIT_COLUMNS " FROM tier_limits ORDER BY tenant, tier, position"},
	[ANSWER_ACCOUNTS] = {.sql = "SELECT tenant, kind, id FROM accounts WHERE kind >= 4 ORDER BY tenant, kind, id"},
	[ANSWER_PRICES] = {.sql = "SELECT " PRICE_COLUMNS " FROM model_prices p ORDER BY p.id"},
	[ANSWER_ALIASES] = {.sql = ALIASES_SQL},
	[ANSWER_FAMILIES] = {.sql = FAMILIES_SQL},
	[ANSWER_POOLS] = {.sql = "SELECT " POOL_COLUMNS " FROM pools p ORDER BY p.tenant, p.name"},
	[ANSWER_TEXTS] = {.sql = TEXTS_SQL},
	[ANSWER_KEYS] = {.sql = KEYS_SQL},
	[ANSWER_KEYS_MADE] = {.sql = KEYS_MADE_SQL},
	[ANSWER_SIGNERS] = {.sql = SIGNERS_SQL},
	[ANSWER_COMMIT] = {.sql = "COMMIT"},
};

/* Loads tenants and the models with an account. Both answers are sorted by tenant; accounts name only known tenants. */
static void load_tenants(struct catalog_parts *parts, const PGresult *tenants, const PGresult *accounts)
{
	int at = 0, rows = PQntuples(accounts);

	parts->tenants = PQntuples(tenants);
	parts->tenant = mem_zalloc((size_t)parts->tenants + 1, sizeof(*parts->tenant));
	for (int i = 0; i < parts->tenants; i++) {
		struct tenant *tenant = &parts->tenant[i];
		int first;

		row_tenant(tenants, i, 0, tenant);
		while (at < rows && strcmp(pg_text(accounts, at, 0), tenant->id) < 0)
			at++;
		first = at;
		while (at < rows && strcmp(pg_text(accounts, at, 0), tenant->id) == 0)
			at++;
		tenant->model_account = mem_zalloc((size_t)(at - first) + 1, sizeof(*tenant->model_account));
		for (int row = first; row < at; row++) {
			if (pg_i64(accounts, row, 1) == ACCOUNT_TENANT)
				tenant->has_account = true;
			else
				pg_copy(accounts, row, 2, tenant->model_account[tenant->model_accounts++], ID_MAX + 1);
		}
	}
}

static void load_tiers(struct catalog_parts *parts, const PGresult *tiers, const PGresult *limits)
{
	int at = 0, count = PQntuples(tiers);

	parts->tier = mem_zalloc((size_t)count + 1, sizeof(*parts->tier));
	for (int i = 0; i < count; i++) {
		struct catalog_tier *out = &parts->tier[parts->tiers];
		struct err err;
		pg_copy(tiers, i, 0, out->tenant, sizeof(out->tenant));
		/* Can only be written behind the admin service's back; the other tiers must not suffer. */
		if (!row_tier(tiers, i, limits, &at, &out->tier, &err))
			log_error("ignored an invalid tier in PostgreSQL", F("tenant", out->tenant),
				F("tier", out->tier.name), F("why", err.text));
		else
			parts->tiers++;
	}
}

static void load_prices(
	struct catalog_parts *parts, const PGresult *prices, const PGresult *aliases, const PGresult *families)
{
	int count = PQntuples(prices), good = 0;
	struct price *price = mem_zalloc((size_t)count + 1, sizeof(*price));

	for (int i = 0; i < count; i++) {
		struct err err;
		row_price(prices, i, 0, &price[good]);
		if (price_check(&price[good], &err))
			good++;
		else
			log_error("ignored an invalid price in PostgreSQL", F("provider", price[good].provider),
				F("model", price[good].model), F("why", err.text));
	}
	parts->prices = catalog_names_load(price, good, aliases, families);
	free(price);
}

static void load_pools(struct catalog_parts *parts, const PGresult *pools)
{
	int count = PQntuples(pools);

	parts->pool = mem_zalloc((size_t)count + 1, sizeof(*parts->pool));
	for (int i = 0; i < count; i++) {
		struct catalog_pool *out = &parts->pool[parts->pools];
		struct err err;
		pg_copy(pools, i, POOL_COLUMN_TENANT, out->tenant, sizeof(out->tenant));
		row_pool(pools, i, &out->settings);
		if (pool_settings_check(&out->settings, &err))
			parts->pools++;
		else
			log_error("ignored an invalid pool in PostgreSQL", F("tenant", out->tenant),
				F("pool", out->settings.name), F("why", err.text));
	}
}

static bool load(struct pg_catalog *catalog, struct pg_link *link, struct err *err)
{
	PGresult *answers[ANSWER_COUNT] = {NULL};
	struct catalog_parts parts = {0};

	if (!pg_pipeline(link, load_statements, ANSWER_COUNT, answers, err))
		return false;
	load_tenants(&parts, answers[ANSWER_TENANTS], answers[ANSWER_ACCOUNTS]);
	load_tiers(&parts, answers[ANSWER_TIERS], answers[ANSWER_LIMITS]);
	load_prices(&parts, answers[ANSWER_PRICES], answers[ANSWER_ALIASES], answers[ANSWER_FAMILIES]);
	load_pools(&parts, answers[ANSWER_POOLS]);
	catalog_texts_load(&parts, answers[ANSWER_TEXTS]);
	catalog_keys_load(&parts, answers[ANSWER_KEYS], answers[ANSWER_KEYS_MADE], answers[ANSWER_SIGNERS]);
	parts.signer = catalog->signing.signer;
	parts.default_slots = catalog->pool_slots;
	if (PQntuples(answers[ANSWER_EPOCH])) {
		parts.stored = pg_i64(answers[ANSWER_EPOCH], 0, 0);
		parts.names_at_us = pg_i64(answers[ANSWER_EPOCH], 0, 1);
	}
	catalog->generation = parts.stored;
	pg_results_clear(answers, ANSWER_COUNT);
	catalog_publish(&catalog->source, catalog_new(&parts));
	return true;
}

/*
 * When a price has begun or ended since names were resolved, names may resolve differently. The first process to notice
 * raises the epoch for all; the others load that like any other change. If it cannot be written, names keep their
 * meaning.
 */
static bool names_move(struct pg_catalog *catalog, struct pg_link *link, struct err *err)
{
	const struct catalog *loaded = catalog->source.current; /* no other thread publishes */
	int64_t at_us = catalog_names_at(loaded);
	int64_t turn_us = price_last_turn(catalog_prices(loaded), at_us, clock_wall_us());
	PG_ARGS args = {0};
	struct err why;
	bool moved;

	if (turn_us == at_us)
		return true;
	pg_arg_int(&args, turn_us);
	moved = pg_exec(link,
		"UPDATE catalog_epoch SET generation = generation + 1, names = names + 1, names_at_us = $1 "
		"WHERE names_at_us < $1",
		&args, &why);
	if (!moved && !catalog->names_stuck)
		log_warn("model names still resolve as before the last price began or ended", F("why", why.text));
	catalog->names_stuck = !moved;
	return !moved || load(catalog, link, err);
}

/* Runs once per start: the process started last sets the slots of pools that take them from the option. */
static bool write_option(struct pg_catalog *catalog, struct pg_link *link, struct err *err)
{
	int changed;

	if (catalog->option_written)
		return true;
	if (!pools_option(link, catalog->pool_slots, &changed, err))
		return false;
	if (changed)
		log_info("pools now have the slots of max_concurrent_agents", FI("slots", catalog->pool_slots),
			FI("pools", changed));
	catalog->option_written = true;
	return true;
}

/* Loads the catalog if its generation differs from the loaded one. */
static bool look(void *arg, struct pg_link *link, struct err *err)
{
	struct pg_catalog *catalog = arg;
	bool same = false;

	if (!write_option(catalog, link, err) || !catalog_signer_renew(&catalog->signing, link, err))
		return false;
	if (catalog->generation >= 0) {
		PG_RESULT result = pg_query(link, "SELECT generation FROM catalog_epoch", NULL, err);

		if (!result)
			return false;
		same = PQntuples(result) == 1 && pg_i64(result, 0, 0) == catalog->generation;
	}
	return (same || load(catalog, link, err)) && names_move(catalog, link, err);
}

static void wait_next(struct pg_catalog *catalog)
{
	int64_t until_us = clock_mono_us() + POLL_US;
	struct timespec until = {.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};

	while (!catalog->stopping && !catalog->poked) {
		if (pthread_cond_timedwait(&catalog->changed, &catalog->lock, &until) != 0)
			break;
	}
	catalog->poked = false;
}

static void *catalog_thread(void *arg)
{
	struct pg_catalog *catalog = arg;
	struct pg_link link;

	pg_link_init(&link, catalog->conninfo, catalog->wake_fd);
	pthread_mutex_lock(&catalog->lock);
	while (!catalog->stopping) {
		struct err err = {0};
		bool ok;

		pthread_mutex_unlock(&catalog->lock);
		link.deadline_us = clock_mono_us() + LOOK_DEADLINE_US;
		ok = pg_link_run(&link, look, catalog, true, &err);
		pg_link_tidy(&link);
		pthread_mutex_lock(&catalog->lock);
		if (!ok && catalog->healthy)
			log_warn("cannot read the catalog; the last one stays in use", F("why", err.text));
		catalog->healthy = ok;
		catalog->loaded |= ok;
		catalog->last = err;
		pthread_cond_broadcast(&catalog->changed);
		wait_next(catalog);
	}
	pthread_mutex_unlock(&catalog->lock);
	pg_link_close(&link);
	return NULL;
}

struct catalog_source *pg_catalog_start(const char *conninfo, int pool_slots, struct err *err)
{
	pthread_condattr_t monotonic;
	struct pg_catalog *catalog;
	size_t size;

	if (!pg_conninfo_check(conninfo, err))
		return NULL;
	catalog = mem_zalloc(1, sizeof(*catalog));
	catalog_source_init(&catalog->source);
	catalog->source.poke = pg_catalog_poke;
	size = strlen(conninfo) + 1;
	catalog->conninfo = memcpy(mem_zalloc(size, 1), conninfo, size);
	catalog->pool_slots = pool_slots;
	catalog->generation = -1;
	catalog->wake_fd = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_init(&catalog->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&catalog->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (catalog->wake_fd < 0 || pthread_create(&catalog->thread, NULL, catalog_thread, catalog) != 0)
		mem_exhausted(sizeof(*catalog));
	return &catalog->source;
}

static struct pg_catalog *own(struct catalog_source *source)
{
	return container_of(source, struct pg_catalog, source);
}

void pg_catalog_stop(struct catalog_source *source)
{
	struct pg_catalog *catalog;

	if (!source)
		return;
	catalog = own(source);
	pthread_mutex_lock(&catalog->lock);
	catalog->stopping = true;
	pthread_cond_broadcast(&catalog->changed);
	pthread_mutex_unlock(&catalog->lock);
	if (write(catalog->wake_fd, &(uint64_t){1}, 8) != 8)
		abort(); /* cannot happen: an eventfd at 0 accepts a 1 */
	pthread_join(catalog->thread, NULL);
	catalog_source_release(&catalog->source);
	pthread_cond_destroy(&catalog->changed);
	pthread_mutex_destroy(&catalog->lock);
	close(catalog->wake_fd);
	free(catalog->conninfo);
	free(catalog);
}

bool pg_catalog_wait(struct catalog_source *source, int timeout_ms, struct err *err)
{
	struct pg_catalog *catalog = own(source);
	int64_t until_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
	struct timespec until = {.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};
	bool ok;

	pthread_mutex_lock(&catalog->lock);
	while (!catalog->loaded) {
		if (pthread_cond_timedwait(&catalog->changed, &catalog->lock, &until) != 0)
			break;
	}
	ok = catalog->loaded;
	if (!ok)
		err_set(err, ERR_DEADLINE, "the catalog could not be read: %s",
			catalog->last.text[0] ? catalog->last.text : "PostgreSQL did not answer in time");
	pthread_mutex_unlock(&catalog->lock);
	return ok;
}

void pg_catalog_poke(struct catalog_source *source)
{
	struct pg_catalog *catalog = own(source);

	pthread_mutex_lock(&catalog->lock);
	catalog->poked = true;
	pthread_cond_broadcast(&catalog->changed);
	pthread_mutex_unlock(&catalog->lock);
}

bool pg_catalog_healthy(struct catalog_source *source)
{
	struct pg_catalog *catalog = own(source);
	bool healthy;

	pthread_mutex_lock(&catalog->lock);
	healthy = catalog->healthy;
	pthread_mutex_unlock(&catalog->lock);
	return healthy;
}
