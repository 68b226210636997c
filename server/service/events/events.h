/*
 * The readers of alert events at this worker. New events are read once for all of them, as long as there are readers; the last
 * ones are kept, and a reader who needs older ones reads pages of its own, one at a time. So what a reader holds is bounded,
 * however slow it is.
 */
#ifndef BURSAR_SERVICE_EVENTS_EVENTS_H
#define BURSAR_SERVICE_EVENTS_EVENTS_H

#include "base/list.h"
#include "service/worker/worker.h"

enum {
	EVENTS_POLL_US = 500000, /* between two looks for new events */
	EVENTS_KEPT_MAX = 2000, /* events that the hub keeps, about */
	EVENTS_PAGE = 100, /* of a reader who is behind */
};
/* The cursor before all events. */
#define EVENTS_START INT64_C(1)

struct event_hub;

/* Embedded in its owner, who sets the inputs and zeroes the rest. Texts must live as long as the reader. */
struct event_reader {
	/* in */
	const char *tenant, *user; /* user "": all accounts */
	unsigned kinds; /* bits 1 << enum alert_kind */
	int64_t cursor; /* read what comes after it; 0: from now on. Out: no event up to it is left to be read */
	/* Something may have changed: ask event_reader_next. Runs on the loop, never before the call that it answers has returned. */
	void (*ready)(struct event_reader *reader);
	int64_t wake_us; /* clock_mono_us: `ready` also runs then, at the latest a little later; INT64_MAX: it does not */
	/* internal */
	struct list link;
	struct event_hub *hub;
	bool begun; /* the cursor is known, and is one */
	bool told; /* so the owner has heard */
	int64_t begins_with; /* the number of the poll that tells */
	bool failed;
	struct err err;
	bool paging; /* `page` is in flight, or holds rows that are to be read */
	bool asked; /* it is in flight */
	int at; /* the next of its rows */
	int64_t page_to; /* what the hub had read when it was asked for */
	struct alert_event_list page;
	struct arena arena; /* of the page */
};

/* EVENT_WAIT: `ready` tells when to ask again. EVENT_BEGUN: once, before all events: the cursor is known. EVENT_FAILED: stop the reader. */
enum event_next { EVENT_FOUND, EVENT_WAIT, EVENT_BEGUN, EVENT_FAILED };

/* ERR_EXHAUSTED if there are max_watchers readers at this worker. */
bool event_reader_start(struct event_reader *reader, struct worker *worker, struct err *err)
	__attribute__((warn_unused_result));
/* The next event in the order of cursors; valid until the loop goes on. */
enum event_next event_reader_next(struct event_reader *reader, const struct alert_event **event, struct err *err)
	__attribute__((warn_unused_result));
/* False while the store works for the reader: `ready` runs when it has finished; stop it then. Nothing else follows after true. */
bool event_reader_stop(struct event_reader *reader) __attribute__((warn_unused_result));

/* Call it when there are no readers left. False while the store or a timer still works for the hub. NULL is fine, for both. */
bool event_hub_stop(const struct event_hub *hub);
void event_hub_free(struct event_hub *hub);

#endif
