/*
 * What one worker has decided since its last report: exact sums by tenant, and a sample of single events. Bounded: when there is no
 * room for one more tenant, the report has to go out before.
 */
#ifndef BURSAR_SERVICE_WATCH_GATHER_H
#define BURSAR_SERVICE_WATCH_GATHER_H

#include "domain/watch.h"

struct gather;

/* `server` is borrowed. */
struct gather *gather_new(uint64_t worker, const char *server);
void gather_free(struct gather *gather); /* NULL is fine */

/* Who is watched by name: hashes, of which the first WATCH_USERS_MAX count. */
void gather_watch(struct gather *gather, const uint64_t *user, int users);

/* False: there is no room for the tenant; nothing was taken. */
bool gather_add(struct gather *gather, const char *tenant, const struct watch_event *event)
	__attribute__((warn_unused_result));
bool gather_empty(const struct gather *gather);
/* Appends the report, and begins the next one. */
void gather_report(struct gather *gather, int64_t now_us, struct buf *out);
/* Something is lost that nobody else will miss: the next number shows it. */
void gather_skip(struct gather *gather);

#endif
