/*
 * Prices recorded requests again, at the price that is in force now for the time of their check, and corrects what that
 * changes: page by page, each correction an adjustment of its own.
 */
#ifndef BURSAR_SERVICE_ADMIN_RERATE_H
#define BURSAR_SERVICE_ADMIN_RERATE_H

#include "service/admin/adjust.h"
#include "service/worker/catalog_wait.h"
#include "service/worker/flow.h"

/* Records in a page, corrections made at the same time, and lines of the summary. */
enum { RERATE_PAGE = 500, RERATE_LANES = 16, RERATE_LINES_MAX = 500 };

/* A request that is to be corrected. */
struct rerate_change {
	const struct rerate_row *row;
	struct entry_usage usage; /* what counts from then on */
	struct entry_rerate before;
	struct bill_key line; /* on which it will be */
	int64_t cost_before, cost_after;
};

/* What is corrected, by the line before and after. */
struct rerate_line {
	char provider[ID_MAX + 1], model[ID_MAX + 1];
	char new_provider[ID_MAX + 1], new_model[ID_MAX + 1];
	int64_t requests, cost_before, cost_after;
	bool others; /* all that did not fit */
};

/* Of all pages so far. */
struct rerate_counts {
	int64_t scanned; /* records that were read */
	int64_t corrected, cost_before, cost_after; /* or would be, in a dry run */
	int64_t unpriced; /* of those that were asked for: still without a price of their own */
	int64_t adjusted, erased; /* left alone: corrected by hand, or of users who have been erased */
	int64_t waiting; /* left alone: a correction of them has not reached the ledger yet */
	int64_t ledger_only; /* corrected on the bill alone: a counter has less than would be taken */
	int64_t sums; /* left alone: sums of requests, of which it is not known what each of them used */
	int64_t gone_days; /* days that the ledger does not have any more */
};

struct ledger_rerate;

/* What of a record an allowance may cover. */
struct rerate_wants {
	int count;
	struct allowance_want want[ALLOWANCES_MAX];
};

struct rerate_lane {
	struct ledger_adjust adjust;
	struct ledger_rerate *rerate;
	struct rerate_change *change;
	struct arena own; /* reset for each correction */
};

/* Embedded in the caller and alive until flow.done has run. What a page read is in `arena`, which may be reset after it. */
struct ledger_rerate {
	struct flow flow;
	struct worker *worker;
	struct arena *arena;
	/* in */
	const char *tenant, *from_day, *to_day;
	const char *model, *resolved; /* only this model, by any of its names, and what it resolves to; "" = all */
	bool flagged; /* only what is flagged unpriced */
	bool dry_run;
	bool due; /* only records of allowance_due, which have no audit row; what needs no correction is taken from there */
	const char *actor, *reason;
	const struct rerate_day *day; /* outlives the arena */
	int days;
	/* out */
	struct rerate_counts counts;
	int lines;
	struct rerate_line *line; /* room for RERATE_LINES_MAX + 1; NULL: there is no summary */
	struct allowance_tally *tally; /* in a dry run; zeroed before it */
	bool more;
	/* internal */
	struct catalog_wait wait;
	int at; /* the day */
	char user[ID_MAX + 1], request_id[ID_MAX + 1]; /* the last row of the previous page */
	int attempt;
	bool noted;
	struct rerate_page page;
	struct rerate_note note;
	struct rerate_allowances allowances;
	struct allowance_settle settle;
	struct snapshot *snapshot;
	int changes, next, pending;
	struct rerate_change *change;
	struct rerate_lane *lane;
	bool failed;
	struct err why;
};

/* Does the next page. `done` runs exactly once, later. After a failure what was corrected stays so, and a repeat goes on. */
void ledger_rerate_start(
	struct ledger_rerate *rerate, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

/* rerate_price.c: finds out what a record costs now. False when nothing about it changes, or when it was not asked for. */
bool rerate_price(struct ledger_rerate *rerate, const struct rerate_row *row, struct rerate_change *out);
/* What an allowance may cover of it, at the price that it would have. False if it was not asked for. */
bool rerate_want(const struct ledger_rerate *rerate, const struct rerate_row *row, struct rerate_wants *out);

/* rerate_allowances.c: asks what allowances cover of the page's records. False if there is nothing to ask. */
bool rerate_allowances_ask(struct ledger_rerate *rerate, void (*done)(struct admin_job *job));
/* Fills in rerate_row.covered from the answer. */
void rerate_allowances_read(struct ledger_rerate *rerate);
/* For `due`: takes the page's records out that need no correction. False if there are none. */
bool rerate_settle_ask(struct ledger_rerate *rerate, void (*done)(struct admin_job *job));

#endif
