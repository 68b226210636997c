/* The catalog in memory: sorted arrays that never change once published, reference-counted. */
#include "store/catalog_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/observe/metrics.h"

struct catalog {
	_Atomic long references;
	uint64_t generation;
	struct catalog_parts parts;
	const struct api_key **key_by_id; /* parts.key in the order of ids */
	struct pool_settings pool; /* POOL_DEFAULT, when it has no row */
	struct tenant other; /* for every tenant without a row: the settings of `default`, no accounts of its own */
};

static int compare_tenants(const void *a, const void *b)
{
	return strcmp(((const struct tenant *)a)->id, ((const struct tenant *)b)->id);
}

static int compare_tiers(const void *a, const void *b)
{
	const struct catalog_tier *x = a, *y = b;
	int order = strcmp(x->tenant, y->tenant);

	return order ? order : strcmp(x->tier.name, y->tier.name);
}

static int compare_pools(const void *a, const void *b)
{
	const struct catalog_pool *x = a, *y = b;
	int order = strcmp(x->tenant, y->tenant);

	return order ? order : strcmp(x->settings.name, y->settings.name);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(((const struct catalog_texts *)a)->tenant, ((const struct catalog_texts *)b)->tenant);
}

static int compare_keys(const void *a, const void *b)
{
	return memcmp(((const struct api_key *)a)->hash, ((const struct api_key *)b)->hash, KEY_HASH_BYTES);
}

static int compare_key_ids(const void *a, const void *b)
{
	int64_t x = (*(const struct api_key *const *)a)->id, y = (*(const struct api_key *const *)b)->id;

	return x < y ? -1 : x > y;
}

static int compare_signers(const void *a, const void *b)
{
	return memcmp(a, b, SIGNER_ID_BYTES);
}

/* Keys by hash and by id, and signers. */
static void sort_keys(struct catalog *catalog)
{
	struct catalog_parts *parts = &catalog->parts;

	catalog->key_by_id = mem_zalloc((size_t)parts->keys + 1, sizeof(*catalog->key_by_id));
	if (parts->keys) {
		qsort(parts->key, (size_t)parts->keys, sizeof(*parts->key), compare_keys);
		for (int i = 0; i < parts->keys; i++)
			catalog->key_by_id[i] = &parts->key[i];
		qsort(catalog->key_by_id, (size_t)parts->keys, sizeof(*catalog->key_by_id), compare_key_ids);
	}
	if (parts->signers)
		qsort(parts->signer_public, (size_t)parts->signers, sizeof(*parts->signer_public), compare_signers);
}

static int compare_models(const void *a, const void *b)
{
	return strcmp(a, b);
}

void tenant_defaults(struct tenant *tenant, const char *id)
{
	*tenant = (struct tenant){
		.default_tier = "free",
		.unknown_users = UNKNOWN_ADMIT,
		.unknown_model = MODEL_REFUSE,
		.language = "en",
		.cost_source = COST_PRICE,
		.epoch = 1,
	};
	strncpy(tenant->id, id, sizeof(tenant->id) - 1);
}

