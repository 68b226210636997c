/* Takes in reports; each watcher keeps what its filter lets through: sums and a reservoir of packed events. */
#include "service/watch/kept.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/text/pack.h"

/* SILENT_US is long enough, because each worker publishes at least once a second. */
enum { TELLERS_MAX = 256, SILENT_US = 3000000, MILLI = 1000 };

/* A worker whose reports have been heard. */
struct heard_publisher {
	uint64_t worker;
	uint32_t number;
	int64_t heard_us;
	int users;
	uint64_t user[WATCH_USERS_MAX];
};

struct watch_hub {
	struct watch_store *store;
	struct list watchers;
	int count, readers;
	size_t kept_bytes; /* of the events of all watchers */
	struct buf event; /* one that may be kept */
	bool stood; /* the subscription has been established once; from then on an interruption is a gap */
	uint64_t chance;
	struct arena arena; /* for the current report */
	int publishers;
	struct heard_publisher *publisher;
};

static void gap_for_all(struct watch_hub *hub)
{
	list_each (&hub->watchers, at, after)
		container_of(at, struct watcher, link)->gap = true;
}

/* If the table is full, a new publisher replaces a silent one; NULL if there is none. */
static struct heard_publisher *publisher_of(struct watch_hub *hub, uint64_t worker, bool *known)
{
	struct heard_publisher *silent = NULL;
	int64_t now_us = clock_mono_us();

	*known = true;
	for (int i = 0; i < hub->publishers; i++) {
		if (hub->publisher[i].worker == worker)
			return &hub->publisher[i];
		if (now_us - hub->publisher[i].heard_us > SILENT_US)
			silent = &hub->publisher[i];
	}
	*known = false;
	if (hub->publishers < TELLERS_MAX)
		return &hub->publisher[hub->publishers++];
	return silent;
}

/* False if this report has been heard before: a store that lost its connection may deliver reports twice. */
static bool is_news(struct watch_hub *hub, const struct watch_report *report)
{
	bool known;
	struct heard_publisher *publisher = publisher_of(hub, report->worker, &known);

	if (!publisher)
		return true;
	if (known && (int32_t)(report->number - publisher->number) <= 0)
		return false;
	if (known && report->number - publisher->number > 1)
		gap_for_all(hub);
	publisher->worker = report->worker;
	publisher->number = report->number;
	publisher->heard_us = clock_mono_us();
	publisher->users = report->users;
	memcpy(publisher->user, report->user, sizeof(publisher->user[0]) * (size_t)report->users);
	return true;
}

static bool either(const char *wanted, const char *is)
{
	return !wanted[0] || strcmp(wanted, is) == 0;
}

static bool lets_through(const struct watch_filter *filter, const struct watch_event *event)
{
	return (!filter->kinds || filter->kinds & 1u << event->kind) && (!filter->denials || watch_is_denial(event)) &&
	       (filter->reason == REASON_NONE || filter->reason == event->reason) &&
	       either(filter->user, event->user) && either(filter->interface, event->interface) &&
	       either(filter->model, event->model);
}

static void keep(struct watcher *watcher, const struct watch_event *event, const char *tenant, const char *server,
	int64_t stands_for_milli)
{
	struct watch_hub *hub = watcher->worker->hub;
	int before = watcher->kept, at = watch_place(&watcher->seen, &watcher->kept, watcher->most, &hub->chance);

	if (__builtin_add_overflow(watcher->stood_for_milli, stands_for_milli, &watcher->stood_for_milli))
		watcher->stood_for_milli = INT64_MAX;
	if (at < 0)
		return;
	buf_reset(&hub->event);
	text_put(&hub->event, tenant);
	text_put(&hub->event, server);
	watch_event_pack(event, &hub->event);
	if (!kept_put(watcher, at, &hub->event, stands_for_milli, &hub->kept_bytes))
		watcher->kept = before;
}

