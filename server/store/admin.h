/*
 * What admins change and query in the durable store. Each change is one transaction: the row, its version or the
 * tenant's epoch, a policy_changes row that the ledger role repeats until Redis has it, and an audit_log row. Every job
 * runs on one of the store's threads; `done` is called on the loop that submitted it.
 */
#ifndef BURSAR_STORE_ADMIN_H
#define BURSAR_STORE_ADMIN_H

#include "domain/diagnosis.h"
#include "domain/record/entry.h"
#include "domain/pool.h"
#include "domain/price/price_change.h"
#include "domain/price/price_family.h"
#include "domain/text/template.h"
#include "store/admin_accounts.h"
#include "store/admin_alerts.h"
#include "store/admin_rerate.h"
#include "store/catalog.h"

struct tenant_put {
	struct admin_job job;
	struct tenant tenant;
}; /* out: epoch */
struct tenant_list {
	struct admin_job job;
	const char *after;
	int limit;
	int count;
	struct tenant *rows;
	bool *known; /* has a row; else it only has accounts, created by checks, and the settings of `default` */
	bool more;
};
struct tier_put {
	struct admin_job job;
	const char *tenant;
	struct tier tier;
};
/* Deletes a tenant's own tier. ERR_NOT_FOUND; ERR_PRECONDITION when it is in use and no shipped tier has its name. */
struct tier_delete {
	struct admin_job job;
	const char *tenant, *name;
};
/* A template that has been checked. ERR_PRECONDITION when the tenant has TEXTS_MAX others. */
struct text_put {
	struct admin_job job;
	const char *tenant;
	struct text_template text;
};
/* ERR_NOT_FOUND. */
struct text_delete {
	struct admin_job job;
	const char *tenant, *code, *language;
};
struct price_put {
	struct admin_job job;
	struct price price;
	bool yes;
};
/*
 * Writes a list of prices, all or none. A price without a beginning replaces the current one from now on; the parts
 * that a row does not cover (`given`) are kept. ERR_PRECONDITION names the rows that change by more than a factor of
 * ten, unless `yes`.
 */
struct prices_put {
	struct admin_job job;
	int64_t now_us;
	bool dry_run, yes;
	const char *expected; /* refuse (ERR_PRECONDITION) changes with another fingerprint; "" = any */
	int count;
	struct price_put_row {
		struct price price; /* out: as stored, or as it would be */
		price_parts given; /* PRICE_GIVEN_* */
		bool merged; /* fill what is not given from wider prices too, if there is no own price */
		int line; /* where the caller read it, for messages; 0 = unknown */
		enum { PRICE_SAME, PRICE_NEW, PRICE_MOVED } change; /* out, like all below */
		bool big;
		bool based; /* PRICE_NEW, filled from the price that applied until now: the tenant's or the general one */
		struct price before; /* PRICE_SAME, PRICE_MOVED, based: the price in force */
	} * row;
	uint64_t fingerprint; /* out: of the changes */
	/* For the answer to a public list: what is not imported of it. Its prices that stay the same are only counted. */
	bool public_list;
	const struct price_skipped *skipped; /* in the job's arena; the first PRICE_SKIPPED_MAX */
	int skipped_count; /* of all */
};
/* Ends the price in force at a time, for exactly this tenant and account. ERR_NOT_FOUND. */
struct price_end {
	struct admin_job job;
	struct price price; /* in: tenant, account, provider, model; out: the ended price */
	int64_t at_us;
};
struct price_list {
	struct admin_job job;
	const char *tenant, *provider, *model_prefix;
	const char *account; /* only this account's own; "" = all */
	int64_t at_us;
	int64_t after;
	int limit;
	int count;
	struct price *rows;
	int64_t last;
	bool more;
};

/* How many of each a tenant may have; the general ones count as a tenant's. */
enum { ALIASES_MAX = 5000, FAMILIES_MAX = 500 };
/* Writes an alias of a model whose price has been looked up. ERR_PRECONDITION when the tenant has ALIASES_MAX others. */
struct alias_put {
	struct admin_job job;
	struct price_alias alias;
};
/* Writes a list of aliases, all or none. */
struct aliases_put {
	struct admin_job job;
	bool dry_run;
	int count;
	struct alias_put_row {
		struct price_alias alias;
		enum { ALIAS_SAME, ALIAS_NEW, ALIAS_MOVED } change; /* out, like all below */
		struct price_alias before; /* ALIAS_SAME, ALIAS_MOVED */
	} * row;
	bool changed;
};
/* ERR_NOT_FOUND. */
struct alias_delete {
	struct admin_job job;
	struct price_alias alias; /* in: tenant, alias; out: what it named */
};
/*
 * Writes a rule for models without a price. Without a beginning, the tenant's first rule with the prefix applies always,
 * and another one from now on, unless it says what is in force. ERR_PRECONDITION when the tenant has FAMILIES_MAX
 * others.
 */
