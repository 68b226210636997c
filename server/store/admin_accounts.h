/* What admins change and ask of accounts; and what all jobs of store/admin.h have in common. */
#ifndef BURSAR_STORE_ADMIN_ACCOUNTS_H
#define BURSAR_STORE_ADMIN_ACCOUNTS_H

#include "base/arena.h"
#include "base/err.h"
#include "domain/limit/account.h"
#include "domain/limit/amounts.h"

struct admin_job {
	struct arena *arena; /* of the call; results are allocated here by the store's thread while the caller waits */
	void (*done)(struct admin_job *job);
	const char *actor, *reason; /* for the audit log */
	int64_t deadline_us; /* clock_mono_us; 0: the store's own patience */
	int64_t generation; /* out, where it changed the catalog: those of this generation (catalog_stored) or later show it */
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
};

struct account_get {
	struct admin_job job;
	struct account_key key;
	struct account_row row;
};

/* Changes an account in one transaction: the store reads the row (or a new one), calls `change` on its own thread
 * (pure: fills or refuses), writes what came out with version + 1. */
struct account_change {
	struct admin_job job;
	struct account_key key;
	bool (*change)(struct account_change *op, struct account_row *row, struct err *err);
	bool unused; /* the store that decides has no record of it: with no row either, nothing is counted anywhere */
	int64_t seen_us; /* the latest time by which that store has decided on it; 0 = not known */
	int64_t now_us; /* that store's clock, as well as it is known, and no earlier than seen_us */
	struct account_row row; /* out: as committed */
};
/* What became of the note that a change of an account is to be repeated, for all its versions up to this one. */
struct policy_note {
	struct account_key key;
	uint32_t version;
	int64_t again_us; /* 0: Redis has it, so the note is dropped. Else it is looked at again in so long. */
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
 * How many users share each account: of a team its users, of an org its users and those of its teams, of a model or a tenant the
 * tenant's. Counted up to SHARED_MAX.
 */
#define SHARED_KEYS_MAX 32
#define SHARED_MAX 10000
struct shared_counts {
	struct admin_job job;
	int count;
	struct account_key key[SHARED_KEYS_MAX];
	int64_t users[SHARED_KEYS_MAX]; /* out */
};
/* Who used most of a team's or an org's account since `from_us` (its UTC day), by cost, of those who share it now. */
struct shared_users {
	struct admin_job job;
	struct account_key key;
	int64_t from_us;
	int limit;
	int count;
	struct named_use *user;
};

/*
 * A deleted user's id becomes a pseudonym everywhere, in one transaction. ERR_NOT_FOUND; ERR_PRECONDITION where he is not deleted (any
 * more). Nothing of him may be on its way to the ledger.
 */
#define ERASED_PREFIX "erased-"
struct account_erase {
	struct admin_job job;
	struct account_key key; /* of a user */
	char pseudonym[48]; /* out */
};

/* Accounts that have an override whose end has come by now_us: those of up to `limit` such overrides, the oldest ends first. */
struct override_ends {
	struct admin_job job;
	int64_t now_us;
	int limit;
	int count;
	struct account_key *key;
};

/* The states of AccountState (admin.proto), by their numbers. */
enum account_state_wanted {
	WANTED_PRESENT = 0, /* all but the deleted */
	WANTED_ACTIVE = 1,
	WANTED_SUSPENDED = 2,
	WANTED_BYPASSED = 3,
	WANTED_GRACE = 4,
	WANTED_DELETED = 5,
	WANTED_PENDING = 6,
	WANTED_ANY = 7
};
/* Accounts that match all that is given; texts "" and times 0 are not. */
struct account_filter {
	const char *tier, *id_prefix, *team, *org;
	enum account_state_wanted state;
	bool has_overrides;
	int64_t created_since_us, updated_since_us;
	int64_t now_us; /* for WANTED_ACTIVE, WANTED_GRACE */
};

/* One of the accounts of accounts_change. */
struct changed_account {
	struct account_row before, row; /* `row`: as it is to be, or as committed */
	bool failed; /* `change` refused: see err */
	bool unknown; /* failed, because nobody has put or used it */
	bool differs; /* else it is so already, and was left alone */
	struct err err;
};
/*
 * The next accounts of many, in the order of ids, changed in one transaction: those that match the filter behind `after`, or those of
 * `id`. `change` is called for each as in account_change; what it refuses, and what makes no difference, is not written.
 */
struct accounts_change {
	struct admin_job job;
	const char *tenant;
	enum account_kind kind;
	const struct account_filter *filter; /* NULL: those of `id` */
	const char *after;
	int limit;
	const char *const *id; /* sorted, no two the same */
	int ids;
	bool dry_run; /* nothing is written */
	bool known_only; /* an id without a row fails */
	bool limits; /* `change` changes limits of their own */
	const char *tier; /* that `change` puts them on; "" = none */
	bool (*change)(struct accounts_change *op, struct account_row *row, bool *differs, struct err *err);
	/* out */
	int count, changed;
	struct changed_account *account;
	bool more; /* behind `last` */
	const char *last; /* the last id that was looked at; "" when there was none */
};

/* A page in the order of ids; or only their number. */
struct account_list {
	struct admin_job job;
	const char *tenant;
	enum account_kind kind;
	struct account_filter filter;
	const char *after; /* ids behind this one */
	bool count_only;
	int limit;
	int64_t matched; /* count_only */
	int count;
	struct account_row *rows;
	bool more;
};

#endif
