/* Converts an account's use in PostgreSQL to the states that its record in the store starts with. */
#ifndef BURSAR_SERVICE_WORKER_SEED_H
#define BURSAR_SERVICE_WORKER_SEED_H

#include "domain/limit/account.h"
#include "store/accounts.h"
#include "store/catalog.h"

/*
 * Resolves model names as of today: when an alias changes, past use moves along with the requests. `catalog` has the
 * tenant's names; `user` is the user whose own prices apply, "" for a shared account.
 */
void seed_resolve_models(
	const struct catalog *catalog, const char *tenant, const char *user, struct usage_window *window, int count);

/* The starts of the windows that run at now_us: by the calendar, or the account's last reset. */
void seed_starts(
	const struct windows *windows, const struct account_found *found, int64_t now_us, int64_t starts[WINDOW_COUNT]);

/*
 * Fills `limits` in the policy's order: calendar counters of the windows that begin at `starts`, buckets converted to
 * the policy's rates, and nothing held.
 */
void seed_states(const struct policy *policy, const struct account_found *found, const int64_t starts[WINDOW_COUNT],
	int64_t now_us, union limit_state limits[LIMITS_MAX]);

/* The index of an account in a lookup; -1 if it was not looked up. */
int lookup_index(const struct account_lookup *lookup, enum account_kind kind, const char *id);

#endif
