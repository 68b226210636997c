/* The accounts that a request counts on, and what is expected of each: the expected of a call to the store. */
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
	bool remembered; /* the profile was in the cache, or was learned by this request */
	const struct tier *tier; /* NULL: a shared account without one */
	const struct policy *policy;
	struct windows windows;
};

#define LEARNED_MAX 16

/* Embedded by a use case. Everything it points to lies in the arena or in the snapshot. */
struct accounts {
	struct worker *worker;
	struct arena *arena;
	const struct catalog *catalog;
	const struct tenant *settings;
	const char *tenant;
	uint32_t epoch;
	int count;
	struct request_account account[ACCOUNTS_MAX];
	int adoptions; /* how often this request had limits seeded */
	bool tier_missing; /* an account is on a tier that this snapshot does not have: a newer one will */
	/* Profiles this request has seen: what the cache forgets meanwhile is not forgotten here. */
	int learned_count;
	struct {
		enum account_kind kind;
		const char *id;
		const struct account_profile *profile;
	} learned[LEARNED_MAX];
};

/* `tenant` outlives it. ERR_UNAVAILABLE when the catalog does not know the tenant's settings. */
bool accounts_init(struct accounts *accounts, struct worker *worker, struct arena *arena,
	const struct snapshot *snapshot, const char *tenant, struct err *err);

/* The same with a newer snapshot; what was learned stays. */
bool accounts_renew(struct accounts *accounts, const struct snapshot *snapshot, struct err *err);

/*
 * The accounts of a request as they are expected to be now: the user, his team, its org, the model's account, the
 * tenant, as far as they exist. `model` may be none, and is of this snapshot. Called again after something was learned.
 */
bool accounts_of_user(struct accounts *accounts, const char *user, const struct model_name *model, struct err *err);

/* Exactly these accounts: those of a reservation. */
bool accounts_of_reservation(struct accounts *accounts, const struct entry_account held[], int count, struct err *err);

/* A profile that was learned: for the following calls, and for the worker's cache. */
void accounts_learn(
	struct accounts *accounts, enum account_kind kind, const char *id, const struct account_profile *profile);

/* For the following calls alone. */
void accounts_assume(
	struct accounts *accounts, enum account_kind kind, const char *id, const struct account_profile *profile);

/* Is the user a stranger, of whom nobody could say in which team or org they are? */
bool accounts_groups_unknown(const struct accounts *accounts);

struct expected account_expect(const struct accounts *accounts, int index);
void accounts_expect(const struct accounts *accounts, struct expected expected[ACCOUNTS_MAX]);

/* The tier's name, for people: "" for a shared account without one. */
const char *request_tier_name(const struct request_account *account);

/*
 * The tier that an account counts by. A user always has one: his own, else the tenant's default, also when his own is gone; NULL only
 * where the catalog has no tiers. The tenant's settings have been read. A shared account without a tier has NULL.
 */
const struct tier *account_tier(const struct catalog *catalog, const char *tenant, enum account_kind kind,
	const struct account_profile *profile);

#endif
