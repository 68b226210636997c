/* Reads new events, once for all readers of a worker, and keeps the last ones (service/events/events.h). */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "domain/alert/alert.h"
#include "service/events/private.h"

enum { POLL_ROWS = 500, POLL_DEADLINE_US = 10000000 };
/* A timer cannot be cancelled, so the hub waits in short naps. */
enum { TICK_US = 100000 };

static struct event_reader *reader_of(struct list *link)
{
	return container_of(link, struct event_reader, link);
}

static void batch_free(struct event_batch *batch)
{
	list_remove(&batch->link);
	arena_release(&batch->arena);
	free(batch);
}

static void forget_batches(struct event_hub *hub)
{
	while (!list_empty(&hub->batches))
		batch_free(container_of(hub->batches.next, struct event_batch, link));
	hub->kept = 0;
}

/* The batch takes the arena of the poll. */
static void keep(struct event_hub *hub)
{
	struct event_batch *batch = mem_zalloc(1, sizeof(*batch));

	batch->arena = hub->arena;
	hub->arena = (struct arena){0};
	batch->to = hub->newest;
	batch->count = hub->poll.count;
	batch->row = hub->poll.rows;
	list_push_back(&hub->batches, &batch->link);
	hub->kept += batch->count;
	while (hub->kept > EVENTS_KEPT_MAX) {
		struct event_batch *oldest = container_of(hub->batches.next, struct event_batch, link);

		hub->kept_after = oldest->to;
		hub->kept -= oldest->count;
		batch_free(oldest);
	}
}

static int64_t highest(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* What the poll has read becomes known. The first one reads nothing, but where the events end. */
static void take_poll(struct event_hub *hub)
{
	const struct alert_event_list *poll = &hub->poll;

	if (!hub->known) {
		hub->known = true;
		hub->newest = hub->kept_after = highest(poll->newest, EVENTS_START);
		return;
	}
	if (poll->count)
		hub->newest = highest(hub->newest, poll->rows[poll->count - 1].seq);
	if (!poll->more)
		hub->newest = highest(hub->newest, poll->newest);
	if (poll->count)
		keep(hub);
}

/* Whether the reader that has waited for this poll has a cursor now. */
static void begin(struct event_hub *hub, struct event_reader *reader)
{
	const struct alert_event_list *poll = &hub->poll;

	if (!poll->job.ok) {
		reader->failed = true;
		reader->err = poll->job.err;
	} else if (reader->cursor > highest(poll->last, hub->newest)) {
		reader->failed = true;
		err_invalid(&reader->err, "after",
			"%lld is above every cursor of this installation: start again with 0 or from_start",
			(long long)reader->cursor);
	} else {
		reader->begun = true;
		if (!reader->cursor)
			reader->cursor = highest(hub->newest, poll->newest);
	}
}

static void poll_start(struct event_hub *hub);

static void polled(struct admin_job *job)
{
	struct event_hub *hub = container_of(container_of(job, struct alert_event_list, job), struct event_hub, poll);
	bool again = false;

	hub->polling = false;
	hub->poll_at_us = clock_mono_us() + EVENTS_POLL_US;
	if (job->ok)
		take_poll(hub);
	list_each (&hub->readers, at, after) {
		struct event_reader *reader = reader_of(at);

		if (!reader->begun && !reader->failed && reader->begins_with <= hub->polls)
			begin(hub, reader);
		again = again || (!reader->begun && !reader->failed);
	}
	list_each (&hub->readers, at, after)
		reader_of(at)->ready(reader_of(at));
	if (hub->count && (again || (job->ok && hub->poll.more)))
		poll_start(hub);
}

static void poll_start(struct event_hub *hub)
{
	struct admin_store *admin = hub->worker->parts.admin;

	arena_reset(&hub->arena);
	hub->polling = true;
	hub->polls++;
	hub->poll = (struct alert_event_list){
		.job = {.arena = &hub->arena, .done = polled, .deadline_us = clock_mono_us() + POLL_DEADLINE_US},
		.tenant = "",
		.all_tenants = true,
		.rule = "",
		.account = "",
		.forward = true,
		.after = hub->known ? hub->newest : INT64_MAX,
		.limit = POLL_ROWS,
	};
	admin->ops->alert_event_list(admin, &hub->poll);
}

static void tick(struct event_hub *hub);

static void ticked(struct wait *wait)
{
	struct event_hub *hub = container_of(wait, struct event_hub, wait);
	int64_t now_us = clock_mono_us();

	hub->ticking = false;
	if (hub->count && !hub->polling && now_us >= hub->poll_at_us)
		poll_start(hub);
	list_each (&hub->readers, at, after)
		if (now_us >= reader_of(at)->wake_us)
			reader_of(at)->ready(reader_of(at));
	if (hub->count)
		tick(hub);
}

static void tick(struct event_hub *hub)
{
	hub->ticking = true;
	hub->wait = (struct wait){.due = ticked};
	hub->worker->parts.timers->start(hub->worker->parts.timers, &hub->wait, TICK_US);
}

struct event_hub *event_hub_of(struct worker *worker)
{
	struct event_hub *hub = worker->events;

	if (hub)
		return hub;
	hub = worker->events = mem_zalloc(1, sizeof(*hub));
	hub->worker = worker;
	list_init(&hub->readers);
	list_init(&hub->batches);
	return hub;
}

void event_hub_joined(struct event_hub *hub, struct event_reader *reader)
{
	/* What was known when the last reader left may be long ago. */
	if (hub->count == 0) {
		forget_batches(hub);
		hub->known = false;
	}
	hub->count++;
	list_push_back(&hub->readers, &reader->link);
	reader->begun = hub->known && reader->cursor && reader->cursor <= hub->newest;
	/* A poll that is in flight may have been answered before the reader came. */
	reader->begins_with = hub->polls + 1;
	if (!reader->begun && !hub->polling)
		poll_start(hub);
	if (!hub->ticking)
		tick(hub);
}

void event_hub_left(struct event_hub *hub, struct event_reader *reader)
{
	list_remove(&reader->link);
	hub->count--;
}

static bool wanted(const struct event_reader *reader, const struct alert_event *event)
{
	return event->seq > reader->cursor && 1u << event->kind & reader->kinds &&
	       strcmp(event->tenant, reader->tenant) == 0 &&
	       (!reader->user[0] || (event->account_kind == ACCOUNT_USER && strcmp(event->account, reader->user) == 0));
}

const struct alert_event *event_hub_find(const struct event_hub *hub, const struct event_reader *reader)
{
	for (const struct list *at = hub->batches.next; at != &hub->batches; at = at->next) {
		const struct event_batch *batch = container_of(at, const struct event_batch, link);

		if (batch->to <= reader->cursor)
			continue;
		for (int i = 0; i < batch->count; i++)
			if (wanted(reader, &batch->row[i]))
				return &batch->row[i];
	}
	return NULL;
}

bool event_hub_stop(const struct event_hub *hub)
{
	return !hub || (!hub->polling && !hub->ticking);
}

void event_hub_free(struct event_hub *hub)
{
	if (!hub)
		return;
	forget_batches(hub);
	arena_release(&hub->arena);
	free(hub);
}
