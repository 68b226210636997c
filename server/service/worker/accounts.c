/* From ids to beliefs: profile (cache), tier (catalog), own limits, windows. */
#include "service/worker/accounts.h"

#include <string.h>

bool parties_init(struct parties *parties, struct worker *worker, struct arena *arena, const struct snapshot *snapshot,
	const char *tenant, struct err *err)
{
	*parties = (struct parties){.worker = worker, .arena = arena, .tenant = tenant};
	return parties_renew(parties, snapshot, err);
}

bool parties_renew(struct parties *parties, const struct snapshot *snapshot, struct err *err)
{
	parties->catalog = snapshot->catalog;
	parties->settings = catalog_tenant(snapshot->catalog, parties->tenant);
	if (!parties->settings)
		return err_set(
			err, ERR_UNAVAILABLE, "the settings of tenant %s have not been read yet", parties->tenant);
	parties->epoch = parties->settings->epoch;
	return true;
}

/* NULL when nothing is known of the account. */
static const struct account_profile *profile_known(struct parties *parties, enum account_kind kind, const char *id)
{
	for (int i = 0; i < parties->learned_count; i++)
		if (parties->learned[i].kind == kind && strcmp(parties->learned[i].id, id) == 0)
			return parties->learned[i].profile;
	return account_cache_get(parties->worker->cache, kind, parties->tenant, id, parties->arena);
}

/*
 * Without the overrides that have ended. The version stays: until the ledger role has raised it, a record of the same
 * version goes on by its own policy, so a worker whose clock runs ahead is in nobody's way.
 */
static const struct account_profile *profile_now(
	struct parties *parties, const struct account_profile *profile, int64_t now_us)
{
	struct account_profile *copy;

	for (int i = 0; i < profile->override_count; i++) {
		if (!limit_ended(&profile->overrides[i], now_us))
			continue;
		copy = profile_copy(parties->arena, profile);
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

static const struct policy *policy_of(struct parties *parties, const struct party *party, struct err *err)
{
	const struct policy *tier = party->tier ? &party->tier->policy : &parties->worker->no_limits;
	const struct account_profile *profile = party->profile;
	struct account_cache *cache = parties->worker->cache;
	uint64_t generation = catalog_generation(parties->catalog);
	const struct policy *kept;
	struct policy *merged;

	if (!profile->override_count)
		return tier;
	kept = account_cache_policy(
		cache, party->kind, parties->tenant, party->id, profile, tier, generation, parties->arena);
	if (kept)
		return kept;
	merged = arena_alloc(parties->arena, sizeof(*merged));
	/* A copy: what the profile's limits name stays what was written. A user's own prices may have names of their own. */
	profile = profile_copy(parties->arena, profile);
	catalog_limits_resolve(parties->catalog, parties->tenant, party->kind == ACCOUNT_USER ? party->id : "",
		profile->overrides, profile->override_count);
	if (!policy_merge(tier, profile->overrides, profile->override_count, merged, err))
		return NULL;
	account_cache_keep_policy(cache, party->kind, parties->tenant, party->id, profile, tier, generation, merged);
	return merged;
}

static bool party_add(struct parties *parties, enum account_kind kind, const char *id, struct err *err)
{
	struct party *party = &parties->party[parties->count];
	int64_t now_us = worker_now_us(parties->worker);

	static const struct account_profile unknown;
	const struct account_profile *known = profile_known(parties, kind, id);

	*party = (struct party){.kind = kind, .id = id, .remembered = known != NULL};
	party->profile = known ? profile_now(parties, known, now_us) : &unknown;
	party->tier = account_tier(parties->catalog, parties->tenant, kind, party->profile);
	if (party->profile->tier[0] && (!party->tier || strcmp(party->tier->name, party->profile->tier) != 0))
		parties->tier_missing = true;
	if (kind == ACCOUNT_USER && !party->tier)
		return err_set(err, ERR_UNAVAILABLE, "tenant %s has no tier for user %s", parties->tenant, id);
	party->policy = policy_of(parties, party, err);
	if (!party->policy)
		return false;
	windows_or_utc(&party->profile->zone, now_us, &party->windows);
	parties->count++;
	return true;
}

bool parties_of_user(struct parties *parties, const char *user, const struct model_name *model, struct err *err)
{
	const char *model_account = tenant_model_account(parties->settings, model);
	const struct account_profile *owner;
	const char *org;

	parties->count = 0;
	parties->tier_missing = false;
	if (!party_add(parties, ACCOUNT_USER, user, err))
		return false;
	owner = parties->party[0].profile;
	org = owner->org;
	if (owner->team[0]) {
		if (!party_add(parties, ACCOUNT_TEAM, owner->team, err))
			return false;
		org = parties->party[1].profile->org;
	}
	if (org[0] && !party_add(parties, ACCOUNT_ORG, org, err))
		return false;
	/* A copy: what is learned of the account is remembered by its id, also after the snapshot that had it. */
	if (model_account && !party_add(parties, ACCOUNT_MODEL,
				     arena_strndup(parties->arena, model_account, strlen(model_account)), err))
		return false;
	if (parties->settings->has_account && !party_add(parties, ACCOUNT_TENANT, parties->tenant, err))
		return false;
	return true;
}

bool parties_groups_unknown(const struct parties *parties)
{
	if (!parties->count || parties->party[0].kind != ACCOUNT_USER || parties->party[0].remembered)
		return false;
	for (int i = 1; i < parties->count; i++)
		if (parties->party[i].kind == ACCOUNT_TEAM || parties->party[i].kind == ACCOUNT_ORG)
			return false;
	return true;
}

bool parties_of_accounts(struct parties *parties, const struct entry_account *accounts, int count, struct err *err)
{
	parties->count = 0;
	parties->tier_missing = false;
	for (int i = 0; i < count && i < ACCOUNTS_MAX; i++)
		if (!party_add(parties, accounts[i].kind, accounts[i].id, err))
			return false;
	return true;
}

void parties_assume(
	struct parties *parties, enum account_kind kind, const char *id, const struct account_profile *profile)
{
	int i = 0;

	while (i < parties->learned_count &&
		(parties->learned[i].kind != kind || strcmp(parties->learned[i].id, id) != 0))
		i++;
	if (i == LEARNED_MAX)
		i = LEARNED_MAX - 1;
	else if (i == parties->learned_count)
		parties->learned_count++;
	parties->learned[i].kind = kind;
	parties->learned[i].id = id;
	parties->learned[i].profile = profile;
}

void parties_learn(
	struct parties *parties, enum account_kind kind, const char *id, const struct account_profile *profile)
{
	parties_assume(parties, kind, id, profile);
	account_cache_put(parties->worker->cache, kind, parties->tenant, id, profile);
}

struct belief parties_belief(const struct parties *parties, int index)
{
	const struct party *party = &parties->party[index];

	return (struct belief){
		.kind = party->kind,
		.tenant = parties->tenant,
		.id = party->id,
		.version = party->profile->version,
		.epoch = parties->epoch,
		.own_policy = party->profile->override_count > 0,
		.policy = party->policy,
		.windows = party->windows,
	};
}

void parties_beliefs(const struct parties *parties, struct belief beliefs[ACCOUNTS_MAX])
{
	for (int i = 0; i < parties->count; i++)
		beliefs[i] = parties_belief(parties, i);
}

const char *party_tier_name(const struct party *party)
{
	return party->tier ? party->tier->name : party->profile->tier;
}
