/* The sums of one batch, computed by sums.c and written by upsert.c. */
#ifndef BURSAR_PG_LEDGER_SUMS_H
#define BURSAR_PG_LEDGER_SUMS_H

#include "domain/record/entry.h"
#include "pg/link/link.h"
#include "store/ledger.h"

/* What the provider said that requests cost, and re-ratings: columns of usage_costs. */
struct use_costs {
	int64_t compared, provider_nano,
		list_nano; /* requests of which the provider did, and what it and the price said */
	int64_t corrected, corrected_nano; /* re-rated requests, and by how much that changed their cost */
	int64_t allowed, allowance_nano; /* requests of which free allowances cover something, and what that is worth */
};

/* What roll-ups are kept of besides accounts: the tier of the user at the time, by its name. */
#define USE_OF_TIER ((enum account_kind)(ACCOUNT_TENANT + 1))

/* The strings belong to the entries. */
struct use_row {
	enum account_kind kind; /* whose use it is, or USE_OF_TIER */
	const char *tenant, *id, *interface, *provider, *model;
	int64_t day_us, month_us;
	int64_t rows, unpriced;
	struct amounts amounts;
	struct meters meters;
	struct use_costs costs;
};
struct level_key {
	const char *tenant, *id;
	enum account_kind kind;
	uint32_t limit_id;
};
struct window_sum {
	struct level_key key; /* without a limit */
	enum window_unit unit;
	int64_t starts_at_us;
	const char *interface, *model;
	bool reset; /* a window begun by a reset, which has a separate row */
	struct amounts used;
};
struct bucket_sum {
	struct level_key key;
	int64_t as_of_us;
	struct entry_bucket bucket;
};

/* All arrays are sorted by key, and each key occurs once. */
struct sums {
	int dailies, monthlies, shareds, windows, buckets;
	int user_windows, user_buckets; /* how many of them, the first ones, are of users */
	struct use_row *daily, *monthly; /* of users */
	struct use_row *shared; /* by day, of teams, orgs, tenants and tiers */
	struct arena *scratch;
	struct window_sum *window;
	struct bucket_sum *bucket;
	int last_window[ACCOUNT_TENANT + 1][WINDOW_COUNT]; /* while they are collected: 1 + the index of the last one */
	/* Admin actions: each gets its row in audit_log in this transaction, and therefore exactly once. */
	int resets, adjustments;
	const struct entry **reset, **adjustment;
	/* Records that may have something free (allowances.c). */
	int dues;
	const struct entry **due;
};

/* The start of the UTC day, week (Monday) and month. */
int64_t floor_day(int64_t us);
int64_t floor_week(int64_t us);
int64_t floor_month(int64_t us);

/* resets.c: the statement and its arguments, for sums->resets. */
extern const char ledger_resets_sql[];
void ledger_resets_args(struct pg_args *args, const struct sums *sums);
/* The same for sums->adjustments. */
extern const char ledger_adjustments_sql[];
void ledger_adjustments_args(struct pg_args *args, const struct sums *sums);

/* rerate.c: what a re-rating adds to a row, and the row from which it moves the request; false: it stays on its line. */
bool ledger_rerate_use(const struct entry *entry, struct use_row *row, struct use_row *from);
/* How many of the entries do that, so that there is room. */
size_t ledger_rerates(struct ledger_item **items, int count);
bool use_costs_any(const struct use_costs *costs);
/* The statement for what of the rows has costs, and its arguments. */
extern const char ledger_costs_sql[];
void ledger_costs_args(struct pg_args *args, const struct sums *sums);

/* allowances.c: whether something of the record may be free; the statement that remembers those, and its arguments. */
bool ledger_allowance_due(const struct entry *entry);
extern const char ledger_dues_sql[];
void ledger_dues_args(struct pg_args *args, const struct sums *sums);

/* alerts.c: the statement that tells the alerts role whose windows have changed, and its arguments. */
extern const char ledger_alerts_sql[];
void ledger_alerts_args(struct pg_args *args, const struct sums *sums);

/* Writes all sums and COMMITs, in one round trip. */
bool ledger_sums_write(struct pg_link *link, const struct sums *sums, struct err *err);

#endif