static void take_sample(struct watcher *watcher, const struct watch_report *report, const struct watch_part *part,
	const struct watch_sample *sample)
{
	int64_t stands_for = 0;

	if (sample->seen > sample->count)
		watcher->partial = true;
	if (sample->count && __builtin_mul_overflow(sample->seen, MILLI, &stands_for))
		stands_for = INT64_MAX;
	for (int i = 0; i < sample->count; i++)
		if (lets_through(&watcher->filter, &sample->event[i]))
			keep(watcher, &sample->event[i], part->tenant, report->server, stands_for / sample->count);
}

/* True if the worker reports everything about this user. */
static bool names(const uint64_t *users, int count, uint64_t user)
{
	for (int i = 0; i < count; i++)
		if (users[i] == user)
			return true;
	return false;
}

static void take_report(struct watcher *watcher, const struct watch_report *report)
{
	const struct watch_filter *filter = &watcher->filter;

	if (!watcher->from_us || report->from_us < watcher->from_us)
		watcher->from_us = report->from_us;
	if (report->to_us > watcher->to_us)
		watcher->to_us = report->to_us;
	if (watcher->user && report->users == WATCH_USERS_MAX && !names(report->user, report->users, watcher->user))
		watcher->crowded = true;
	for (int i = 0; i < report->parts; i++) {
		const struct watch_part *part = &report->part[i];

		if (!either(filter->tenant, part->tenant))
			continue;
		watch_totals_add(&watcher->totals, &part->totals);
		if (watcher->user) {
			take_sample(watcher, report, part, &part->sample[DRAW_WATCHED]);
			continue;
		}
		take_sample(watcher, report, part, &part->sample[DRAW_DENIALS]);
		if (!filter->denials && filter->reason == REASON_NONE)
			take_sample(watcher, report, part, &part->sample[DRAW_OTHERS]);
	}
}

static void heard(const void *bytes, size_t len, void *arg)
{
	struct watch_hub *hub = arg;
	struct watch_report report;

	if (watch_report_read(bytes, len, &hub->arena, &report) && is_news(hub, &report))
		list_each (&hub->watchers, at, after)
			take_report(container_of(at, struct watcher, link), &report);
	arena_reset(&hub->arena);
}

static void listening(void *arg)
{
	struct watch_hub *hub = arg;

	if (hub->stood)
		gap_for_all(hub);
	hub->stood = true;
}

static struct watch_hub *hub_of(struct worker *worker)
{
	if (!worker->hub) {
		worker->hub = mem_zalloc(1, sizeof(*worker->hub));
		worker->hub->store = worker->parts.watch;
		worker->hub->chance = (uint64_t)clock_mono_us() | 1;
		worker->hub->publisher = mem_zalloc(TELLERS_MAX, sizeof(worker->hub->publisher[0]));
		list_init(&worker->hub->watchers);
	}
	return worker->hub;
}

void watch_hub_free(struct watch_hub *hub)
{
	if (!hub)
		return;
	arena_release(&hub->arena);
	buf_release(&hub->event);
	free(hub->publisher);
	free(hub);
}

static struct watch_user user_of(const struct watcher *watcher)
{
	return (struct watch_user){.tenant = watcher->filter.tenant, .user = watcher->filter.user};
}

bool watch_join(struct worker *worker, struct err *err)
{
	int most = (int)worker->parts.conf->max_watchers;

	if (hub_of(worker)->readers >= most) {
		err_set(err, ERR_EXHAUSTED, "%d callers are already watching here; try again when one of them has left",
			most);
		return err_reason(err, "TOO_MANY_WATCH");
	}
	worker->hub->readers++;
	return true;
}

void watch_leave(struct worker *worker)
{
	worker->hub->readers--;
}

static bool same_filter(const struct watch_filter *a, const struct watch_filter *b)
{
	return strcmp(a->tenant, b->tenant) == 0 && strcmp(a->user, b->user) == 0 &&
	       strcmp(a->interface, b->interface) == 0 && strcmp(a->model, b->model) == 0 && a->denials == b->denials &&
	       a->reason == b->reason && a->kinds == b->kinds;
}

