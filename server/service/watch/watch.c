/* Takes in reports; each watcher keeps what its filter lets through: sums and a reservoir of packed events. */
#include "service/watch/watch.h"

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
	int count;
	bool stood; /* the subscription has been established once; from then on an interruption is a gap */
	uint64_t chance;
	struct arena arena; /* for the current report */
	int publishers;
	struct heard_publisher *publisher;
};

struct watch_kept {
	struct buf bytes; /* tenant, server, event */
	int64_t stands_for_milli;
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
	int at = watch_place(&watcher->seen, &watcher->kept, watcher->most, &watcher->worker->hub->chance);
	struct watch_kept *kept;

	if (__builtin_add_overflow(watcher->stood_for_milli, stands_for_milli, &watcher->stood_for_milli))
		watcher->stood_for_milli = INT64_MAX;
	if (at < 0)
		return;
	kept = &watcher->event[at];
	kept->stands_for_milli = stands_for_milli;
	buf_reset(&kept->bytes);
	text_put(&kept->bytes, tenant);
	text_put(&kept->bytes, server);
	watch_event_pack(event, &kept->bytes);
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
	free(hub->publisher);
	free(hub);
}

static struct watch_user user_of(const struct watcher *watcher)
{
	return (struct watch_user){.tenant = watcher->filter.tenant, .user = watcher->filter.user};
}

bool watcher_start(struct watcher *watcher, struct worker *worker, struct err *err)
{
	struct watch_hub *hub;
	struct watch_user user;

	if (!worker->parts.watch)
		return err_set(err, ERR_UNIMPLEMENTED, "this server does not receive decisions");
	hub = hub_of(worker);
	if (hub->count == WATCHERS_MAX) {
		err_set(err, ERR_EXHAUSTED, "%d callers are already watching here; try again when one of them has left",
			WATCHERS_MAX);
		return err_reason(err, "TOO_MANY_WATCH");
	}
	watcher->worker = worker;
	watcher->event = mem_zalloc((size_t)watcher->most + 1, sizeof(watcher->event[0]));
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
	for (int i = 0; i < watcher->most; i++)
		buf_release(&watcher->event[i].bytes);
	free(watcher->event);
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

/* The kept events represent all that arrived, each for its share. */
static void events_take(struct watcher *watcher, struct arena *arena, struct watch_view *out)
{
	__int128 sum = 0;

	for (int i = 0; i < watcher->kept; i++)
		sum += watcher->event[i].stands_for_milli;
	out->event = arena_zalloc(arena, (size_t)watcher->kept + 1, sizeof(out->event[0]));
	for (int i = 0; i < watcher->kept; i++) {
		struct watch_kept *kept = &watcher->event[i];
		struct cut cut = cut_of(kept->bytes.data, kept->bytes.len);
		struct watch_shown *shown = &out->event[out->events];

		shown->tenant = text_cut(&cut, arena);
		shown->server = text_cut(&cut, arena);
		shown->stands_for_milli =
			sum ? (int64_t)((__int128)kept->stands_for_milli * watcher->stood_for_milli / sum) : 0;
		if (watch_event_read(&cut, arena, &shown->event))
			out->events++;
	}
}

static int compare_times(const void *a, const void *b)
{
	int64_t x = ((const struct watch_shown *)a)->event.at_us, y = ((const struct watch_shown *)b)->event.at_us;

	return (x > y) - (x < y);
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
	events_take(watcher, arena, out);
	qsort(out->event, (size_t)out->events, sizeof(out->event[0]), compare_times);
	watcher->from_us = watcher->to_us;
	watcher->totals = (struct watch_totals){0};
	watcher->seen = watcher->stood_for_milli = 0;
	watcher->gap = watcher->partial = false;
	watcher->kept = 0;
	return true;
}
