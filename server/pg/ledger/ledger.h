/* Private to the ledger store: what its files share. */
#ifndef BURSAR_PG_LEDGER_LEDGER_H
#define BURSAR_PG_LEDGER_LEDGER_H

#include <pthread.h>

#include "base/arena.h"
#include "base/units.h"
#include "pg/link/link.h"
#include "pg/link/threads.h"
#include "store/ledger.h"

/* Bits of ledger.flags in addition to those of the price (domain/record/entry.h). */
#define LEDGER_FLAG_FINAL 256
#define LEDGER_FLAG_LATE 512
#define LEDGER_FLAG_NEVER_CHECKED 1024
#define LEDGER_FLAG_LEDGER_ONLY 2048
#define LEDGER_FLAG_RERATED \
	4096 /* an adjustment that is a re-rating: its price and flags are now those of the attempt */

#define DAYS_KNOWN 64

struct pg_ledger {
	struct ledger_store store; /* first */
	struct pg_threads *threads;
	struct pg_inbox *inbox;
	pthread_mutex_t lock; /* needed because jobs of one store may run on several threads */
	_Atomic int careful; /* how many batches are to expect rows that exist (write.c) */
	int days; /* number of partitions that are known to exist */
	int64_t day[DAYS_KNOWN];
};

/* An operation in progress, in its own arena. */
struct ledger_job {
	struct pg_job job;
	struct pg_ledger *ledger;
	struct ledger_op *op;
};

/* upkeep.c */
bool ledger_run_upkeep(struct pg_job *job, struct pg_link *link, struct err *err);
bool ledger_run_windows(struct pg_job *job, struct pg_link *link, struct err *err);
bool ledger_run_changes(struct pg_job *job, struct pg_link *link, struct err *err);
bool ledger_run_lease(struct pg_job *job, struct pg_link *link, struct err *err);
/* Makes the partitions for the days of all `times` and remembers them. Uses its own transaction. */
bool ledger_days_ensure(
	struct pg_ledger *ledger, struct pg_link *link, const int64_t *times_us, int count, int *made, struct err *err);
void ledger_days_forget(struct pg_ledger *ledger);

/* write.c */
bool ledger_run_write(struct pg_job *job, struct pg_link *link, struct err *err);

/*
 * insert.c: adds the rows of `items` (sorted by ledger_order) in the open transaction and sets their fates.
 * ledger_copy() takes them all for new, and fails with ledger_meets_rows() if one exists; ledger_insert() finds out
 * which ones exist, and what they mean.
 */
int ledger_order(const void *a, const void *b); /* of struct ledger_item *[] */
bool ledger_copy(struct pg_link *link, struct ledger_item **items, int count, struct err *err);
bool ledger_meets_rows(const struct pg_link *link);
bool ledger_insert(struct pg_link *link, struct ledger_item **items, int count, struct arena *scratch, struct err *err);

/* groups.c: adds the current team and org of users where the check could not know them. */
bool ledger_groups(struct pg_link *link, struct ledger_item **items, int count, struct arena *arena, struct err *err);

/* older.c: fills in the windows of written `items` that come from the previous release. */
bool ledger_older_windows(
	struct pg_link *link, struct ledger_item **items, int count, struct arena *scratch, struct err *err);

/*
 * sums.c: adds the written ones of `items` to roll-ups, windows and bucket levels and commits, in one round trip. Sums
 * only what this transaction has inserted, so every row counts once, however often its entry arrives.
 */
bool ledger_sum_and_commit(
	struct pg_link *link, struct ledger_item **items, int count, struct arena *scratch, struct err *err);

#endif
