/* Outbox entries for tests of the ledger, and a loop to write them on. */
#ifndef TESTS_PG_ENTRIES_H
#define TESTS_PG_ENTRIES_H

#include <uv.h>

#include "pg/pool.h"
#include "pg/stores.h"
#include "store/ledger.h"

/* A loop with a pool and a ledger store on it. */
struct ledger_bench {
	uv_loop_t loop;
	struct pg_pool *pool;
	struct ledger_store *ledger;
	struct accounts_store *accounts;
	struct admin_store *admin;
	int waiting; /* operations that have not come back */
};
void ledger_bench_open(struct ledger_bench *bench, const char *conninfo, int threads);
void ledger_bench_close(struct ledger_bench *bench);

/* Fills a record: tenant "t", one request with 10 input and 5 output tokens for 1,000 nano-USD, on a user with one
 * calendar limit (id 7) and one bucket (id 9). Change what the test is about, then pack it. */
void entry_example(struct entry *entry, struct arena *arena, const char *user, const char *request_id);
/* An item of the batch: packs the entry; `origin` is copied. */
void item_pack(struct ledger_item *item, struct arena *arena, const struct entry *entry, const char *origin);

/* Writes and waits. False: op.err says why. */
bool ledger_write_wait(
	struct ledger_bench *bench, struct ledger_write *op, struct arena *arena, struct ledger_item *items, int count);

/* Runs the loop until no operation is waiting. `done` functions count `waiting` down. */
void ledger_bench_run(struct ledger_bench *bench);
/* The bench of the operations whose `done` runs now: tests have one at a time. */
extern struct ledger_bench *bench_now;

#endif
