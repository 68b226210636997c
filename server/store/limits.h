/*
 * What the use cases need from the store that decides (Redis in production, a model in tests), in domain terms. Each
 * call has one operation struct, embedded by the caller and kept alive until its callback has run. The callback runs
 * exactly once, never before the call has returned, on the loop thread that made the call: with the answer or at the
 * deadline.
 */
#ifndef BURSAR_STORE_LIMITS_H
#define BURSAR_STORE_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "domain/limit/account.h"
#include "domain/limit/decision.h"
#include "domain/diagnosis.h"

/* An account as the caller expects it. Strings and policy are the caller's and outlive the operation. */
struct expected {
	enum account_kind kind;
	const char *tenant, *id; /* NUL-terminated, checked ids */
	uint32_t version, epoch;
	bool own_policy; /* overrides: the policy is kept in the record */
	const struct policy *policy;
	struct windows windows;
};

enum limits_status {
	LIMITS_OK = 0, /* check: allowed */
	LIMITS_DENIED = 1,
	LIMITS_REPEAT = 2,
	LIMITS_CONFLICT = 3,
	LIMITS_ABSENT = 4, /* mask: look these accounts up and seed them, then call again */
	LIMITS_STALE = 5, /* these accounts have newer profiles than expected: see stale[] */
	LIMITS_BEHIND = 6, /* mask: write these accounts' policies through, then call again */
	LIMITS_CLOCK =
		7, /* now_us is outside the windows or after latest_us: compute new ones for now_us and call again */
	LIMITS_UNKNOWN = 8,
	LIMITS_NEEDKEYS = 9, /* the reservation counts on other accounts: see info */
	LIMITS_CLOSED = 10,
	LIMITS_NOTHING = 11,
	LIMITS_LOST = 12,
	LIMITS_UNSEEDED =
		13, /* unseeded[]: PostgreSQL knows more than these records. Adopt it or set provisional_ok, then call again */
	LIMITS_NO_POLICY = 14, /* only between Redis and redis/limits: the call is sent again, with its policies */
	LIMITS_FAILED = 100 /* the store did not answer: see err (ERR_UNAVAILABLE, ERR_DEADLINE) */
};

/* An account as the store returned it. */
struct standing {
	struct account_state state; /* policy: the caller's, or `other` */
	struct verdict verdict;
	bool policy_is_other; /* the record has another policy than expected: rebuilt from its packed form,
	                               limit names unknown ("") */
	struct policy *other; /* in the operation's arena; NULL unless policy_is_other */
	/* Settling: the record has another version than expected; these are its profile (profile_unpack) and its
	 * windows. */
	const uint8_t *profile;
	size_t profile_len; /* 0: it has the expected version */
};

struct stale {
	int index;
	uint32_t version;
	const uint8_t *meta; /* profile_unpack (domain/limit/profile.h) */
	size_t meta_len;
};

/* The unseeded calendar limits of one account, and what each has settled since it exists. */
struct unseeded {
	int index;
	int64_t window_start[WINDOW_COUNT];
	int count; /* 0 for a provisional record without calendar limits */
	struct {
		uint32_t id;
		enum dimension dimension;
		enum window_unit unit;
		uint64_t interface_hash, model_hash;
		int64_t settled;
	} limit[LIMITS_MAX];
};

struct arena;

/* The common part of all operations. */
struct limits_op {
	/* in */
	struct arena *arena; /* answers are allocated here; owned by the caller */
	int64_t deadline_us; /* clock_mono_us; 0 = the store's default (redis_timeout_ms) */
	void (*done)(struct limits_op *op);
	/* out */
	enum limits_status status;
	struct err err;
	int64_t now_us; /* the store's clock */
	uint32_t mask;
	int stale_count;
	struct stale stale[ACCOUNTS_MAX];
	int unseeded_count;
	struct unseeded *unseeded;
	int standings;
	struct standing *standing[ACCOUNTS_MAX];
	const uint8_t *info; /* NEEDKEYS */
	size_t info_len;
	/* the store's own */
	void *impl[4];
};

/* Is a denial to be told to the user? = bursar.v1.Tell */
enum tell {
	TELL_UNKNOWN = 0, /* nobody asked, or the store does not know */
	TELL_NOW = 1, /* by the caller: no other check gets this answer before the time is over */
	TELL_NOT_AGAIN = 2 /* another check got it */
};

