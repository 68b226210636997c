/*
 * The figures of the process's pools for /metrics: one loop of the process asks the store every few seconds and writes
 * them on a board, which the HTTP thread reads. A scrape never asks the store.
 */
#ifndef BURSAR_SERVICE_POOL_BOARD_H
#define BURSAR_SERVICE_POOL_BOARD_H

#include "base/buf.h"
#include "service/pool/admin.h"

#define POOL_BOARD_MAX 256 /* pools; any more are not shown */

/* Remembers that the pool exists. Any thread. */
void pool_board_note(const char *tenant, const char *pool);
/* The name of the nth pool; false at the end. Any thread. */
bool pool_board_at(int at, char tenant[ID_MAX + 1], char pool[POOL_NAME_MAX + 1]);
/* Writes a pool's figures; `shares` belongs to `stats`. Any thread. */
void pool_board_write(
	const char *tenant, const char *pool, const struct pool_stats *stats, const struct pool_shares *shares);
/* Appends the figures of all pools that have some, in the Prometheus text format. Any thread. */
void pool_board_print(struct buf *out);
/* Forgets everything: for tests. */
void pool_board_clear(void);

/*
 * Looks at all pools of the catalog and those noted, one after the other, every 5 s, on the worker's loop. Start it on
 * one worker of the process, and stop it before the worker's parts are freed.
 */
struct pool_rounds;
struct pool_rounds *pool_rounds_start(struct worker *worker);
void pool_rounds_stop(struct pool_rounds *rounds); /* NULL is fine */

#endif
