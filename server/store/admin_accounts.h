/* What admins change and query about accounts; and the common part of all jobs in store/admin.h. */
#ifndef BURSAR_STORE_ADMIN_ACCOUNTS_H
#define BURSAR_STORE_ADMIN_ACCOUNTS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text/etag.h"
#include "domain/limit/account.h"
#include "domain/limit/amounts.h"

struct admin_job {
	struct arena *arena; /* the call's; the store's thread allocates results here while the caller waits */
	void (*done)(struct admin_job *job);
	const char *actor, *reason; /* for the audit log */
	const char
		*if_match; /* a list of etags (base/text/etag.h): refuse to change any other state; NULL: change any */
	int64_t deadline_us; /* clock_mono_us; 0: the store's default */
	int64_t generation; /* out, after a change of the catalog: catalogs of this generation (catalog_stored) or later show it */
	char etag[ETAG_SIZE]; /* out, after a change: of the new state */
	bool ok;
	struct err err;
	void *impl[4];
};

struct account_key {
	enum account_kind kind;
	const char *tenant, *id;
};
struct account_row {
	struct account_key key;
	bool known;
	bool pending; /* a policy change that Redis has not confirmed */
	struct account_profile profile;
	const char *suspended_reason;
	int64_t created_at_us, updated_at_us;
	char etag[ETAG_SIZE]; /* "": not read */
};

struct account_get {
	struct admin_job job;
	struct account_key key;
	struct account_row row;
};

/* Changes an account in one transaction: the store reads the row (or makes a new one), calls `change` on its own thread
 * (pure: edits or refuses), and writes the result with version + 1. */
struct account_change {
	struct admin_job job;
	struct account_key key;
	bool (*change)(struct account_change *op, struct account_row *row, struct err *err);
	bool unused; /* the deciding store has no record of it: if there is no row either, nothing has been counted */
	int64_t seen_us; /* the latest time at which that store decided on it; 0 = unknown */
	int64_t now_us; /* the best estimate of that store's clock, and no earlier than seen_us */
	struct account_row row; /* out: as committed */
};
/* The result of repeating a change of an account, for all its versions up to this one. */
struct policy_note {
	struct account_key key;
	uint32_t version;
	int64_t again_us; /* 0: Redis has it, so the note is dropped. Else the delay until the next attempt. */
};
struct account_confirm {
	struct admin_job job;
	int count;
	const struct policy_note *note;
};

struct named_use {
	const char *name;
	struct amounts use;
};

/*
 * How many users share each account: a team's users; an org's users and those of its teams; for a model or a tenant,
 * the tenant's users. Counts up to SHARED_MAX.
 */
#define SHARED_KEYS_MAX 32
#define SHARED_MAX 10000
struct shared_counts {
	struct admin_job job;
	int count;
	struct account_key key[SHARED_KEYS_MAX];
	int64_t users[SHARED_KEYS_MAX]; /* out */
};
/* The users who used most of a team's or an org's account since `from_us` (its UTC day), by cost, among those who share
 * it now. */
struct shared_users {
	struct admin_job job;
	struct account_key key;
	int64_t from_us;
	int limit;
	int count;
	struct named_use *user;
};

/*
 * Replaces a deleted user's id by a pseudonym everywhere, in one transaction. ERR_NOT_FOUND; ERR_PRECONDITION when the
 * user is not (or no longer) deleted. No entry about them may be on its way to the ledger.
 */
#define ERASED_PREFIX "erased-"
struct account_erase {
	struct admin_job job;
	struct account_key key; /* of a user */
	char pseudonym[48]; /* out */
};

/* Accounts with an override that has ended by now_us: those of up to `limit` such overrides, earliest ends first. */
struct override_ends {
	struct admin_job job;
	int64_t now_us;
	int limit;
	int count;
	struct account_key *key;
};

/* The states of AccountState (admin.proto), with its numbers. */
enum account_state_wanted {
	WANTED_PRESENT = 0, /* all except deleted ones */
	WANTED_ACTIVE = 1,
	WANTED_SUSPENDED = 2,
	WANTED_BYPASSED = 3,
	WANTED_GRACE = 4,
	WANTED_DELETED = 5,
	WANTED_PENDING = 6,
	WANTED_ANY = 7
};
/* Accounts that match everything that is set; empty texts and times of 0 are not set. */
struct account_filter {
	const char *tier, *id_prefix, *team, *org;
	enum account_state_wanted state;
	bool has_overrides;
	int64_t created_since_us, updated_since_us;
	int64_t now_us; /* for WANTED_ACTIVE, WANTED_GRACE */
};

/* One of the accounts of accounts_change. */
struct changed_account {
	struct account_row before, row; /* `row`: as it would become, or as committed */
	bool failed; /* `change` refused: see err */
	bool unknown; /* failed, because the account was never created or used */
	bool differs; /* if not, it has these settings already and was left alone */
	struct err err;
};
/*
 * Changes the next accounts of many, in the order of ids, in one transaction: those after `after` that match the
 * filter, or those listed in `id`. `change` is called for each as in account_change; accounts that it refuses or leaves
 * the same are not written.
 */
struct accounts_change {
	struct admin_job job;
	const char *tenant;
	enum account_kind kind;
	const struct account_filter *filter; /* NULL: those listed in `id` */
	const char *after;
	int limit;
	const char *const *id; /* sorted, without duplicates */
	int ids;
	bool dry_run; /* nothing is written */
	bool known_only; /* an id without a row fails */
	bool limits; /* `change` changes the accounts' own limits */
	const char *tier; /* the tier that `change` moves them to; "" = none */
	bool (*change)(struct accounts_change *op, struct account_row *row, bool *differs, struct err *err);
	/* out */
	int count, changed;
	struct changed_account *account;
	bool more; /* after `last` */
	const char *last; /* the last id processed; "" when there was none */
};

/* A page in the order of ids; or only their count. */
struct account_list {
	struct admin_job job;
	const char *tenant;
	enum account_kind kind;
	struct account_filter filter;
	const char *after; /* ids after this one */
	bool count_only;
	int limit;
	int64_t matched; /* count_only */
	int count;
	struct account_row *rows;
	bool more;
};

#endif
