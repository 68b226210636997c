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

/* How many sums of the shared roll-up are not those of the ledger's rows, or are missing: counted by SQL of its own. */
#define SHARED_DIFFERENCES \
	"WITH kept AS (SELECT tenant, kind, id, day, provider, model, interface, sum(rows), sum(requests), " \
	"sum(charged_input), sum(charged_output), sum(cost_nano), sum(input), sum(cached_input), sum(cache_write), " \
	"sum(output), sum(reasoning), sum(audio_input), sum(audio_output), sum(unpriced) FROM usage_shared_daily " \
	"GROUP BY 1, 2, 3, 4, 5, 6, 7), " \
	"used AS (SELECT 2 AS kind, team AS id, l.* FROM ledger l UNION ALL SELECT 3, org, l.* FROM ledger l " \
	"UNION ALL SELECT 5, tenant, l.* FROM ledger l), " \
	"right_ones AS (SELECT tenant, kind::smallint, id, day, provider, CASE WHEN price_model <> '' THEN " \
	"price_model " \
	"WHEN model <> '' THEN model ELSE model_checked END, interface, count(*)::numeric, sum(requests), " \
	"sum(charged_input), sum(charged_output), sum(cost_nano), sum(input), sum(cached_input), sum(cache_write), " \
	"sum(output), sum(reasoning), sum(audio_input), sum(audio_output), " \
	"count(*) FILTER (WHERE flags & 1 = 1)::numeric FROM used WHERE entry <> 2 AND id <> '' " \
	"GROUP BY 1, 2, 3, 4, 5, 6, 7) " \
	"SELECT count(*) FROM ((SELECT * FROM kept EXCEPT SELECT * FROM right_ones) UNION ALL " \
	"(SELECT * FROM right_ones EXCEPT SELECT * FROM kept)) d"

/* Counts the request on a team and an org, too; NULL: on none. */
void entry_groups(struct entry *entry, const char *team, const char *org);

/* Runs the loop until no operation is waiting. `done` functions count `waiting` down. */
void ledger_bench_run(struct ledger_bench *bench);
/* The bench of the operations whose `done` runs now: tests have one at a time. */
extern struct ledger_bench *bench_now;

#endif
