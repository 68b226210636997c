/*
 * What a worker remembers of accounts, so that a decision needs no PostgreSQL: the profiles of those seen last. Memory is
 * fixed when it is made; the least recently used goes first. What is forgotten, Redis tells again (STALE).
 */
#ifndef BURSAR_SERVICE_ACCOUNT_CACHE_H
#define BURSAR_SERVICE_ACCOUNT_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "domain/account.h"

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
 * The limits of an account with overrides: those of `tier` with the profile's own merged in. Kept beside the profile
 * as long as the tier's content (its pid) stays the same. A copy, in the arena. ERR_INVALID when they do not fit together.
 */
const struct policy *account_cache_policy(struct account_cache *cache, enum account_kind kind, const char *tenant,
	const char *id, const struct account_profile *profile, const struct policy *tier, struct arena *arena,
	struct err *err);

/* A copy of as much of a policy, or of a profile with its overrides, as counts. */
struct policy *policy_copy(struct arena *arena, const struct policy *policy);
struct account_profile *profile_copy(struct arena *arena, const struct account_profile *profile);

#endif