struct limits_check {
	struct limits_op op;
	const char *tenant, *user, *request_id;
	int count;
	struct expected expected[ACCOUNTS_MAX]; /* the user first */
	struct request request;
	int64_t ttl_us;
	uint8_t digest[8]; /* of the request's contents */
	bool dry_run; /* changes nothing; request_id may be NULL */
	bool provisional_ok; /* decide without what PostgreSQL knows, instead of LIMITS_UNSEEDED: the answer is not exact */
	uint64_t
		nonce; /* identifies this call, so that the store notices when it arrives twice; 0 = the store makes one and sets it */
	int64_t latest_us; /* by the store's clock: the caller gives up then, so nothing is decided afterwards; 0 = never */
	const char *tell_place; /* where a denial would be told: asks whether it is to be. NULL = not asked */
	int64_t tell_again_us; /* after which time it is told again; 0 = once the limit lets pass, after a minute to an hour */
	const uint8_t *info; /* kept with the reservation, copied into ledger entries (domain/record/entry.h) */
	size_t info_len;
	/* out: LIMITS_OK, LIMITS_DENIED, LIMITS_REPEAT */
	bool unsure; /* of an earlier decision that is repeated: PostgreSQL had not answered for all its accounts */
	enum reservation_state state;
	int64_t started_at_us, expires_at_us;
	struct amounts held;
	int64_t first_end_us; /* LIMITS_DENIED: when the first of the user's open reservations expires; 0 = unknown */
	enum tell tell; /* LIMITS_DENIED */
	int64_t told_until_us; /* it is not told again until then; 0 = unknown */
};

/* Record, cancel. */
struct limits_settle {
	struct limits_op op;
	const char *tenant, *user, *request_id;
	int count;
	struct expected expected[ACCOUNTS_MAX];
	int attempt;
	bool final, even_if_unknown;
	bool forget; /* cancel: nothing was recorded, so the request id may be used again as if it were new */
	bool unless_repeated; /* cancel: CLOSED if the check was repeated meanwhile */
	uint64_t nonce; /* as in limits_check; give_up: that of the check */
	int64_t latest_us; /* cancel: as in limits_check */
	uint64_t owed; /* cancel: the nonce of a check. If the store does not answer, that check is given up later */
	bool counted; /* with even_if_unknown: the ledger has the request already; only its use is charged */
	struct amounts used;
	uint64_t interface_hash, model_hash;
	int64_t started_at_us;
	const uint8_t *usage, *info;
	size_t usage_len, info_len;
	/* out */
	enum reservation_state state;
	bool late;
	struct amounts charged, released; /* record: by this attempt, even when it repeats an earlier one */
	const uint8_t *recorded; /* record: the usage that this attempt was recorded with */
	size_t recorded_len; /* 0: it was not kept */
};

struct limits_renew {
	struct limits_op op;
	const char *tenant, *user, *request_id;
	int64_t ttl_us;
	int64_t expires_at_us; /* out */
};

/* The partition's generation: requested before seeding. */
struct limits_birth {
	struct limits_op op;
	enum account_kind kind;
	const char *tenant, *id;
	bool everywhere; /* undrained, first_entry: of all partitions' outboxes, because entries of a shared account may
	                    be in any of them */
	/* out */
	char generation[17];
	int64_t birth_us;
	uint64_t undrained; /* entries in the partition's outbox */
	char last_entry[48]; /* id of the last entry ever appended there */
	char first_entry[48]; /* id of the oldest undrained one; "" when none */
};

/* Writes a record if there is none and the generation is unchanged; LIMITS_LOST also when the account changed after
 * `profile` was read. */
struct limits_seed {
	struct limits_op op;
	struct expected expected;
	char generation[17];
	const struct account_profile *profile;
	bool provisional; /* PostgreSQL did not answer: all calendar limits are unseeded */
	int64_t window_start[WINDOW_COUNT]; /* 0: where the windows of `expected` start */
	int64_t ahead_us; /* as in struct account_state */
	union limit_state limits[LIMITS_MAX]; /* in the order of expected.policy; held = 0 */
	int64_t now_us; /* the store's, from limits_birth */
};

/* Writes an account's profile and policy through if the record has a lower version. LIMITS_ABSENT: there is no record;
 * whoever creates it must know this version. */
struct limits_policy {
	struct limits_op op;
	struct expected expected;
	const struct account_profile *profile;
	bool provisional; /* PostgreSQL was not asked: a record created without it stays provisional */
};

/* Adds what the ledger knows to unseeded calendar limits. LIMITS_NOTHING: something was settled since they were read. */
struct limits_adopt {
	struct limits_op op;
	struct expected expected;
	/* Adds what was settled since, even if the ledger may have it too: never less than the truth; the reconciler
	 * lowers it. */
	bool even_if_moved;
	int64_t window_start[WINDOW_COUNT]; /* where the windows start according to the ledger */
	int count;
	struct {
		uint32_t id;
		int64_t seen, known; /* settled when it was read; what the ledger knows, including that */
	} limit[LIMITS_MAX];
};

struct limits_reset {
	struct limits_op op;
	const char *request_id;
	struct expected expected;
	const uint8_t *info;
	size_t info_len;
	/* out: what calendar limit i had settled, in the order of expected.policy */
	int64_t lost[LIMITS_MAX];
};

