/* What `pool show` and `pool watch` draw of a pool's figures. */
#ifndef BURSAR_CLI_POOL_WATCH_H
#define BURSAR_CLI_POOL_WATCH_H

#include "cli/core/command.h"

/* Grants a second between two looks; `before` may be NULL (0). */
double pool_grant_rate(const Bursar__V1__PoolStats *before, const Bursar__V1__PoolStats *now);

/*
 * One line without a line end: "agent-execution 3/5 running, 7 waiting (10 enterprise: 4, 1 free: 3), ...". `tiers` name the priorities;
 * NULL: they are not known.
 */
void pool_put_line(
	struct buf *out, const Bursar__V1__PoolStats *stats, double grants, const Bursar__V1__ListTiersResponse *tiers);

/* The figures with a bar of the slots, the queue by priority, and the longest waiters; several lines. */
void pool_view_stats(
	struct cli *cli, const Bursar__V1__PoolStats *stats, double grants, const Bursar__V1__ListTiersResponse *tiers);

/* The tiers of the pool's tenant, for the two above. Free with bursar_free. NULL, without a word, when they cannot be had. */
Bursar__V1__ListTiersResponse *pool_tiers(struct cli *cli);

/* The command: a look a second until -n of them were shown. */
int pool_watch_run(struct cli *cli);

#endif
