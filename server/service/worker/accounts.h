/* The accounts that a request counts against, and the expected state of each for a call to the store. */
#ifndef BURSAR_SERVICE_WORKER_ACCOUNTS_H
#define BURSAR_SERVICE_WORKER_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/record/entry.h"
#include "service/worker/worker.h"

struct request_account {
	enum account_kind kind;
	const char *id;
	const struct account_profile *profile;
	bool remembered; /* the profile was in the cache or was learned by this request */
	const struct tier *tier; /* NULL: a shared account without a tier */
	const struct policy *policy;
	struct windows windows;
};

#define LEARNED_MAX 16

/* Embedded in a use case. Everything it points to is in the arena or in the snapshot. */
struct accounts {
	struct worker *worker;
	struct arena *arena;
	const struct catalog *catalog;
	const struct tenant *settings;
	const char *tenant;
	uint32_t epoch;
	int count;
	struct request_account account[ACCOUNTS_MAX];
	int adoptions; /* how many times this request has had limits seeded */
	bool tier_missing; /* an account is on a tier that only a newer snapshot has */
	/* Profiles that this request has seen. They stay here even if the cache evicts them in the meantime. */
	int learned_count;
	struct {
		enum account_kind kind;
		const char *id;
		const struct account_profile *profile;
	} learned[LEARNED_MAX];
};

/* `tenant` must outlive `accounts`. ERR_UNAVAILABLE if the catalog does not know the tenant's settings. */
bool accounts_init(struct accounts *accounts, struct worker *worker, struct arena *arena,
	const struct snapshot *snapshot, const char *tenant, struct err *err);

/* Switches to a newer snapshot; keeps what was learned. */
bool accounts_renew(struct accounts *accounts, const struct snapshot *snapshot, struct err *err);

/*
 * Fills in the accounts of a request in their expected state: the user, their team, its org, the model's account and
 * the tenant, as far as they exist. `model` is resolved by this snapshot and may be empty. Call again after learning a
 * profile.
 */
bool accounts_of_user(struct accounts *accounts, const char *user, const struct model_name *model, struct err *err);

/* Fills in exactly these accounts: those of a reservation. */
bool accounts_of_reservation(struct accounts *accounts, const struct entry_account held[], int count, struct err *err);

/* Records a profile for the calls that follow and in the worker's cache. */
void accounts_learn(
	struct accounts *accounts, enum account_kind kind, const char *id, const struct account_profile *profile);

/* Records a profile for the calls that follow only. */
void accounts_assume(
	struct accounts *accounts, enum account_kind kind, const char *id, const struct account_profile *profile);

/* True if the user is unknown, so that their team and org cannot be determined. */
bool accounts_groups_unknown(const struct accounts *accounts);

struct expected account_expect(const struct accounts *accounts, int index);
void accounts_expect(const struct accounts *accounts, struct expected expected[ACCOUNTS_MAX]);

/* The tier's name for display; "" for a shared account without a tier. */
const char *request_tier_name(const struct request_account *account);

/*
 * The tier that applies to an account. A user always has one: their own or, if they have none or theirs no longer
 * exists, the tenant's default; NULL only if the catalog has no tiers. NULL for a shared account without a tier. The
 * catalog must contain the tenant's settings.
 */
const struct tier *account_tier(const struct catalog *catalog, const char *tenant, enum account_kind kind,
	const struct account_profile *profile);

#endif
