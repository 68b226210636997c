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
};
/* The next records of a day, in the order user, request_id, attempt. */
struct rerate_page {
	struct admin_job job;
	const char *tenant;
	int64_t day;
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