static const struct tenant *tenant_find(const struct catalog *catalog, const char *id)
{
	int low, high;

	if (catalog->parts.tenants == 0)
		return NULL;
	low = 0;
	high = catalog->parts.tenants - 1;
	while (low <= high) {
		int middle = low + (high - low) / 2;
		int order = strcmp(id, catalog->parts.tenant[middle].id);
		if (order == 0)
			return &catalog->parts.tenant[middle];
		if (order < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return NULL;
}

struct catalog *catalog_new(const struct catalog_parts *parts)
{
	struct catalog *catalog = mem_zalloc(1, sizeof(*catalog));
	const struct tenant *base;

	atomic_init(&catalog->references, 1);
	catalog->parts = *parts;
	if (parts->tenants)
		qsort(parts->tenant, (size_t)parts->tenants, sizeof(*parts->tenant), compare_tenants);
	if (parts->tiers)
		qsort(parts->tier, (size_t)parts->tiers, sizeof(*parts->tier), compare_tiers);
	for (int i = 0; i < parts->tiers; i++)
		parts->tier[i].tier.metric = metrics_tier(parts->tier[i].tier.name);
	if (parts->pools)
		qsort(parts->pool, (size_t)parts->pools, sizeof(*parts->pool), compare_pools);
	if (parts->texts)
		qsort(parts->text, (size_t)parts->texts, sizeof(*parts->text), compare_texts);
	sort_keys(catalog);
	pool_settings_default(&catalog->pool, POOL_DEFAULT, parts->default_slots);
	catalog->pool.slots_from_option = true;
	for (int i = 0; i < parts->tenants; i++) {
		struct tenant *tenant = &parts->tenant[i];
		if (tenant->model_accounts)
			qsort(tenant->model_account, (size_t)tenant->model_accounts, sizeof(*tenant->model_account),
				compare_models);
	}
	base = tenant_find(catalog, "default");
	if (base)
		catalog->other = *base;
	else
		tenant_defaults(&catalog->other, "default");
	catalog->other.has_account = false;
	catalog->other.model_accounts = 0;
	catalog->other.model_account = NULL;
	catalog_names_make(catalog, &catalog->parts, &catalog->other);
	return catalog;
}

const struct tenant *catalog_tenant(const struct catalog *catalog, const char *id)
{
	const struct tenant *tenant;

	if (!catalog)
		return NULL;
	tenant = tenant_find(catalog, id);
	return tenant ? tenant : &catalog->other;
}

/* What tiers and pools are sorted by. */
struct row_key {
	const char *tenant, *name;
};

static int key_order(const struct row_key *key, const char *tenant, const char *name)
{
	int order = strcmp(key->tenant, tenant);

	return order ? order : strcmp(key->name, name);
}

/* The tenant's own row with that name, else everybody's; NULL when there is none. */
static const void *row_find(const void *rows, int count, size_t size, const char *tenant, const char *name,
	int (*order)(const void *key, const void *row))
{
	const struct row_key own = {.tenant = tenant, .name = name}, shared = {.tenant = "", .name = name};
	const void *row = count > 0 ? bsearch(&own, rows, (size_t)count, size, order) : NULL;

	return row || count == 0 ? row : bsearch(&shared, rows, (size_t)count, size, order);
}

/* Of no catalog at all. */
static const struct catalog_parts nothing;

static int tier_order(const void *key, const void *row)
{
	const struct catalog_tier *at = row;

	return key_order(key, at->tenant, at->tier.name);
}

const struct tier *catalog_tier(const struct catalog *catalog, const char *tenant, const char *name)
{
	const struct catalog_parts *parts = catalog ? &catalog->parts : &nothing;
	const struct catalog_tier *at =
		row_find(parts->tier, parts->tiers, sizeof(*parts->tier), tenant, name, tier_order);

	return at ? &at->tier : NULL;
}

const struct tier *catalog_tier_next(const struct catalog *catalog, const char *tenant, const char *after)
{
	const struct tier *best = NULL;

	if (!catalog)
		return NULL;
	for (int i = 0; i < catalog->parts.tiers; i++) {
		const struct catalog_tier *at = &catalog->parts.tier[i];
		if (at->tenant[0] != '\0' && strcmp(at->tenant, tenant) != 0)
			continue;
		if (strcmp(at->tier.name, after) > 0 && (!best || strcmp(at->tier.name, best->name) < 0))
			best = &at->tier;
	}
	return best ? catalog_tier(catalog, tenant, best->name) : NULL;
}

static int pool_order(const void *key, const void *row)
{
	const struct catalog_pool *at = row;

	return key_order(key, at->tenant, at->settings.name);
}

const struct pool_settings *catalog_pool(const struct catalog *catalog, const char *tenant, const char *name)
{
	const struct catalog_parts *parts = catalog ? &catalog->parts : &nothing;
	const struct catalog_pool *at =
		row_find(parts->pool, parts->pools, sizeof(*parts->pool), tenant, name, pool_order);

	if (at)
		return &at->settings;
	return catalog && strcmp(name, POOL_DEFAULT) == 0 ? &catalog->pool : NULL;
}

void catalog_pools_each(const struct catalog *catalog, void (*each)(const char *tenant, const char *pool))
{
	for (int i = 0; i < catalog->parts.pools; i++) {
		const struct catalog_pool *at = &catalog->parts.pool[i];
		if (at->tenant[0])
			each(at->tenant, at->settings.name);
		for (int k = 0; !at->tenant[0] && k < catalog->parts.tenants; k++)
			each(catalog->parts.tenant[k].id, at->settings.name);
	}
}

const struct text_table *catalog_texts(const struct catalog *catalog, const char *tenant)
{
	struct catalog_texts wanted = {0};
	const struct catalog_texts *found;

	if (!catalog || catalog->parts.texts == 0 || strlen(tenant) > ID_MAX)
		return NULL;
	memcpy(wanted.tenant, tenant, strlen(tenant) + 1);
	found = bsearch(&wanted, catalog->parts.text, (size_t)catalog->parts.texts, sizeof(wanted), compare_texts);
	return found ? &found->table : NULL;
}

const struct price_book *catalog_prices(const struct catalog *catalog)
{
	return catalog ? catalog->parts.prices : NULL;
}

/* The duration of the search depends on hashes, not on keys: without the key, nobody can choose its hash. */
const struct api_key *catalog_key(const struct catalog *catalog, const uint8_t hash[KEY_HASH_BYTES])
{
	struct api_key wanted = {0};

	if (!catalog || catalog->parts.keys == 0)
		return NULL;
	memcpy(wanted.hash, hash, KEY_HASH_BYTES);
	return bsearch(&wanted, catalog->parts.key, (size_t)catalog->parts.keys, sizeof(wanted), compare_keys);
}

static int id_order(const void *id, const void *key)
{
	int64_t x = *(const int64_t *)id, y = (*(const struct api_key *const *)key)->id;

	return x < y ? -1 : x > y;
}

const struct api_key *catalog_key_by_id(const struct catalog *catalog, int64_t id)
{
	const struct api_key *const *found = catalog ? bsearch(&id, catalog->key_by_id, (size_t)catalog->parts.keys,
							       sizeof(*catalog->key_by_id), id_order)
						     : NULL;

	return found ? *found : NULL;
}

const uint8_t *catalog_signer_public(const struct catalog *catalog, const uint8_t id[SIGNER_ID_BYTES])
{
	if (!catalog || catalog->parts.signers == 0)
		return NULL;
	return bsearch(id, catalog->parts.signer_public, (size_t)catalog->parts.signers,
		sizeof(*catalog->parts.signer_public), compare_signers);
}

const struct signer *catalog_signer(const struct catalog *catalog)
{
	return &catalog->parts.signer;
}

bool catalog_has_keys(const struct catalog *catalog)
{
	return catalog && catalog->parts.keys_made;
}

int64_t catalog_names_at(const struct catalog *catalog)
{
	return catalog ? catalog->parts.names_at_us : 0;
}

int64_t catalog_stored(const struct catalog *catalog)
{
	return catalog ? catalog->parts.stored : 0;
}

uint64_t catalog_generation(const struct catalog *catalog)
{
	return catalog ? catalog->generation : 0;
}

void catalog_source_init(struct catalog_source *source)
{
	pthread_mutex_init(&source->lock, NULL);
	source->current = NULL;
	atomic_init(&source->generation, 0);
}

void catalog_publish(struct catalog_source *source, struct catalog *catalog)
{
	struct catalog *old;

	pthread_mutex_lock(&source->lock);
	old = source->current;
	catalog->generation = atomic_load(&source->generation) + 1;
	source->current = catalog;
	/* Last: whoever sees the new generation gets the new catalog. */
	atomic_store(&source->generation, catalog->generation);
	pthread_mutex_unlock(&source->lock);
	catalog_release(old);
}

void catalog_source_release(struct catalog_source *source)
{
	catalog_release(source->current);
	source->current = NULL;
	pthread_mutex_destroy(&source->lock);
}

struct catalog *catalog_acquire(struct catalog_source *source)
{
	struct catalog *catalog;

	pthread_mutex_lock(&source->lock);
	catalog = source->current;
	if (catalog)
		atomic_fetch_add(&catalog->references, 1);
	pthread_mutex_unlock(&source->lock);
	return catalog;
}

void catalog_release(struct catalog *catalog)
{
	if (!catalog || atomic_fetch_sub(&catalog->references, 1) != 1)
		return;
	for (int i = 0; i < catalog->parts.tenants; i++) {
		free(catalog->parts.tenant[i].model_account);
		tenant_names_free(&catalog->parts.tenant[i]);
	}
	tenant_names_free(&catalog->other);
	free(catalog->parts.tenant);
	free(catalog->parts.tier);
	free(catalog->parts.pool);
	free(catalog->parts.text);
	arena_release(&catalog->parts.text_rows);
	free(catalog->key_by_id);
	free(catalog->parts.key);
	free(catalog->parts.signer_public);
	arena_release(&catalog->parts.key_texts);
	price_book_free(catalog->parts.prices);
	free(catalog);
}

uint64_t catalog_source_generation(const struct catalog_source *source)
{
	return atomic_load(&source->generation);
}

void catalog_source_poke(struct catalog_source *source)
{
	if (source->poke)
		source->poke(source);
}
