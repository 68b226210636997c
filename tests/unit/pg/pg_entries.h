/* Outbox entries for tests of the ledger. */
#ifndef TESTS_PG_ENTRIES_H
#define TESTS_PG_ENTRIES_H

#include "lib/examples.h"
#include "pg_bench.h"

/* Counts the request against a team and an org, too; NULL for none. */
void entry_groups(struct entry *entry, const char *team, const char *org);
/* An item of the batch: packs the entry; `origin` is copied. */
void item_pack(struct ledger_item *item, struct arena *arena, const struct entry *entry, const char *origin);

/* Writes and waits. False: op.err says why. */
bool ledger_write_wait(struct ledger_write *op, struct ledger_item *items, int count);
/*
 * Writes `count` records of the users u0, u1 and u2 in turn, at 100, 200 and 300 nano-USD; the requests are r0, r1, ...
 */
void ledger_fill(int count);

/* How many sums of the shared roll-up differ from the ledger's rows or are missing, counted by separate SQL. */
#define SHARED_DIFFERENCES \
	"WITH kept AS (SELECT tenant, kind, id, day, provider, model, interface, sum(rows), sum(requests), " \
	"sum(charged_input), sum(charged_output), sum(cost_nano), sum(input), sum(cached_input), sum(cache_write), " \
	"sum(output), sum(reasoning), sum(audio_input), sum(audio_output), sum(unpriced) FROM usage_shared_daily " \
	"GROUP BY 1, 2, 3, 4, 5, 6, 7), " \
	"used AS (SELECT 2 AS kind, team AS id, l.* FROM ledger l UNION ALL SELECT 3, org, l.* FROM ledger l " \
	"UNION ALL SELECT 5, tenant, l.* FROM ledger l UNION ALL SELECT 6, tier, l.* FROM ledger l), " \
	"right_ones AS (SELECT tenant, kind::smallint, id, day, provider, CASE WHEN price_model <> '' THEN " \
	"price_model " \
	"WHEN model <> '' THEN model ELSE model_checked END, interface, count(*)::numeric, sum(requests), " \
	"sum(charged_input), sum(charged_output), sum(cost_nano), sum(input), sum(cached_input), sum(cache_write), " \
	"sum(output), sum(reasoning), sum(audio_input), sum(audio_output), " \
	"count(*) FILTER (WHERE flags & 1 = 1)::numeric FROM used WHERE entry <> 2 AND id <> '' " \
	"GROUP BY 1, 2, 3, 4, 5, 6, 7) " \
	"SELECT count(*) FROM ((SELECT * FROM kept EXCEPT SELECT * FROM right_ones) UNION ALL " \
	"(SELECT * FROM right_ones EXCEPT SELECT * FROM kept)) d"

#endif
