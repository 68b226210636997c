/* From what PostgreSQL knows of an account's use to the states its record in the store begins with. */
#ifndef BURSAR_SERVICE_WORKER_SEED_H
#define BURSAR_SERVICE_WORKER_SEED_H

#include "domain/limit/account.h"
#include "store/accounts.h"
#include "store/catalog.h"

/*
 * What was counted under a name counts as what the name leads to today: another alias moves the use along with the requests.
 * `catalog`: of the tenant's names; `user`: whose prices count, "" for a shared account.
 */
void seed_resolve_models(
	const struct catalog *catalog, const char *tenant, const char *user, struct usage_window *window, int count);

/* Where the windows that run at now_us start: where the calendar has them, or at the account's last reset. */
void seed_starts(
	const struct windows *windows, const struct account_found *found, int64_t now_us, int64_t starts[WINDOW_COUNT]);

/*
 * `limits` in the order of the policy: calendar counters of the windows that start there, buckets converted to the policy's rates,
 * nothing held.
 */
void seed_states(const struct policy *policy, const struct account_found *found, const int64_t starts[WINDOW_COUNT],
	int64_t now_us, union limit_state limits[LIMITS_MAX]);

/* Where an account stands in a lookup; -1 when it was not looked up. */
int lookup_index(const struct account_lookup *lookup, enum account_kind kind, const char *id);

#endif
