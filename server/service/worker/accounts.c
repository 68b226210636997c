/* Resolves account ids to their expected state: profile (cache), tier (catalog), overrides and windows. */
#include "service/worker/accounts.h"

#include <string.h>

bool accounts_init(struct accounts *accounts, struct worker *worker, struct arena *arena,
	const struct snapshot *snapshot, const char *tenant, struct err *err)
{
	*accounts = (struct accounts){.worker = worker, .arena = arena, .tenant = tenant};
	return accounts_renew(accounts, snapshot, err);
}

bool accounts_renew(struct accounts *accounts, const struct snapshot *snapshot, struct err *err)
{
	accounts->catalog = snapshot->catalog;
	accounts->settings = catalog_tenant(snapshot->catalog, accounts->tenant);
	if (!accounts->settings)
		return err_set(
			err, ERR_UNAVAILABLE, "the settings of tenant %s have not been read yet", accounts->tenant);
	accounts->epoch = accounts->settings->epoch;
	return true;
}

/* NULL if neither this request nor the worker's cache knows the account. */
static const struct account_profile *profile_known(struct accounts *accounts, enum account_kind kind, const char *id)
{
	for (int i = 0; i < accounts->learned_count; i++)
		if (accounts->learned[i].kind == kind && strcmp(accounts->learned[i].id, id) == 0)
			return accounts->learned[i].profile;
	return account_cache_get(accounts->worker->cache, kind, accounts->tenant, id, accounts->arena);
}

/*
 * The profile without overrides that have ended. The version stays the same: until the ledger role raises it, a record
 * of the same version keeps its own policy, so a worker whose clock runs ahead disturbs nobody.
 */
static const struct account_profile *profile_now(
	struct accounts *accounts, const struct account_profile *profile, int64_t now_us)
{
	struct account_profile *copy;

	for (int i = 0; i < profile->override_count; i++) {
		if (!limit_ended(&profile->overrides[i], now_us))
			continue;
		copy = profile_copy(accounts->arena, profile);
		profile_drop_ended(copy, now_us);
		return copy;
	}
	return profile;
}

const struct tier *account_tier(const struct catalog *catalog, const char *tenant, enum account_kind kind,
	const struct account_profile *profile)
{
	const struct tier *tier = NULL;

	if (profile->tier[0])
		tier = catalog_tier(catalog, tenant, profile->tier);
	if (!tier && kind == ACCOUNT_USER)
		tier = catalog_tier(catalog, tenant, catalog_tenant(catalog, tenant)->default_tier);
	if (!tier && kind == ACCOUNT_USER)
		tier = catalog_tier(catalog, tenant, "free");
	return tier;
}

static const struct policy *policy_of(struct accounts *accounts, const struct request_account *account, struct err *err)
{
	const struct policy *tier = account->tier ? &account->tier->policy : &accounts->worker->no_limits;
	const struct account_profile *profile = account->profile;
	struct account_cache *cache = accounts->worker->cache;
	uint64_t generation = catalog_generation(accounts->catalog);
	const struct policy *kept;
	struct policy *merged;

	if (!profile->override_count)
		return tier;
	kept = account_cache_policy(
		cache, account->kind, accounts->tenant, account->id, profile, tier, generation, accounts->arena);
	if (kept)
		return kept;
	merged = arena_alloc(accounts->arena, sizeof(*merged));
	/*
	 * Resolve a copy: the profile's limits keep the names as written. A user's own prices may define names of their
	 * own.
	 */
	profile = profile_copy(accounts->arena, profile);
	catalog_limits_resolve(accounts->catalog, accounts->tenant, account->kind == ACCOUNT_USER ? account->id : "",
		profile->overrides, profile->override_count);
	if (!policy_merge(tier, profile->overrides, profile->override_count, merged, err))
		return NULL;
	account_cache_keep_policy(
		cache, account->kind, accounts->tenant, account->id, profile, tier, generation, merged);
	return merged;
}

