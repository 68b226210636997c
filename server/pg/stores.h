/* The interfaces of server/store as PostgreSQL serves them. One of each per loop; they share pools. */
#ifndef BURSAR_PG_STORES_H
#define BURSAR_PG_STORES_H

#include <uv.h>

#include "pg/link/threads.h"
#include "store/accounts.h"
#include "store/admin.h"
#include "store/catalog.h"
#include "store/ledger.h"

/*
 * On the loop's thread, for callers on that loop. The pool outlives the store. Each _free closes its handles; memory goes
 * when the loop runs next. No operation may be open.
 */
struct accounts_store *pg_accounts_new(struct pg_threads *threads, uv_loop_t *loop);
void pg_accounts_free(struct accounts_store *store);

struct admin_store *pg_admin_new(struct pg_threads *threads, uv_loop_t *loop);
void pg_admin_free(struct admin_store *store);

struct ledger_store *pg_ledger_new(struct pg_threads *threads, uv_loop_t *loop);
void pg_ledger_free(struct ledger_store *store);

/*
 * Loads the catalog on a thread of its own and looks every 500 ms whether its generation was raised. Keeps the last one
 * when PostgreSQL is away. Before the first load it writes `pool_slots` (the option max_concurrent_agents) to the pools that
 * take their slots from it, where it differs: of several processes the last one counts. NULL only when conninfo cannot be
 * read (ERR_INVALID).
 */
struct catalog_source *pg_catalog_start(const char *conninfo, int pool_slots, struct err *err);
void pg_catalog_stop(struct catalog_source *source);

/* Waits until a catalog has been loaded; false (ERR_DEADLINE with what went wrong last) when none is there after
 * timeout_ms. For start-up and tests. */
bool pg_catalog_wait(struct catalog_source *source, int timeout_ms, struct err *err)
	__attribute__((warn_unused_result));
/* Asks for a look now, instead of within 500 ms: after a change made by this process. Any thread. */
void pg_catalog_poke(struct catalog_source *source);
/* Did PostgreSQL answer the last look? For /readyz. Any thread. */
bool pg_catalog_healthy(struct catalog_source *source);

#endif