/*
 * Corrects what was counted. LIMITS_REPEAT when this id did the same before, LIMITS_CONFLICT when it did something
 * else, LIMITS_DENIED when a counter has less than would be taken from it.
 */
struct limits_adjust {
	struct limits_op op;
	const char *tenant, *user, *adjustment_id;
	int count;
	struct expected expected[ACCOUNTS_MAX]; /* the accounts on which it counts, the user first */
	struct amounts amounts; /* signed */
	uint64_t interface_hash, model_hash;
	int64_t started_at_us; /* of the ledger's row; 0 = now */
	int64_t counted_at_us; /* the windows that contain this time change; 0 = now */
	bool ledger_only; /* no counter is changed */
	uint8_t digest[8]; /* of its contents */
	const uint8_t *usage, *info;
	size_t usage_len, info_len;
	struct lacking lacking; /* out: LIMITS_DENIED */
};

/* Drops the record of a user who has nothing open and nothing waiting for the ledger. */
struct limits_erase {
	struct limits_op op;
	const char *tenant, *user;
	/* out: all 0 when the record is gone */
	int64_t open, until_us; /* open reservations, and when the last of them ends */
	int64_t undrained; /* the user's entries in the outbox; anyone's when very many are waiting */
};

/* A reservation in the store. */
struct reservation_row {
	enum reservation_state state;
	int64_t started_at_us, expires_at_us;
	struct amounts held, used; /* held: 0 once it is closed */
	uint32_t attempts; /* bit a: attempt a was recorded */
	const uint8_t *info; /* entry_info_unpack (domain/record/entry.h) */
	size_t info_len;
};
/*
 * Open reservations of a tenant, or of one user ("" = all), in one partition, by expiry: at most `limit`, and only
 * those found among the next thousand. `more`: continue with the returned cursor.
 */
struct limits_reservations {
	struct limits_op op;
	int partition;
	const char *tenant, *user;
	int limit;
	int64_t after_us; /* the cursor, in and out: start with 0 and "" */
	const char *after;
	int count;
	struct reservation_row *row;
	bool more;
};
/* One reservation, in any state. LIMITS_UNKNOWN. */
struct limits_reservation {
	struct limits_op op;
	const char *tenant, *user, *request_id;
	struct reservation_row row;
};

/* What the store reports about itself. LIMITS_FAILED with `facts` unfilled, or LIMITS_OK; limits_birth reports its
 * outboxes. */
struct limits_facts {
	struct limits_op op;
	struct store_facts facts; /* out */
};

struct limits_store;
/*
 * What will be owed if nobody gets a check's answer; does not refer to the check any more. Owned by whoever requested
 * it, until limits_debts_end().
 */
struct limits_debt {
	struct limits_store *store;
	struct limits_debt *next; /* the owner's */
	size_t bytes; /* its size */
};

struct limits_store_ops {
	void (*check)(struct limits_store *store, struct limits_check *op);
	/* For a check that was answered with LIMITS_OK or LIMITS_REPEAT. */
	struct limits_debt *(*debt)(struct limits_store *store, const struct limits_check *op);
	/* Frees it. If it is `owed`, the store makes sure that the check is given up, as by `give_up`. */
	void (*debt_end)(struct limits_debt *debt, bool owed);
	void (*record)(struct limits_store *store, struct limits_settle *op);
	void (*cancel)(struct limits_store *store, struct limits_settle *op);
	/*
	 * The check with op->nonce was given up: releases what it holds, unless another check has been answered from it
	 * since. Its id becomes free again. LIMITS_OK, LIMITS_NOTHING, LIMITS_NEEDKEYS. The store itself gives up
	 * checks that it does not answer.
	 */
	void (*give_up)(struct limits_store *store, struct limits_settle *op);
	void (*renew)(struct limits_store *store, struct limits_renew *op);
	void (*birth)(struct limits_store *store, struct limits_birth *op);
	void (*seed)(struct limits_store *store, struct limits_seed *op);
	void (*policy)(struct limits_store *store, struct limits_policy *op);
	void (*adopt)(struct limits_store *store, struct limits_adopt *op);
	void (*reset)(struct limits_store *store, struct limits_reset *op);
	void (*adjust)(struct limits_store *store, struct limits_adjust *op);
	void (*erase)(struct limits_store *store, struct limits_erase *op);
	void (*reservations)(struct limits_store *store, struct limits_reservations *op);
	void (*reservation)(struct limits_store *store, struct limits_reservation *op);
	void (*facts)(struct limits_store *store, struct limits_facts *op);
};
struct limits_store {
	const struct limits_store_ops *ops;
};

static inline void limits_debts_end(struct limits_debt *first, bool owed)
{
	for (struct limits_debt *debt = first, *next; debt; debt = next) {
		next = debt->next;
		debt->store->ops->debt_end(debt, owed);
	}
}

#endif