static bool account_add(struct accounts *accounts, enum account_kind kind, const char *id, struct err *err)
{
	struct request_account *account = &accounts->account[accounts->count];
	int64_t now_us = worker_now_us(accounts->worker);

	static const struct account_profile unknown;
	const struct account_profile *known = profile_known(accounts, kind, id);

	*account = (struct request_account){.kind = kind, .id = id, .remembered = known != NULL};
	account->profile = known ? profile_now(accounts, known, now_us) : &unknown;
	account->tier = account_tier(accounts->catalog, accounts->tenant, kind, account->profile);
	if (account->profile->tier[0] && (!account->tier || strcmp(account->tier->name, account->profile->tier) != 0))
		accounts->tier_missing = true;
	if (kind == ACCOUNT_USER && !account->tier)
		return err_set(err, ERR_UNAVAILABLE, "tenant %s has no tier for user %s", accounts->tenant, id);
	account->policy = policy_of(accounts, account, err);
	if (!account->policy)
		return false;
	windows_or_utc(&account->profile->zone, now_us, &account->windows);
	accounts->count++;
	return true;
}

bool accounts_of_user(struct accounts *accounts, const char *user, const struct model_name *model, struct err *err)
{
	const char *model_account = tenant_model_account(accounts->settings, model);
	const struct account_profile *owner;
	const char *org;

	accounts->count = 0;
	accounts->tier_missing = false;
	if (!account_add(accounts, ACCOUNT_USER, user, err))
		return false;
	owner = accounts->account[0].profile;
	org = owner->org;
	if (owner->team[0]) {
		if (!account_add(accounts, ACCOUNT_TEAM, owner->team, err))
			return false;
		org = accounts->account[1].profile->org;
	}
	if (org[0] && !account_add(accounts, ACCOUNT_ORG, org, err))
		return false;
	/* Copy the id: what is learned about the account is kept under it and may outlive the snapshot that owns it. */
	if (model_account && !account_add(accounts, ACCOUNT_MODEL,
				     arena_strndup(accounts->arena, model_account, strlen(model_account)), err))
		return false;
	if (accounts->settings->has_account && !account_add(accounts, ACCOUNT_TENANT, accounts->tenant, err))
		return false;
	return true;
}

bool accounts_groups_unknown(const struct accounts *accounts)
{
	if (!accounts->count || accounts->account[0].kind != ACCOUNT_USER || accounts->account[0].remembered)
		return false;
	for (int i = 1; i < accounts->count; i++)
		if (accounts->account[i].kind == ACCOUNT_TEAM || accounts->account[i].kind == ACCOUNT_ORG)
			return false;
	return true;
}

bool accounts_of_reservation(struct accounts *accounts, const struct entry_account held[], int count, struct err *err)
{
	accounts->count = 0;
	accounts->tier_missing = false;
	for (int i = 0; i < count && i < ACCOUNTS_MAX; i++)
		if (!account_add(accounts, held[i].kind, held[i].id, err))
			return false;
	return true;
}

void accounts_assume(
	struct accounts *accounts, enum account_kind kind, const char *id, const struct account_profile *profile)
{
	int i = 0;

	while (i < accounts->learned_count &&
		(accounts->learned[i].kind != kind || strcmp(accounts->learned[i].id, id) != 0))
		i++;
	if (i == LEARNED_MAX)
		i = LEARNED_MAX - 1;
	else if (i == accounts->learned_count)
		accounts->learned_count++;
	accounts->learned[i].kind = kind;
	accounts->learned[i].id = id;
	accounts->learned[i].profile = profile;
}

void accounts_learn(
	struct accounts *accounts, enum account_kind kind, const char *id, const struct account_profile *profile)
{
	accounts_assume(accounts, kind, id, profile);
	account_cache_put(accounts->worker->cache, kind, accounts->tenant, id, profile);
}

struct expected account_expect(const struct accounts *accounts, int index)
{
	const struct request_account *account = &accounts->account[index];

	return (struct expected){
		.kind = account->kind,
		.tenant = accounts->tenant,
		.id = account->id,
		.version = account->profile->version,
		.epoch = accounts->epoch,
		.own_policy = account->profile->override_count > 0,
		.policy = account->policy,
		.windows = account->windows,
	};
}

void accounts_expect(const struct accounts *accounts, struct expected expected[ACCOUNTS_MAX])
{
	for (int i = 0; i < accounts->count; i++)
		expected[i] = account_expect(accounts, i);
}

const char *request_tier_name(const struct request_account *account)
{
	return account->tier ? account->tier->name : account->profile->tier;
}
