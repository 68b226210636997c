/* Shows a pool's figures for `pool show` and `pool watch`. */
#ifndef BURSAR_CLI_POOL_WATCH_H
#define BURSAR_CLI_POOL_WATCH_H

#include "cli/core/command.h"

/* Grants per second between two answers; `before` may be NULL (0). */
double pool_grant_rate(const Bursar__V1__PoolStats *before, const Bursar__V1__PoolStats *now);

/*
 * One line without a line end: "agent-execution 3/5 running, 7 waiting (10 enterprise: 4, 1 free: 3), ...". `tiers`
 * gives the names of the priorities; NULL: not known.
 */
void pool_put_line(
	struct buf *out, const Bursar__V1__PoolStats *stats, double grants, const Bursar__V1__ListTiersResponse *tiers);

/* The figures in several lines: a bar of the slots, the queue by priority, and the longest waits. */
void pool_view_stats(
	struct cli *cli, const Bursar__V1__PoolStats *stats, double grants, const Bursar__V1__ListTiersResponse *tiers);

/* The waiters and leases of one user, with their places. */
void pool_view_user(struct cli *cli, const Bursar__V1__PoolStats *stats);

/*
 * The tiers of the pool's tenant, for the two functions above. Free with bursar_free. NULL, without a message, on
 * failure.
 */
Bursar__V1__ListTiersResponse *pool_tiers(struct cli *cli);

/* The command: one update per second until -n were shown. */
int pool_watch_run(struct cli *cli);

#endif