struct family_put {
	struct admin_job job;
	struct price_family family; /* out: from_us */
	int64_t now_us;
};
/* Deletes the rules with the prefix; with from_us only the one that begins then. ERR_NOT_FOUND. */
struct family_delete {
	struct admin_job job;
	const char *tenant, *prefix;
	int64_t from_us;
	int count; /* out: what is gone */
	struct price_family *rows;
};

struct stats_query {
	struct admin_job job;
	const char *tenant;
	int64_t from_day, to_day; /* since 1970, UTC; both included */
	int64_t today; /* there is no later data: the current month counts as complete up to now */
	int top; /* of users, teams and orgs */
	bool by_tier; /* also what is used by the users' tier at the time */
	int tiers, tiers_used;
	struct named_use *tier_used;
	struct {
		const char *tier;
		int64_t accounts, suspended;
	} * tier;
	int users;
	struct named_use *user;
	int teams, orgs;
	struct named_use *team, *org;
	int days;
	struct named_use *day;
	int models;
	struct named_use *model;
	int interfaces;
	struct named_use *interface;
	struct amounts total;
};

/* The columns by which a report is split: bits. */
enum report_key { BY_DAY = 1, BY_MODEL = 2, BY_INTERFACE = 4, BY_USER = 8, BY_TIER = 16 };

struct bill_line {
	const char *user, *day, *tier, *provider, *model, *interface; /* "" where the report is not split by it */
	int64_t requests, cost, unpriced;
	struct meters meters;
	int64_t corrected, corrected_nano; /* re-rated requests, and by how much that changed their cost */
	int64_t allowed, allowance_nano; /* requests of which free allowances cover something, and what that is worth */
	int64_t compared, provider_nano,
		list_nano; /* requests of which the provider said the cost; what it and the price said */
};
/*
 * The next lines of a report, from the roll-ups, in the order user, day, tier, provider, model, interface. A page is one read
 * of the ledger; its memory and time depend on its lines, not on the tenant's users.
 */
struct report_page {
	struct admin_job job;
	struct account_key key; /* a user, team, org or tenant; BY_USER: a user or tenant; BY_TIER: a tenant */
	int64_t from_day, to_day; /* since 1970, UTC; both included */
	unsigned by;
	const char *model, *interface; /* only these; "" = all */
	const struct bill_line *after; /* the last line of the previous page; NULL: the first page */
	int limit;
	int count;
	struct bill_line *lines;
	bool more;
};
/* About how many users a report by user will include: those with any use in the months that it touches. */
struct report_users {
	struct admin_job job;
	const char *tenant;
	int64_t from_day, to_day;
	int64_t users;
};
/* What an account used: since the 1st of the month, and in the complete days before `today` of [from_day, today). */
struct forecast_query {
	struct admin_job job;
	struct account_key key;
	int64_t today, from_day;
	int64_t first_day; /* of any use at all; -1 = never used */
	struct amounts month, days, of_today;
};

/* PostgreSQL's part of the sums of a proof; the counters are read from Redis. Also the tenant's users, for reading
 * them. */
struct proof_query {
	struct admin_job job;
	const char *tenant;
	int64_t ledger_rows, rollup_rows, shared_rows;
	struct amounts ledger, rollup, shared;
	int users;
	const char **user;
	struct amounts *of_user; /* the roll-ups of each */
};

struct pool_row {
	const char *tenant;
	struct pool_settings settings; /* slots: the effective number, with the option filled in */
	int64_t updated_at_us;
	char etag[ETAG_SIZE];
};
/* A tenant's pools by name; `name` not NULL: only that one. */
struct pool_list {
	struct admin_job job;
	const char *tenant, *name;
	int count;
	struct pool_row *rows;
};
/* Like account_change: `change` edits or refuses on the store's thread; the row comes back with gen + 1. */
struct pool_change {
	struct admin_job job;
	const char *tenant, *name;
	bool (*change)(struct pool_change *op, struct pool_row *row, bool known, struct err *err);
	struct pool_row row;
};
/*
 * Returns an epoch for a pool's state in Redis: greater than every earlier answer and than the one that Redis knows.
 * `claim` names the state; the first claim ever made is `first`, however often it asks: for every other one, the pool
 * was in use before.
 */
