/* Inside of the ledger store: what its files share. */
#ifndef BURSAR_PG_LEDGER_LEDGER_H
#define BURSAR_PG_LEDGER_LEDGER_H

#include <pthread.h>

#include "base/arena.h"
#include "base/units.h"
#include "pg/link/link.h"
#include "pg/link/threads.h"
#include "store/ledger.h"

/* ledger.flags beyond those of the price (domain/record/entry.h). */
#define LEDGER_FLAG_FINAL 256
#define LEDGER_FLAG_LATE 512
#define LEDGER_FLAG_NEVER_CHECKED 1024
#define LEDGER_FLAG_LEDGER_ONLY 2048

#define DAYS_KNOWN 64

struct pg_ledger {
	struct ledger_store store; /* first */
	struct pg_threads *threads;
	struct pg_inbox *inbox;
	pthread_mutex_t lock; /* jobs of one store may run on several threads */
	int days; /* partitions that are known to be there */
	int64_t day[DAYS_KNOWN];
};

/* An operation on its way; lives in the operation's arena. */
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
/* Makes partitions for the days of all times; remembers them. In a transaction of its own. */
bool ledger_days_ensure(
	struct pg_ledger *ledger, struct pg_link *link, const int64_t *times_us, int count, int *made, struct err *err);
void ledger_days_forget(struct pg_ledger *ledger);

/* write.c */
bool ledger_run_write(struct pg_job *job, struct pg_link *link, struct err *err);

/* insert.c: inserts the rows of `items` (sorted by ledger_order) inside the open transaction, and sets the fates. */
int ledger_order(const void *a, const void *b); /* of struct ledger_item *[] */
bool ledger_insert(struct pg_link *link, struct ledger_item **items, int count, struct arena *scratch, struct err *err);

/* groups.c: adds the team and the org of users of whom the check could not know them, as they are now. */
bool ledger_groups(struct pg_link *link, struct ledger_item **items, int count, struct arena *arena, struct err *err);

/* older.c: fills in the windows of the written ones of `items` that come from the release before. */
bool ledger_older_windows(struct pg_link *link, struct ledger_item **items, int count, struct err *err);

/*
 * sums.c: adds the written ones of `items` to roll-ups, windows and bucket levels and commits, in one round trip.
 * What is summed is only what this transaction has inserted: so every row counts once, however often it comes.
 */
bool ledger_sum_and_commit(
	struct pg_link *link, struct ledger_item **items, int count, struct arena *scratch, struct err *err);

#endif
