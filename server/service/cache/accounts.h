/*
 * What a worker remembers of accounts, so that a decision needs no PostgreSQL: the profiles of those seen last. Memory is
 * fixed when it is made; the least recently used goes first. What is forgotten, Redis tells again (STALE).
 */
#ifndef BURSAR_SERVICE_CACHE_ACCOUNTS_H
#define BURSAR_SERVICE_CACHE_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "domain/limit/account.h"

struct account_cache;

/* Room for `entries` accounts (16 or more), one in 64 of which (16 at least) may have limits of its own. */
struct account_cache *account_cache_new(int64_t entries);
void account_cache_free(struct account_cache *cache);

/* A copy of the profile, in the arena; NULL when it is not known. */
const struct account_profile *account_cache_get(
	struct account_cache *cache, enum account_kind kind, const char *tenant, const char *id, struct arena *arena);

/* Remembers a copy, unless a newer version is known already. */
void account_cache_put(struct account_cache *cache, enum account_kind kind, const char *tenant, const char *id,
	const struct account_profile *profile);

void account_cache_forget(struct account_cache *cache, enum account_kind kind, const char *tenant, const char *id);

/*
 * The limits of an account with overrides, as they were merged: of this profile, this content of the tier (its pid), this generation of
 * the catalog, which says what the models that limits name lead to. A copy, in the arena; NULL: to be merged.
 */
const struct policy *account_cache_policy(struct account_cache *cache, enum account_kind kind, const char *tenant,
	const char *id, const struct account_profile *profile, const struct policy *tier, uint64_t generation,
	struct arena *arena);

/* Keeps what was merged, if the profile is known. */
void account_cache_keep_policy(struct account_cache *cache, enum account_kind kind, const char *tenant, const char *id,
	const struct account_profile *profile, const struct policy *tier, uint64_t generation,
	const struct policy *merged);

/* A copy of as much of a policy, or of a profile with its overrides, as counts. */
struct policy *policy_copy(struct arena *arena, const struct policy *policy);
struct account_profile *profile_copy(struct arena *arena, const struct account_profile *profile);

#endif
