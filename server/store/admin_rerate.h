/* What re-rating reads of the ledger, and what is compared of costs. */
#ifndef BURSAR_STORE_ADMIN_RERATE_H
#define BURSAR_STORE_ADMIN_RERATE_H

#include "domain/record/entry.h"
#include "store/admin_accounts.h"

/* The days on which a tenant used anything, in order. */
struct rerate_days {
	struct admin_job job;
	const char *tenant;
	int64_t from_day, to_day; /* since 1970, UTC; both included */
	int count;
	struct rerate_day {
		int64_t day;
		int64_t rows, unpriced; /* as in the roll-ups: records and other entries */
		bool gone; /* the ledger does not have it any more */
	} * day;
};

/* A recorded attempt, with what was corrected since. */
struct rerate_row {
	const char *user, *request_id;
	int attempt;
	int64_t started_at_us, counted_at_us; /* counted_at_us: a time in the windows in which it counted */
	const char *interface, *checked, *tier, *team, *org;
	struct entry_usage usage; /* as recorded */
	struct amounts charged; /* by the record */
	int64_t expired_cost; /* the estimate that an expiry had charged, which the record therefore did not charge again */
	int ratings; /* how often it has been re-rated */
	int64_t corrected; /* by how much that changed its cost */
	struct entry_usage now; /* whose price counts by the last re-rating: provider, price_model, flags, list cost */
	bool adjusted; /* somebody has corrected it by hand */
	bool again; /* it has been re-rated for more than its allowances */
	int64_t allowance_nano; /* what free allowances cover of it, by the last re-rating */
	struct meters covered; /* what they are to cover: filled in by the caller, from rerate_allowances */
};
/* The next records of a day, in the order user, request_id, attempt. */
struct rerate_page {
	struct admin_job job;
	const char *tenant;
	int64_t day;
	bool due; /* only those of allowance_due */
	const char *after_user, *after_request; /* the last row of the previous page; "": none */
	int after_attempt;
	int limit;
	int count;
	struct rerate_row *rows;
	bool more;
	int64_t generation; /* of the catalog (catalog_stored), not older than the rows */
};
/* The audit row of a re-rating. */
struct rerate_note {
	struct admin_job job;
	const char *tenant, *from_day, *to_day, *model;
	bool flagged;
};

/* A tenant's day with records in allowance_due: the first one after (after_tenant, after_day). */
struct allowance_next {
	struct admin_job job;
	const char *after_tenant; /* "": from the beginning */
	int64_t after_day;
	bool found;
	const char *tenant;
	int64_t day;
};
struct allowance_attempt {
	const char *user, *request_id;
	int attempt;
};
/* Something that an attempt used and that an allowance may cover. */
struct allowance_want {
	int at; /* which attempt */
	enum meter meter;
	const char *provider, *pool; /* with the meter and the beginning of the period: what is used up */
	int64_t starts_us, amount, wanted;
	int64_t given; /* out: how many of `wanted` are free */
};
/* What a dry run would have given away so far; the oldest are forgotten. */
struct allowance_tally {
	int next;
	struct allowance_tallied {
		char provider[ID_MAX + 1], pool[ID_MAX + 1];
		enum meter meter;
		int64_t starts_us, more;
	} row[64];
};
/*
 * Decides what allowances cover of some attempts of one day, in their order, and keeps it, in one transaction: what they were
 * given before counts as theirs, and what they no longer want is free for others. A tenant's decisions come one after another.
 */
struct rerate_allowances {
	struct admin_job job;
	const char *tenant;
	int64_t day;
	int attempts;
	struct allowance_attempt *attempt;
	int wants;
	struct allowance_want *want; /* at most one for an attempt's meter */
	struct allowance_tally *tally; /* a dry run: nothing is kept but this. NULL: it is not one */
};
/* Takes attempts of one day from allowance_due. */
struct allowance_settle {
	struct admin_job job;
	const char *tenant;
	int64_t day;
	int attempts;
	struct allowance_attempt *attempt;
};

/* What providers said that requests cost, and what the prices said; and what re-ratings changed. */
struct costs_line {
	const char *user, *day, *provider, *model; /* "" where the lines are not by it */
	int64_t compared, provider_nano, list_nano;
};
/* The lines that differ most come first. */
struct costs_query {
	struct admin_job job;
	struct account_key key; /* a user, team, org or tenant; BY_USER: a user or tenant */
	int64_t from_day, to_day; /* since 1970, UTC; both included */
	unsigned by; /* enum report_key */
	int limit;
	int count;
	struct costs_line *lines;
	bool more;
	struct costs_line total; /* of all lines */
};

#endif