struct watcher *watcher_like(struct worker *worker, const struct watcher *wanted)
{
	list_each (&hub_of(worker)->watchers, at, after) {
		struct watcher *watcher = container_of(at, struct watcher, link);

		if (watcher->interval_us == wanted->interval_us && watcher->most == wanted->most &&
			same_filter(&watcher->filter, &wanted->filter))
			return watcher;
	}
	return NULL;
}

bool watcher_start(struct watcher *watcher, struct worker *worker, struct err *err)
{
	struct watch_hub *hub;
	struct watch_user user;

	if (!worker->parts.watch)
		return err_set(err, ERR_UNIMPLEMENTED, "this server does not receive decisions");
	hub = hub_of(worker);
	watcher->worker = worker;
	watcher->from_us = watcher->to_us = worker_now_us(worker);
	list_push_back(&hub->watchers, &watcher->link);
	if (hub->count++ == 0)
		hub->store->ops->listen(hub->store, heard, listening, hub);
	if (!watcher->filter.user[0])
		return true;
	user = user_of(watcher);
	watcher->user = watch_user_hash(user.tenant, user.user);
	hub->store->ops->mind(hub->store, &user);
	return true;
}

void watcher_stop(struct watcher *watcher)
{
	struct watch_hub *hub = watcher->worker->hub;
	struct watch_user user = user_of(watcher);

	if (watcher->user)
		hub->store->ops->forget(hub->store, &user);
	list_remove(&watcher->link);
	if (--hub->count == 0) {
		hub->store->ops->hush(hub->store);
		hub->stood = false;
		hub->publishers = 0;
	}
	kept_release(watcher, &hub->kept_bytes);
}

void watcher_branch(struct watcher *watcher, const struct watcher *from)
{
	struct err err;

	*watcher = (struct watcher){.filter = from->filter, .most = from->most};
	if (!watcher_start(watcher, from->worker, &err))
		return; /* cannot be: `from` has started */
	watcher->from_us = from->from_us;
	watcher->to_us = from->to_us;
	watcher->seen = from->seen;
	watcher->stood_for_milli = from->stood_for_milli;
	watcher->totals = from->totals;
	watcher->gap = from->gap;
	watcher->partial = from->partial;
	watcher->crowded = from->crowded;
	kept_copy(watcher, from, &from->worker->hub->kept_bytes);
}

static int workers_heard(const struct watcher *watcher)
{
	const struct watch_hub *hub = watcher->worker->hub;
	int64_t now_us = clock_mono_us();
	int count = 0;

	for (int i = 0; i < hub->publishers; i++) {
		const struct heard_publisher *publisher = &hub->publisher[i];

		if (now_us - publisher->heard_us <= SILENT_US &&
			(!watcher->user || names(publisher->user, publisher->users, watcher->user)))
			count++;
	}
	return count;
}

bool watcher_take(struct watcher *watcher, struct arena *arena, struct watch_view *out, struct err *err)
{
	if (watcher->crowded) {
		err_set(err, ERR_EXHAUSTED, "user: %d users are already watched by name", WATCH_USERS_MAX);
		return err_reason(err, "TOO_MANY_WATCHED");
	}
	*out = (struct watch_view){
		.from_us = watcher->from_us,
		.to_us = watcher->to_us,
		.totals = watcher->totals,
		.left_out = watcher->stood_for_milli / MILLI - watcher->kept,
		.complete = !watcher->gap && !watcher->partial && watcher->seen == watcher->kept,
		.gap = watcher->gap,
		.workers = workers_heard(watcher),
	};
	kept_show(watcher, arena, out);
	watcher->from_us = watcher->to_us;
	watcher->totals = (struct watch_totals){0};
	watcher->seen = watcher->stood_for_milli = 0;
	watcher->gap = watcher->partial = false;
	watcher->kept = 0;
	return true;
}
