/* What one reader reads: what the hub keeps, or pages of its own until that follows on (service/events/events.h). */
#include "base/clock.h"
#include "service/events/private.h"

enum { PAGE_DEADLINE_US = 10000000 };

bool event_reader_start(struct event_reader *reader, struct worker *worker, struct err *err)
{
	struct event_hub *hub = event_hub_of(worker);
	int most = (int)worker->parts.conf->max_watchers;

	if (hub->count >= most) {
		err_set(err, ERR_EXHAUSTED,
			"%d callers are already reading events here; try again when one of them has left", most);
		return err_reason(err, "TOO_MANY_WATCH");
	}
	reader->hub = hub;
	event_hub_joined(hub, reader);
	return true;
}

bool event_reader_stop(struct event_reader *reader)
{
	if (reader->asked)
		return false;
	event_hub_left(reader->hub, reader);
	arena_release(&reader->arena);
	return true;
}

static void page_answered(struct admin_job *job)
{
	struct event_reader *reader =
		container_of(container_of(job, struct alert_event_list, job), struct event_reader, page);

	reader->asked = false;
	if (!job->ok) {
		reader->failed = true;
		reader->err = job->err;
	}
	reader->ready(reader);
}

static void page_ask(struct event_reader *reader)
{
	struct admin_store *admin = reader->hub->worker->parts.admin;

	arena_reset(&reader->arena);
	reader->paging = reader->asked = true;
	reader->at = 0;
	reader->page_to = reader->hub->newest;
	reader->page = (struct alert_event_list){
		.job = {.arena = &reader->arena,
			.done = page_answered,
			.deadline_us = clock_mono_us() + PAGE_DEADLINE_US},
		.tenant = reader->tenant,
		.kinds = reader->kinds,
		.rule = "",
		.account_kind = reader->user[0] ? ACCOUNT_USER : 0,
		.account = reader->user,
		.forward = true,
		.after = reader->cursor,
		.limit = EVENTS_PAGE,
	};
	admin->ops->alert_event_list(admin, &reader->page);
}

/* The page has been read. If it was the last one, it has shown all that the hub knew when it was asked for, and what its answer knows. */
static void page_end(struct event_reader *reader)
{
	const struct alert_event_list *page = &reader->page;
	int64_t to = page->newest > reader->page_to ? page->newest : reader->page_to;

	if (!page->more && to > reader->cursor)
		reader->cursor = to;
	reader->paging = false;
	arena_release(&reader->arena);
}

static enum event_next next_kept(struct event_reader *reader, const struct alert_event **event)
{
	*event = event_hub_find(reader->hub, reader);
	if (*event) {
		reader->cursor = (*event)->seq;
		return EVENT_FOUND;
	}
	if (reader->cursor < reader->hub->newest)
		reader->cursor = reader->hub->newest;
	return EVENT_WAIT;
}

enum event_next event_reader_next(struct event_reader *reader, const struct alert_event **event, struct err *err)
{
	if (reader->asked)
		return EVENT_WAIT;
	if (reader->failed) {
		*err = reader->err;
		return EVENT_FAILED;
	}
	if (!reader->begun)
		return EVENT_WAIT;
	if (!reader->told) {
		reader->told = true;
		return EVENT_BEGUN;
	}
	if (reader->paging && reader->at < reader->page.count) {
		*event = &reader->page.rows[reader->at++];
		reader->cursor = (*event)->seq;
		return EVENT_FOUND;
	}
	if (reader->paging)
		page_end(reader);
	if (reader->cursor >= reader->hub->kept_after)
		return next_kept(reader, event);
	page_ask(reader);
	return EVENT_WAIT;
}
