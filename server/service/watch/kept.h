/* The events that a watcher keeps, packed. `all` counts the bytes of all watchers of a worker. */
#ifndef BURSAR_SERVICE_WATCH_KEPT_H
#define BURSAR_SERVICE_WATCH_KEPT_H

#include "service/watch/watch.h"

/* Keeps the bytes (tenant, server, event) at the place. False if that needs memory and WATCH_KEPT_BYTES are in use. */
bool kept_put(struct watcher *watcher, int at, const struct buf *bytes, int64_t stands_for_milli, size_t *all)
	__attribute__((warn_unused_result));
/* Copies as much as there is memory for. */
void kept_copy(struct watcher *watcher, const struct watcher *from, size_t *all);
/* The events in the order of their times; they represent all that arrived, each for its share. */
void kept_show(const struct watcher *watcher, struct arena *arena, struct watch_view *out);
void kept_release(struct watcher *watcher, size_t *all);

#endif
