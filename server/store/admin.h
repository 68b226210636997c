/*
 * What admins change and ask in the durable store. Each change is one transaction: the row, its version or the tenant's
 * epoch, a policy_changes row that the ledger role repeats until Redis has it, and an audit_log row. Every job runs on a
 * thread of the store's; `done` is called on the loop that submitted it.
 */
#ifndef BURSAR_STORE_ADMIN_H
#define BURSAR_STORE_ADMIN_H

#include "domain/diagnosis.h"
#include "domain/record/entry.h"
#include "domain/pool.h"
#include "domain/price/price.h"
#include "domain/text/template.h"
#include "store/admin_accounts.h"
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
	bool *known; /* has anybody put it? Else it has accounts, from a check, and the settings of `default` */
	bool more;
};
struct tier_put {
	struct admin_job job;
	const char *tenant;
	struct tier tier;
};
/* Takes away a tenant's own tier. ERR_NOT_FOUND; ERR_PRECONDITION when it is in use and no shipped one takes its place. */
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
 * Puts a list of prices, all or none. A price without a beginning changes what is in force now, from now on; what a row does not
 * speak of (`given`) stays as it is. ERR_PRECONDITION names the rows that move by more than ten times, unless `yes`.
 */
struct prices_put {
	struct admin_job job;
	int64_t now_us;
	bool dry_run, yes;
	const char *
		expected; /* refuse (ERR_PRECONDITION) when the changes have another fingerprint; "" = whatever they are */
	int count;
	struct price_put_row {
		struct price price; /* out: as it is or will be kept */
		unsigned given; /* PRICE_GIVEN_* */
		bool merged; /* what is not given is filled from wider prices too, where there is none of its own */
		int line; /* where the caller read it, for messages; 0 = unknown */
		enum { PRICE_SAME, PRICE_NEW, PRICE_MOVED } change; /* out; so below */
		bool big;
		bool based; /* PRICE_NEW, filled from what counted there until now: the tenant's price, or everybody's */
		struct price before; /* PRICE_SAME, PRICE_MOVED, based: what is in force */
	} * row;
	uint64_t fingerprint; /* out: of what changes */
};
/* Ends what is in force at a time, for exactly this tenant and account. ERR_NOT_FOUND. */
struct price_end {
	struct admin_job job;
	struct price price; /* in: tenant, account, provider, model; out: as it ended */
	int64_t at_us;
};
struct price_list {
	struct admin_job job;
	const char *tenant, *provider, *model_prefix;
	const char *account; /* only this one's own; "" = all */
	int64_t at_us;
	int64_t after;
	int limit;
	int count;
	struct price *rows;
	int64_t last;
	bool more;
};

struct stats_query {
	struct admin_job job;
	const char *tenant;
	int64_t from_day, to_day; /* since 1970, UTC; both included */
	int64_t today; /* nothing is later: the running month is a whole one until now */
	int top; /* of users, teams and orgs */
	int tiers;
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
	struct use total;
};

/* What the lines of a report are told apart by: bits. */
enum report_key { BY_DAY = 1, BY_MODEL = 2, BY_INTERFACE = 4, BY_USER = 8 };

struct bill_line {
	const char *user, *day, *provider, *model, *interface; /* "" where the report is not by it */
	int64_t requests, cost, unpriced;
	struct tokens tokens;
};
/*
 * The next lines of a report, from the roll-ups, in the order user, day, provider, model, interface. A page is one look at the books;
 * it takes memory and time by its lines, not by the tenant's users.
 */
struct report_page {
	struct admin_job job;
	struct account_key key; /* a user, team, org or tenant; BY_USER: a user or tenant */
	int64_t from_day, to_day; /* since 1970, UTC; both included */
	unsigned by;
	const char *model, *interface; /* only these; "" = all */
	const struct bill_line *after; /* the last line of the page before; NULL: the first page */
	int limit;
	int count;
	struct bill_line *lines;
	bool more;
};
/* About how many users a report by user will pass: those with any use in the months that it touches. */
struct report_users {
	struct admin_job job;
	const char *tenant;
	int64_t from_day, to_day;
	int64_t users;
};
/* What an account has used: from the 1st of the month on, and in the complete days before `today` of [from_day, today). */
struct forecast_query {
	struct admin_job job;
	struct account_key key;
	int64_t today, from_day;
	int64_t first_day; /* of any use at all; -1 = none */
	struct use month, days, of_today;
};

/* What of the proof's sums stands in PostgreSQL; the counters are read from Redis. Also the tenant's users, for that. */
struct proof_query {
	struct admin_job job;
	const char *tenant;
	int64_t ledger_rows, rollup_rows, shared_rows;
	struct use ledger, rollup, shared;
	int users;
	const char **user;
	struct use *of_user; /* the roll-ups of each */
};

struct pool_row {
	const char *tenant;
	struct pool_settings settings; /* slots: as they count, the option's filled in */
	int64_t updated_at_us;
};
/* A tenant's pools by name; `name` not NULL: only that one. */
struct pool_list {
	struct admin_job job;
	const char *tenant, *name;
	int count;
	struct pool_row *rows;
};
/* Like account_change: `change` fills or refuses on the store's thread; the row comes back with gen + 1. */
struct pool_change {
	struct admin_job job;
	const char *tenant, *name;
	bool (*change)(struct pool_change *op, struct pool_row *row, bool known, struct err *err);
	struct pool_row row;
};
/*
 * An epoch for a pool's state in Redis: greater than in every earlier answer, and than the one that Redis knows. `claim` names the state;
 * the first one that ever asked is `first`, however often it asks: for every other one the pool was in use before.
 */
