/*
 * Data of PostgreSQL that every worker has in memory: tenants, tiers, prices. An immutable snapshot, rebuilt when an
 * epoch is raised, shared by all workers, and freed when the last one releases it.
 */
#ifndef BURSAR_STORE_CATALOG_H
#define BURSAR_STORE_CATALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/crypto/signer.h"
#include "base/text/etag.h"
#include "domain/api_key.h"
#include "domain/limit/limit.h"
#include "domain/pool.h"
#include "domain/price/price.h"

enum fail_policy { FAIL_LOCAL = 1, FAIL_OPEN = 2, FAIL_CLOSED = 3 }; /* = bursar.v1.FailPolicy */
enum unknown_users { UNKNOWN_ADMIT = 1, UNKNOWN_REFUSE = 2 };
enum cost_source { COST_PRICE = 1, COST_PROVIDER = 2 };
enum unknown_model { MODEL_REFUSE = 1, MODEL_FALLBACK = 2, MODEL_FREE = 3, MODEL_FAMILY = 4 };

struct tier {
	char name[65];
	struct policy policy;
	int pool_priority, pool_concurrent;
	int64_t default_output_tokens;
	enum fail_policy fail_policy;
	bool shipped;
	char upgrade_to[65];
	char etag[ETAG_SIZE];
	unsigned metric; /* its value in the label set TIER (base/observe/metrics.h) */
};

struct tenant {
	char id[ID_MAX + 1];
	char default_tier[65];
	enum unknown_users unknown_users;
	enum unknown_model unknown_model;
	char fallback_model[ID_MAX + 1];
	char language[16];
	enum cost_source cost_source; /* whose word counts where the provider says what a request cost */
	uint32_t epoch;
	bool has_account; /* an account of kind TENANT exists */
	int model_accounts; /* ids of its accounts of kind MODEL, sorted */
	char (*model_account)[ID_MAX + 1];
	struct tenant_names *names; /* internal: what its model names resolve to */
};

/* The model that a name resolves to. */
struct model_name {
	char provider[ID_MAX + 1]; /* of the price that applies; "": the model has none */
	char model[ID_MAX + 1]; /* the id as its price has it; without a price the name in lower case; "": no model */
	char key[ID_MAX + 1]; /* for comparing models: `model` in lower case */
	uint64_t hash; /* selector_hash of the key */
};

struct catalog;
struct text_table;

/* A tenant without a row gets the settings of `default` under its own id: NULL only without data. */
const struct tenant *catalog_tenant(const struct catalog *catalog, const char *id);
/* The tenant's own tier of that name, else the shipped one; NULL when there is neither. */
const struct tier *catalog_tier(const struct catalog *catalog, const char *tenant, const char *name);
/* The tiers that the tenant sees, in the order of their names: the first one whose name is after `after` ("" = the
 * first); NULL at the end. */
const struct tier *catalog_tier_next(const struct catalog *catalog, const char *tenant, const char *after);
/* The tenant's own templates; NULL when it has none. Nobody else's, not even those of `default`. */
const struct text_table *catalog_texts(const struct catalog *catalog, const char *tenant);
const struct price_book *catalog_prices(const struct catalog *catalog);
/* A pool of the tenant; POOL_DEFAULT exists for every tenant. NULL when there is none of that name. */
const struct pool_settings *catalog_pool(const struct catalog *catalog, const char *tenant, const char *name);
/* Calls `each` for every pool with a row of its own, and for the shipped pools of each tenant with a row. */
void catalog_pools_each(const struct catalog *catalog, void (*each)(const char *tenant, const char *pool));
/* The key with that hash, unless it was revoked; it may have expired since the load. NULL when there is none. */
const struct api_key *catalog_key(const struct catalog *catalog, const uint8_t hash[KEY_HASH_BYTES]);
/* The key of that id, likewise. */
const struct api_key *catalog_key_by_id(const struct catalog *catalog, int64_t id);
/* The public key that begins with these bytes, of a bursard that may have signed sessions; NULL when there is none. */
#define SIGNER_ID_BYTES 8
const uint8_t *catalog_signer_public(const struct catalog *catalog, const uint8_t id[SIGNER_ID_BYTES]);
/* With what this process signs sessions. */
const struct signer *catalog_signer(const struct catalog *catalog);
/* Has any key ever been created? From then on every caller needs one. */
bool catalog_has_keys(const struct catalog *catalog);
/*
 * What a model name resolves to: the model whose price a request of the user ("" = without a user's own prices) would
 * be charged at. A name without a price resolves to the model whose price it is charged (catalog_stand_in), unless the
 * tenant's own tiers or accounts name it, else to itself. The same for limits' selectors, accounts, reports and
 * requests.
 */
void catalog_model(
	const struct catalog *catalog, const char *tenant, const char *user, const char *name, struct model_name *out);
/*
 * The price at which the tenant's settings let a model without a price run: its family's, or the fallback model's. NULL:
 * there is none. With MODEL_FREE and MODEL_FALLBACK the model runs all the same, with the others it is refused.
 */
const struct price *catalog_stand_in(const struct catalog *catalog, const struct tenant *settings, const char *tenant,
	const char *user, const char *name, int64_t at_us);
/* Makes each limit that names a model count requests for what the name resolves to; seal the limits' policy afterwards. */
void catalog_limits_resolve(
	const struct catalog *catalog, const char *tenant, const char *user, struct limit *limits, int count);
/* The id of the account on which requests for the model count: that of the model at this provider, else of the model.
 * NULL: none. */
const char *tenant_model_account(const struct tenant *tenant, const struct model_name *name);
/* The id of the account for the model that `id`, any of its names, resolves to, whether it exists or not. In the arena. */
const char *catalog_model_account_id(
	const struct catalog *catalog, const char *tenant, const char *id, struct arena *arena);
/* The time as of which names are resolved: moves forward when a price begins or ends. */
int64_t catalog_names_at(const struct catalog *catalog);
/* The durable store's generation that the snapshot shows: it includes every change up to that generation. */
int64_t catalog_stored(const struct catalog *catalog);
/* Increases with each change of anything in the catalog. */
uint64_t catalog_generation(const struct catalog *catalog);

/* The newest snapshot, with a reference for the caller; NULL before the first load. Any thread. */
struct catalog_source;
struct catalog *catalog_acquire(struct catalog_source *source);
void catalog_release(struct catalog *catalog);
/* The current generation: cheap (one atomic load), for deciding per request whether to acquire again. Any thread. */
uint64_t catalog_source_generation(const struct catalog_source *source);
/* Asks the loader to look for changes now, after a change was made. Any thread. */
void catalog_source_poke(struct catalog_source *source);

#endif
