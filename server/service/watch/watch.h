/*
 * Who watches at this worker: what all workers of all bursards decide, filtered, and as much of it as a reader takes. Whoever watches
 * takes what has gathered since he took last; it is bounded however long he waits.
 */
#ifndef BURSAR_SERVICE_WATCH_WATCH_H
#define BURSAR_SERVICE_WATCH_WATCH_H

#include "base/list.h"
#include "domain/watch.h"
#include "service/worker/worker.h"

#define WATCHERS_MAX 64 /* of one worker */

/* Strings "" = any; they live as long as the watcher. */
struct watch_filter {
	const char *tenant, *user, *interface, *model; /* a user needs his tenant */
	bool denials; /* no others */
	enum reason reason; /* REASON_NONE = any */
	unsigned kinds; /* 1u << enum watch_kind; 0 = all */
};

struct watch_kept;

/* Embedded by its owner; zeroed but for its inputs. */
struct watcher {
	struct watch_filter filter;
	int most; /* events in one view */
	/* its own */
	struct list link;
	struct worker *worker;
	uint64_t user; /* watch_user_hash; 0 = none */
	int64_t from_us, to_us, seen, stood_for_milli;
	struct watch_totals totals;
	bool gap, partial, crowded;
	int kept;
	struct watch_kept *event;
};

/* Strings in the arena. */
struct watch_shown {
	struct watch_event event;
	const char *tenant, *server;
	int64_t stands_for_milli; /* of how many like it this one was drawn, in thousandths: 1000 = of itself alone */
};
struct watch_view {
	int64_t from_us, to_us; /* the store's clock */
	struct watch_totals totals; /* of the tenants, whatever else the filter says; exact but for a gap */
	int events;
	struct watch_shown *event;
	int64_t left_out; /* about so many more match; 0 and complete: none */
	bool complete; /* all that match are here */
	bool gap; /* something was lost on the way since the last view */
	int workers; /* heard within the last seconds; of a user who is watched: those that tell all of him */
};

/* ERR_EXHAUSTED when too many watch at this worker, ERR_UNIMPLEMENTED when it hears nobody. */
bool watcher_start(struct watcher *watcher, struct worker *worker, struct err *err) __attribute__((warn_unused_result));
void watcher_stop(struct watcher *watcher);
/* What has gathered since the last view. ERR_EXHAUSTED when more users are watched by name than workers look for. */
bool watcher_take(struct watcher *watcher, struct arena *arena, struct watch_view *out, struct err *err)
	__attribute__((warn_unused_result));

/* Nobody watches any more, and the store is gone. NULL is fine. */
void watch_hub_free(struct watch_hub *hub);

#endif