struct pool_open {
	struct admin_job job;
	const char *tenant, *name, *claim;
	uint32_t known;
	bool first; /* out */
	uint32_t epoch;
};

/*
 * Makes a key: of it `id` and `created_at_us` come back. `text` is not here, only its hash. The first key of all has to be an
 * operator's (ERR_PRECONDITION): from then on nobody gets in without one.
 */
struct key_create {
	struct admin_job job;
	struct api_key key;
	bool rotate; /* key.id is an old one: its role, account, label and lists are taken over, and it ends at `old_ends_at_us` */
	int64_t old_ends_at_us;
	const char *tenant; /* rotate: whose key it may be; "" = anybody's */
};
/* Ends a key now. ERR_NOT_FOUND; ERR_PRECONDITION where it is the last operator's that works. */
struct key_revoke {
	struct admin_job job;
	int64_t id;
	const char *tenant; /* whose key it may be; "" = anybody's */
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
/* When keys were used last. */
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
	const char *tenant; /* "" = what concerns all */
	bool all_tenants;
	const char *actor, *action, *target; /* their beginnings; "" = all */
	const char *reason; /* what is in it; "" = anything */
	int64_t from_us, to_us; /* 0 = open */
	bool oldest_first; /* else the newest first */
	int64_t after; /* rows that follow the one of this id in that order; 0 = from the first on */
	int limit;
	int count;
	struct audit_row *rows;
	bool more;
};

/* What the ledger knows of a request that is to be adjusted ("" = none is), and of the adjustment itself. */
struct adjust_facts {
	struct admin_job job;
	const char *tenant, *user, *adjustment_id, *request_id;
	int attempt;
	int64_t started_at_us; /* in: any time of its day (UTC); out: when it started */
	/* out */
	bool made; /* the adjustment is in the ledger */
	struct amounts made_amounts;
	const char *made_adjusts;
	int made_attempt;
	bool found; /* the attempt is in the ledger, or an expiry that charged for it */
	struct amounts total; /* what the request was charged so far, with its expiry, all attempts and adjustments */
	int64_t counted_at_us; /* in whose windows it counted */
	struct entry_usage usage; /* model, price and mode of the attempt; no tokens */
	const char *interface, *checked, *tier, *team, *org;
};

/* The trail of a reservation that an admin has cancelled. */
struct cancel_note {
	struct admin_job job;
	const char *tenant, *user, *request_id;
	struct amounts released;
	bool repeat; /* it was cancelled before */
};

/* What PostgreSQL says of itself, and of what the tenant has in it. */
struct facts_query {
	struct admin_job job;
	const char *tenant;
	struct durable_facts facts; /* out: answered, when the job is ok */
};

struct document_read; /* store/document.h */
struct document_apply;
struct admin_store;
struct admin_store_ops {
	void (*document_read)(struct admin_store *, struct document_read *);
	void (*document_apply)(struct admin_store *, struct document_apply *);
	void (*key_create)(struct admin_store *, struct key_create *);
	void (*key_revoke)(struct admin_store *, struct key_revoke *);
	void (*key_list)(struct admin_store *, struct key_list *);
	void (*key_uses)(struct admin_store *, struct key_uses *);
	void (*adjust_facts)(struct admin_store *, struct adjust_facts *);
	void (*cancel_note)(struct admin_store *, struct cancel_note *);
	void (*audit_list)(struct admin_store *, struct audit_list *);
	void (*account_get)(struct admin_store *, struct account_get *);
	void (*account_change)(struct admin_store *, struct account_change *);
	void (*accounts_change)(struct admin_store *, struct accounts_change *);
	void (*account_confirm)(struct admin_store *, struct account_confirm *);
	void (*account_list)(struct admin_store *, struct account_list *);
	void (*account_erase)(struct admin_store *, struct account_erase *);
	void (*override_ends)(struct admin_store *, struct override_ends *);
	void (*shared_counts)(struct admin_store *, struct shared_counts *);
	void (*shared_users)(struct admin_store *, struct shared_users *);
	void (*tenant_put)(struct admin_store *, struct tenant_put *);
	void (*tenant_list)(struct admin_store *, struct tenant_list *);
	void (*tier_put)(struct admin_store *, struct tier_put *);
	void (*tier_delete)(struct admin_store *, struct tier_delete *);
	void (*text_put)(struct admin_store *, struct text_put *);
	void (*text_delete)(struct admin_store *, struct text_delete *);
	void (*price_put)(struct admin_store *, struct price_put *);
	void (*prices_put)(struct admin_store *, struct prices_put *);
	void (*price_end)(struct admin_store *, struct price_end *);
	void (*price_list)(struct admin_store *, struct price_list *);
	void (*stats)(struct admin_store *, struct stats_query *);
	void (*report)(struct admin_store *, struct report_page *);
	void (*report_users)(struct admin_store *, struct report_users *);
	void (*forecast)(struct admin_store *, struct forecast_query *);
	void (*proof)(struct admin_store *, struct proof_query *);
	void (*facts)(struct admin_store *, struct facts_query *);
	void (*pool_list)(struct admin_store *, struct pool_list *);
	void (*pool_change)(struct admin_store *, struct pool_change *);
	void (*pool_open)(struct admin_store *, struct pool_open *);
};
struct admin_store {
	const struct admin_store_ops *ops;
};

#endif
