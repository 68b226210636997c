/*
 * The watchers at this worker. Each receives the decisions of all workers of all bursards, filtered, and takes what has
 * gathered since they last did. What gathers is bounded, however long a watcher waits, and so are the events that all of
 * them keep together: beyond WATCH_KEPT_BYTES no more are kept, while sums stay exact.
 */
#ifndef BURSAR_SERVICE_WATCH_WATCH_H
#define BURSAR_SERVICE_WATCH_WATCH_H

#include "base/list.h"
#include "domain/watch.h"
#include "service/worker/worker.h"

#define WATCH_KEPT_BYTES ((size_t)32 << 20) /* at one worker; docs/security.md relies on it */

/* A string "" means any. The strings must live as long as the watcher. */
struct watch_filter {
	const char *tenant, *user, *interface, *model; /* `user` requires `tenant` */
	bool denials; /* only denials */
	enum reason reason; /* REASON_NONE = any */
	unsigned kinds; /* 1u << enum watch_kind; 0 = all */
};

struct watch_kept;

/* Embedded in its owner, who sets the inputs and zeroes the rest. Several readers may share one (watcher_like). */
struct watcher {
	struct watch_filter filter;
	int most; /* the maximum number of events in a view */
	int64_t interval_us; /* above 0: between the views of a watcher that may be shared */
	/* internal */
	struct list link;
	struct worker *worker;
	uint64_t user; /* watch_user_hash; 0 = none */
	int64_t from_us, to_us, seen, stood_for_milli;
	struct watch_totals totals;
	bool gap, partial, crowded;
	int kept;
	struct watch_kept *event;
};

/* Strings are in the arena. */
struct watch_shown {
	struct watch_event event;
	const char *tenant, *server;
	int64_t stands_for_milli; /* how many events this one represents, in thousandths: 1000 = only itself */
};
struct watch_view {
	int64_t from_us, to_us; /* the store's clock */
	struct watch_totals totals; /* of the tenants, whatever else the filter says; exact unless there was a gap */
	int events;
	struct watch_shown *event;
	int64_t left_out; /* roughly how many more events match; 0 if complete */
	bool complete; /* all matching events are here */
	bool gap; /* reports were lost since the last view */
	int workers; /* heard in the last few seconds; with a filter.user: only those that track that user */
};

/* Counts a reader until watch_leave(): ERR_EXHAUSTED if there are max_watchers of them at this worker. */
bool watch_join(struct worker *worker, struct err *err) __attribute__((warn_unused_result));
void watch_leave(struct worker *worker);
/* A watcher at this worker with these inputs, which has an interval; NULL when there is none. */
struct watcher *watcher_like(struct worker *worker, const struct watcher *wanted);

/* ERR_UNIMPLEMENTED if this worker receives no decisions. */
bool watcher_start(struct watcher *watcher, struct worker *worker, struct err *err) __attribute__((warn_unused_result));
void watcher_stop(struct watcher *watcher);
/* Starts a watcher that has gathered what `from` has, whose filter's strings it borrows. */
void watcher_branch(struct watcher *watcher, const struct watcher *from);
/* Takes what has gathered since the last view. ERR_EXHAUSTED if more users are watched by name than workers track. */
bool watcher_take(struct watcher *watcher, struct arena *arena, struct watch_view *out, struct err *err)
	__attribute__((warn_unused_result));

/* Call it when there are no watchers left and the store is gone. NULL is fine. */
void watch_hub_free(struct watch_hub *hub);

#endif
