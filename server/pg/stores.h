/* Implements the interfaces of server/store on PostgreSQL. Each loop has its own instances; they share threads. */
#ifndef BURSAR_PG_STORES_H
#define BURSAR_PG_STORES_H

#include <uv.h>

#include "pg/link/threads.h"
#include "store/accounts.h"
#include "store/admin.h"
#include "store/alerts.h"
#include "store/catalog.h"
#include "store/ledger.h"

/*
 * To be called on the loop's thread, by callers on that loop. `threads` must outlive the store. Each _free closes the
 * store's handles; the memory is freed when the loop next runs. No operation may be open.
 */
struct accounts_store *pg_accounts_new(struct pg_threads *threads, uv_loop_t *loop);
void pg_accounts_free(struct accounts_store *store);

struct admin_store *pg_admin_new(struct pg_threads *threads, uv_loop_t *loop);
void pg_admin_free(struct admin_store *store);

struct ledger_store *pg_ledger_new(struct pg_threads *threads, uv_loop_t *loop);
void pg_ledger_free(struct ledger_store *store);

struct alerts_store *pg_alerts_new(struct pg_threads *threads, uv_loop_t *loop);
void pg_alerts_free(struct alerts_store *store);

/*
 * Loads the catalog on its own thread and checks every 500 ms whether its generation was raised. Keeps the last one
 * while PostgreSQL is away. Before the first load it writes `pool_slots` (the option max_concurrent_agents) to the
 * pools that take their slots from the option, where it differs; among several processes the last to start wins. NULL
 * with ERR_INVALID only when conninfo is malformed.
 */
struct catalog_source *pg_catalog_start(const char *conninfo, int pool_slots, struct err *err);
void pg_catalog_stop(struct catalog_source *source);

/*
 * Waits until a catalog has been loaded; false (ERR_DEADLINE with the last failure) when that takes more than
 * timeout_ms. For start-up and tests.
 */
bool pg_catalog_wait(struct catalog_source *source, int timeout_ms, struct err *err)
	__attribute__((warn_unused_result));
/* Makes the catalog check for changes now instead of within 500 ms, after a change by this process. Any thread. */
void pg_catalog_poke(struct catalog_source *source);
/* Whether PostgreSQL answered the last check for changes. For /readyz. Any thread. */
bool pg_catalog_healthy(struct catalog_source *source);

#endif
