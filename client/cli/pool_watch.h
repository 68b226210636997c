/* What `pool show` and `pool watch` draw of a pool's figures. */
#ifndef BURSAR_CLI_POOL_WATCH_H
#define BURSAR_CLI_POOL_WATCH_H

#include "cli/command.h"

/* Grants a second between two looks; `before` may be NULL (0). */
double pool_grant_rate(const Bursar__V1__PoolStats *before, const Bursar__V1__PoolStats *now);

/* One line without a line end: "agent-execution 3/5 running, 7 waiting (10: 4, 1: 3), ...". */
void pool_put_line(struct buf *out, const Bursar__V1__PoolStats *stats, double grants);

/* The figures with a bar of the slots, the queue by priority, and the longest waiters; several lines. */
void pool_view_stats(struct cli *cli, const Bursar__V1__PoolStats *stats, double grants);

/* The command: a look a second until -n of them were shown. */
int pool_watch_run(struct cli *cli);

#endif
