/* Shared by the hub and its readers. */
#ifndef BURSAR_SERVICE_EVENTS_PRIVATE_H
#define BURSAR_SERVICE_EVENTS_PRIVATE_H

#include "service/events/events.h"

/* Events that one poll has read: all those with cursors above the batch before it, up to `to`. */
struct event_batch {
	struct list link;
	struct arena arena;
	int64_t to;
	int count;
	const struct alert_event *row;
};

struct event_hub {
	struct worker *worker;
	struct list readers;
	int count;
	struct alert_event_list poll;
	struct arena arena; /* of the poll */
	int64_t polls; /* begun so far */
	int64_t poll_at_us; /* clock_mono_us: the next one begins */
	bool polling, ticking;
	struct wait wait; /* of the tick */
	/* Below: since there have been readers. */
	bool known; /* a poll has been answered */
	int64_t newest; /* everything up to this cursor has been read */
	int64_t kept_after; /* the kept batches have everything above this cursor */
	int kept;
	struct list batches;
};

/* hub.c: the worker's, made when the first reader comes. */
struct event_hub *event_hub_of(struct worker *worker);
void event_hub_joined(struct event_hub *hub, struct event_reader *reader);
void event_hub_left(struct event_hub *hub, struct event_reader *reader);
/* The first kept event that the reader wants; NULL: there is none. */
const struct alert_event *event_hub_find(const struct event_hub *hub, const struct event_reader *reader);

#endif