struct pool_open {
	struct admin_job job;
	const char *tenant, *name, *claim;
	uint32_t known;
	bool first; /* out */
	uint32_t epoch;
};

/*
 * Creates a key and returns its `id` and `created_at_us`. The text is not passed, only its hash. The very first key
 * must be an operator's (ERR_PRECONDITION): from then on every caller needs a key.
 */
struct key_create {
	struct admin_job job;
	struct api_key key;
	bool rotate; /* key.id is an old key: the new one inherits its role, account, label and lists; it ends at `old_ends_at_us` */
	int64_t old_ends_at_us;
	const char *tenant; /* rotate: only a key of this tenant; "" = any */
};
/* Ends a key now. ERR_NOT_FOUND; ERR_PRECONDITION when it is the last valid operator key. */
struct key_revoke {
	struct admin_job job;
	int64_t id;
	const char *tenant; /* only a key of this tenant; "" = any */
	struct api_key key; /* out */
};
struct key_list {
	struct admin_job job;
	const char *tenant; /* "" = the operators' */
	bool all_tenants, ended_too;
	int64_t after;
	int limit;
	int count;
	struct api_key *rows;
	bool more;
};
/* A code that begins a session of the key, once and within ten minutes. A key has ten at most: the oldest goes. */
struct login_create {
	struct admin_job job;
	uint8_t hash[KEY_HASH_BYTES]; /* of the code */
	int64_t key;
	const char *tenant; /* the key's, for the audit log */
	int64_t expires_at_us; /* out */
};
/* Takes the code away. */
struct login_redeem {
	struct admin_job job;
	uint8_t hash[KEY_HASH_BYTES];
	int64_t key; /* out; 0: there is no such code, or its time is over */
};
/* When keys were last used. */
#define KEY_USES_MAX 64
struct key_use {
	int64_t key, at_us;
	char peer[64];
};
struct key_uses {
	struct admin_job job;
	int count;
	const struct key_use *use;
};

struct audit_row {
	int64_t id, at_us;
	const char *tenant, *actor, *action, *target, *reason, *before, *details; /* the last two: JSON */
};
struct audit_list {
	struct admin_job job;
	const char *tenant; /* "" = entries that concern all tenants */
	bool all_tenants;
	const char *actor, *action, *target; /* prefixes; "" = all */
	const char *reason; /* a part of it; "" = anything */
	int64_t from_us, to_us; /* 0 = open */
	bool oldest_first; /* else the newest first */
	int64_t after; /* rows that follow this id in that order; 0 = from the beginning */
	int limit;
	int count;
	struct audit_row *rows;
	bool more;
};

/* What the ledger knows about a request to be adjusted ("" = none), and about the adjustment itself. */
struct adjust_facts {
	struct admin_job job;
	const char *tenant, *user, *adjustment_id, *request_id;
	int attempt;
	int64_t started_at_us; /* in: any time on its day (UTC); out: when it started */
	/* out */
	bool made; /* the adjustment is in the ledger */
	struct amounts made_amounts;
	const char *made_adjusts;
	int made_attempt;
	bool found; /* the ledger has the attempt, or an expiry that charged for it */
	struct amounts total; /* charged so far for the request, with its expiry, all attempts and adjustments */
	int64_t counted_at_us; /* a time in the windows in which it counted */
	struct entry_usage usage; /* model, price and mode of the attempt; no tokens */
	const char *interface, *checked, *tier, *team, *org;
};

/* The audit entry for a reservation that an admin cancelled. */
struct cancel_note {
	struct admin_job job;
	const char *tenant, *user, *request_id;
	struct amounts released;
	bool repeat; /* it had been cancelled before */
};

/* What PostgreSQL reports about itself and about the tenant's data. */
struct facts_query {
	struct admin_job job;
	const char *tenant;
	struct durable_facts facts; /* out: `answered` when the job is ok */
};

struct document_read; /* store/document.h */
struct document_apply;
struct admin_store;
struct admin_store_ops {
#define OPERATION(kind, name, type) void (*name)(struct admin_store *, struct type *);
#include "store/admin_ops.def"
};
struct admin_store {
	const struct admin_store_ops *ops;
};

#endif
