/*
 * What one worker has decided since its last report: exact sums by tenant and a sample of single events. Memory is
 * bounded: if there is no room for another tenant, the report must be sent first.
 */
#ifndef BURSAR_SERVICE_WATCH_GATHER_H
#define BURSAR_SERVICE_WATCH_GATHER_H

#include "domain/watch.h"

struct gather;

/* `server` is borrowed. */
struct gather *gather_new(uint64_t worker, const char *server);
void gather_free(struct gather *gather); /* NULL is fine */

/* Sets the users that are watched by name, as hashes; only the first WATCH_USERS_MAX are used. */
void gather_watch(struct gather *gather, const uint64_t *user, int users);

/* Adds an event. False if there is no room for the tenant; nothing is added then. */
bool gather_add(struct gather *gather, const char *tenant, const struct watch_event *event)
	__attribute__((warn_unused_result));
bool gather_empty(const struct gather *gather);
/* Appends the report to `out` and starts the next one. */
void gather_report(struct gather *gather, int64_t now_us, struct buf *out);
/* Skips a number, so that watchers notice that something was lost. */
void gather_skip(struct gather *gather);

#endif
