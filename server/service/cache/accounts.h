/*
 * A worker's cache of account profiles, so that a decision needs no PostgreSQL. Its memory is allocated at creation,
 * and the least recently used account is evicted first. For an evicted account, Redis returns the profile again
 * (STALE).
 */
#ifndef BURSAR_SERVICE_CACHE_ACCOUNTS_H
#define BURSAR_SERVICE_CACHE_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "domain/limit/account.h"

struct account_cache;

/* Room for `entries` accounts (at least 16), of which one in 64 (at least 16) may have overrides. */
struct account_cache *account_cache_new(int64_t entries);
void account_cache_free(struct account_cache *cache);

/* A copy of the profile, in the arena; NULL if it is not in the cache. */
const struct account_profile *account_cache_get(
	struct account_cache *cache, enum account_kind kind, const char *tenant, const char *id, struct arena *arena);

/* Stores a copy, unless a newer version is already cached. */
void account_cache_put(struct account_cache *cache, enum account_kind kind, const char *tenant, const char *id,
	const struct account_profile *profile);

void account_cache_forget(struct account_cache *cache, enum account_kind kind, const char *tenant, const char *id);

/*
 * The merged limits of an account with overrides, for this profile, this content of the tier (its pid) and this
 * generation of the catalog, by which the models that limits name are resolved. A copy, in the arena; NULL if they must
 * be merged.
 */
const struct policy *account_cache_policy(struct account_cache *cache, enum account_kind kind, const char *tenant,
	const char *id, const struct account_profile *profile, const struct policy *tier, uint64_t generation,
	struct arena *arena);

/* Stores merged limits if this version of the profile is cached with its overrides. */
void account_cache_keep_policy(struct account_cache *cache, enum account_kind kind, const char *tenant, const char *id,
	const struct account_profile *profile, const struct policy *tier, uint64_t generation,
	const struct policy *merged);

/* Copies of a policy (only the limits in use) and of a profile with its overrides, in the arena. */
struct policy *policy_copy(struct arena *arena, const struct policy *policy);
struct account_profile *profile_copy(struct arena *arena, const struct account_profile *profile);

#endif
