/*
 * Resolves any name of a model to the one under which limits, accounts and reports know it: the id of the price that
 * the name resolves to, whichever provider serves it. Both sides of every comparison use this, so a new alias changes
 * both at once.
 */
#include "store/catalog_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/observe/log.h"
#include "domain/limit/name.h"
#include "domain/price/price_family.h"

enum { KEY_MAX = 2 * ID_MAX + 1 }; /* "provider/model" */

/* An account, and the key of the requests that count on it. */
struct named_account {
	char key[KEY_MAX + 1];
	const char *id; /* points into the tenant's list */
	bool by_its_name; /* the id is the key */
};

struct tenant_names {
	int accounts, own;
	struct named_account *account; /* by key; of several with one key, the one that counts comes first */
	char (*own_key)[ID_MAX + 1]; /* names without a price used in the tenant's tiers and accounts, sorted */
};

static int compare_keys(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int compare_accounts(const void *a, const void *b)
{
	const struct named_account *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	if (order == 0)
		order = y->by_its_name - x->by_its_name;
	return order ? order : strcmp(x->id, y->id);
}

static const struct price *priced_as(
	const struct catalog *catalog, const char *tenant, const char *user, const char *name)
{
	const struct price_book *book = catalog_prices(catalog);

	return book && name[0] ? price_find(book, tenant, user, name, catalog_names_at(catalog)) : NULL;
}

static bool is_own(const struct tenant *settings, const char *key)
{
	const struct tenant_names *names = settings->names;

	return names && names->own > 0 &&
	       bsearch(key, names->own_key, (size_t)names->own, sizeof(*names->own_key), compare_keys);
}

static void put_text(char to[ID_MAX + 1], const char *from)
{
	memcpy(to, from, strlen(from) + 1);
}

const struct price *catalog_stand_in(const struct catalog *catalog, const struct tenant *settings, const char *tenant,
	const char *user, const char *name, int64_t at_us)
{
	const struct price_book *book = catalog_prices(catalog);
	const struct price *price = NULL;

	if (!book || (settings->unknown_model != MODEL_FALLBACK && settings->unknown_model != MODEL_FAMILY))
		return NULL;
	if (settings->unknown_model == MODEL_FAMILY)
		price = price_find_family(book, tenant, user, name, at_us);
	if (!price && settings->fallback_model[0])
		price = price_find(book, tenant, user, settings->fallback_model, at_us);
	return price;
}

void catalog_model(
	const struct catalog *catalog, const char *tenant, const char *user, const char *name, struct model_name *out)
{
	const struct tenant *settings = catalog_tenant(catalog, tenant);
	const struct price *price = priced_as(catalog, tenant, user, name);
	char key[ID_MAX + 1];

	if (!price) {
		model_fold(name, key);
		if (key[0] && !is_own(settings, key))
			price = catalog_stand_in(catalog, settings, tenant, user, name, catalog_names_at(catalog));
	}
	put_text(out->provider, price ? price->provider : "");
	put_text(out->model, price ? price->model : key);
	model_fold(out->model, out->key);
	out->hash = selector_hash(out->key, strlen(out->key));
}

void catalog_limits_resolve(
	const struct catalog *catalog, const char *tenant, const char *user, struct limit *limits, int count)
{
	struct model_name name;

	for (int i = 0; i < count; i++) {
		if (!limits[i].model[0])
			continue;
		catalog_model(catalog, tenant, user, limits[i].model, &name);
		limit_model_is(&limits[i], name.key);
	}
}

static void key_with_provider(const struct model_name *name, char out[KEY_MAX + 1])
{
	char provider[ID_MAX + 1];
	size_t len;

	model_fold(name->provider, provider);
	len = strlen(provider);
	memcpy(out, provider, len);
	out[len] = '/';
	memcpy(out + len + 1, name->key, strlen(name->key) + 1);
}

/* The first of the tenant's accounts with that key; NULL when there is none. */
static const char *account_find(const struct tenant *tenant, const char *key)
{
	const struct tenant_names *names = tenant->names;
	int low = 0, high = names ? names->accounts : 0;

	while (low < high) {
		int middle = low + (high - low) / 2;

		if (strcmp(names->account[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return names && low < names->accounts && strcmp(names->account[low].key, key) == 0 ? names->account[low].id
											   : NULL;
}

const char *tenant_model_account(const struct tenant *tenant, const struct model_name *name)
{
	const char *found = NULL;
	char key[KEY_MAX + 1];

	if (!tenant || !name->key[0])
		return NULL;
	if (name->provider[0]) {
		key_with_provider(name, key);
		found = account_find(tenant, key);
	}
	return found ? found : account_find(tenant, name->key);
}

/* Does the id name the model at one provider, when several have it? */
static bool names_provider(
	const struct catalog *catalog, const char *tenant, const char *id, const struct model_name *name)
{
	size_t len = strlen(name->provider);

	return len && strncmp(id, name->provider, len) == 0 && id[len] == '/' &&
	       price_has_providers(catalog_prices(catalog), tenant, name->model, catalog_names_at(catalog));
}

const char *catalog_model_account_id(
	const struct catalog *catalog, const char *tenant, const char *id, struct arena *arena)
{
	struct model_name name;
	char key[KEY_MAX + 1];
	const char *found;
	bool one_provider;

	catalog_model(catalog, tenant, "", id, &name);
	one_provider = names_provider(catalog, tenant, id, &name);
	if (one_provider)
		key_with_provider(&name, key);
	else
		put_text(key, name.key);
	found = account_find(catalog_tenant(catalog, tenant), key);
	if (found)
		return arena_strndup(arena, found, strlen(found));
	return one_provider ? arena_printf(arena, "%s/%s", name.provider, name.model)
			    : arena_strndup(arena, name.model, strlen(name.model));
}

static void account_name(
	const struct catalog *catalog, const struct tenant *tenant, const char *id, struct named_account *out)
{
	struct model_name name;
	char key[ID_MAX + 1];

	catalog_model(catalog, tenant->id, "", id, &name);
	if (names_provider(catalog, tenant->id, id, &name))
		key_with_provider(&name, out->key);
	else
		put_text(out->key, name.key);
	model_fold(id, key);
	out->id = id;
	out->by_its_name = strcmp(key, out->key) == 0;
}

static void accounts_make(const struct catalog *catalog, struct tenant *tenant)
{
	struct tenant_names *names = tenant->names;

	names->account = mem_zalloc((size_t)tenant->model_accounts + 1, sizeof(*names->account));
	for (int i = 0; i < tenant->model_accounts; i++)
		account_name(catalog, tenant, tenant->model_account[i], &names->account[i]);
	names->accounts = tenant->model_accounts;
	qsort(names->account, (size_t)names->accounts, sizeof(*names->account), compare_accounts);
	for (int i = 1; i < names->accounts; i++)
		if (strcmp(names->account[i].key, names->account[i - 1].key) == 0)
			log_warn("two accounts name the same model; the first counts", F("tenant", tenant->id),
				F("first", names->account[i - 1].id), F("second", names->account[i].id));
}

static void own_add(const struct catalog *catalog, struct tenant *tenant, const char *name)
{
	struct tenant_names *names = tenant->names;

	if (!name[0] || priced_as(catalog, tenant->id, "", name))
		return;
	model_fold(name, names->own_key[names->own++]);
}

/* The first of the tenant's own tiers, which are sorted by tenant. */
static int first_tier(const struct catalog_parts *parts, const char *tenant)
{
	int low = 0, high = parts->tiers;

	while (low < high) {
		int middle = low + (high - low) / 2;

		if (strcmp(parts->tier[middle].tenant, tenant) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * For tenants where names without a price count as another model: lists the exceptions, which are the names in the
 * tenant's own tiers and accounts. A limit on a model that has no price yet must not become one on that other model.
 */
static void own_make(const struct catalog *catalog, const struct catalog_parts *parts, struct tenant *tenant)
{
	int first = first_tier(parts, tenant->id), end = first;
	size_t most = (size_t)tenant->model_accounts + 1;

	if (tenant->unknown_model != MODEL_FALLBACK && tenant->unknown_model != MODEL_FAMILY)
		return;
	for (; end < parts->tiers && strcmp(parts->tier[end].tenant, tenant->id) == 0; end++)
		most += (size_t)parts->tier[end].tier.policy.count;
	tenant->names->own_key = mem_zalloc(most, sizeof(*tenant->names->own_key));
	for (int i = 0; i < tenant->model_accounts; i++)
		own_add(catalog, tenant, tenant->model_account[i]);
	for (int i = first; i < end; i++) {
		const struct policy *policy = &parts->tier[i].tier.policy;

		for (int k = 0; k < policy->count; k++)
			own_add(catalog, tenant, policy->limits[k].model);
	}
	qsort(tenant->names->own_key, (size_t)tenant->names->own, sizeof(*tenant->names->own_key), compare_keys);
}

static void tenant_names_make(const struct catalog *catalog, const struct catalog_parts *parts, struct tenant *tenant)
{
	tenant->names = mem_zalloc(1, sizeof(*tenant->names));
	own_make(catalog, parts, tenant);
	accounts_make(catalog, tenant);
}

void catalog_names_make(const struct catalog *catalog, struct catalog_parts *parts, struct tenant *other)
{
	for (int i = 0; i < parts->tenants; i++)
		tenant_names_make(catalog, parts, &parts->tenant[i]);
	tenant_names_make(catalog, parts, other);
	/* Shipped tiers name no models, so any tenant's names will do. */
	for (int i = 0; i < parts->tiers; i++) {
		struct policy *policy = &parts->tier[i].tier.policy;

		catalog_limits_resolve(catalog, parts->tier[i].tenant, "", policy->limits, policy->count);
		policy_seal(policy);
	}
}

void tenant_names_free(struct tenant *tenant)
{
	if (!tenant->names)
		return;
	free(tenant->names->account);
	free(tenant->names->own_key);
	free(tenant->names);
	tenant->names = NULL;
}
