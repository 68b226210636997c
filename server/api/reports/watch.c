/*
 * Watch (api/admin/private.h): sends what was decided since the last message, at intervals. One write is in flight at a
 * time; what arrives while the reader is slow goes into the next message, summed and sampled.
 */
#include "api/admin/private.h"
#include "api/message/validate.h"
#include "base/clock.h"
#include "base/list.h"
#include "service/watch/watch.h"

/* A timer cannot be cancelled, so long waits are made of short naps. */
enum { NAP_US = 100000, USUAL_INTERVAL_US = 1000000, USUAL_EVENTS = 100 };

struct watch_call {
	struct watcher watcher;
	struct call *call;
	struct worker *worker;
	struct arena arena; /* for one message */
	int64_t interval_us, due_us;
	struct wait wait;
	struct admin_stream stream;
};

static void totals_message(struct arena *arena, const struct watch_totals *totals, Bursar__V1__WatchTotals *message)
{
	message->allowed = totals->allowed;
	message->denied = watch_totals_denied(totals);
	message->records = totals->records;
	message->cancels = totals->cancels;
	message->grants = totals->grants;
	message->refusals = totals->refusals;
	message->input_tokens = totals->input;
	message->output_tokens = totals->output;
	message->cost_nano = totals->cost;
	message->denied_by = message_list(arena, REASON_COUNT);
	for (int i = 0; i < REASON_COUNT; i++) {
		Bursar__V1__ReasonCount *count;

		if (!totals->denied[i])
			continue;
		count = message_new(arena, ReasonCount, reason_count);
		count->reason = (Bursar__V1__Reason)i;
		count->count = totals->denied[i];
		message->denied_by[message->n_denied_by++] = count;
	}
}

static Bursar__V1__WatchEvent *event_message(struct arena *arena, const struct watch_shown *shown)
{
	Bursar__V1__WatchEvent *message = message_new(arena, WatchEvent, watch_event);
	const struct watch_event *event = &shown->event;

	message->at_us = event->at_us;
	message->kind = (Bursar__V1__WatchKind)event->kind;
	message->tenant = unconst(shown->tenant);
	message->user = unconst(event->user);
	message->request_id = unconst(event->request_id);
	message->interface = unconst(event->interface);
	message->model = unconst(event->model);
	message->allowed = event->allowed;
	message->reason = (Bursar__V1__Reason)event->reason;
	message->account_kind = (Bursar__V1__AccountKind)event->account_kind;
	message->limit = unconst(event->limit);
	message->tier = unconst(event->tier);
	message->quality = (Bursar__V1__Quality)event->quality;
	message->input_tokens = event->input;
	message->output_tokens = event->output;
	message->cost_nano = event->cost;
	message->pool = unconst(event->pool);
	message->waited_us = event->waited_us;
	message->cause = unconst(event->cause);
	message->server = unconst(shown->server);
	message->stands_for_milli = shown->stands_for_milli;
	return message;
}

static const ProtobufCMessage *view_message(struct arena *arena, const struct watch_view *view)
{
	Bursar__V1__WatchResponse *message = message_new(arena, WatchResponse, watch_response);

	message->from_us = view->from_us;
	message->to_us = view->to_us;
	message->left_out = view->left_out;
	message->complete = view->complete;
	message->gap = view->gap;
	message->workers = view->workers;
	message->totals = message_new(arena, WatchTotals, watch_totals);
	totals_message(arena, &view->totals, message->totals);
	message->events = message_list(arena, (size_t)view->events);
	for (int i = 0; i < view->events; i++)
		message->events[message->n_events++] = event_message(arena, &view->event[i]);
	return &message->base;
}

/* Ends the call; nothing may be in flight. `self` lives in the call's arena and ends with it. */
static void finish(struct watch_call *self, const struct err *why)
{
	struct arena arena = self->arena;

	watcher_stop(&self->watcher);
	if (why)
		call_fail(self->call, why);
	else
		call_end(self->call);
	arena_release(&arena);
}

static void due(struct wait *wait);

static void nap(struct watch_call *self)
{
	int64_t left_us = self->due_us - clock_mono_us();

	self->wait = (struct wait){.due = due};
	self->worker->parts.timers->start(self->worker->parts.timers, &self->wait,
		left_us < 0	   ? 0
		: left_us < NAP_US ? left_us
				   : NAP_US);
}

static void written(struct call *call, bool ok, void *arg)
{
	struct watch_call *self = arg;

	(void)call;
	if (!ok)
		self->stream.gone = true;
	nap(self);
}

static void show(struct watch_call *self)
{
	struct watch_view view;
	struct err err;

	arena_reset(&self->arena);
	if (!watcher_take(&self->watcher, &self->arena, &view, &err)) {
		finish(self, &err);
		return;
	}
	self->due_us = clock_mono_us() + self->interval_us;
	call_write_message(self->call, view_message(&self->arena, &view), written, self);
	arena_reset(&self->arena);
}

static void due(struct wait *wait)
{
	struct watch_call *self = container_of(wait, struct watch_call, wait);
	struct err err;

	if (self->stream.gone) {
		finish(self, NULL);
	} else if (self->stream.draining) {
		err_set(&err, ERR_UNAVAILABLE, "the server is stopping: reconnect");
		err_reason(&err, "DRAINING");
		finish(self, &err);
	} else if (clock_mono_us() < self->due_us) {
		nap(self);
	} else {
		show(self);
	}
}

/* Resolves the requested model to the name that events carry. */
static bool model_of(struct call *call, struct worker *worker, const Bursar__V1__WatchRequest *request,
	struct watch_filter *filter, struct err *err)
{
	struct snapshot *snapshot = snapshot_take(worker, err);

	if (!snapshot)
		return false;
	filter->model = admin_model_wanted(snapshot->catalog, filter->tenant, request->model, false, call_arena(call));
	snapshot_give(worker, snapshot);
	return true;
}

static bool filter_of(struct call *call, struct worker *worker, const Bursar__V1__WatchRequest *request,
	struct watch_filter *filter, struct err *err)
{
	if (!admin_all_tenants(call, request->all_tenants, err))
		return false;
	if (request->all_tenants && request->user[0])
		return err_invalid(err, "all_tenants", "cannot be combined with user: a user belongs to one tenant");
	if (call_draining(call))
		return err_set(err, ERR_UNAVAILABLE, "the server is stopping: reconnect");
	*filter = (struct watch_filter){
		.tenant = request->all_tenants ? "" : tenant_or_default(request->tenant),
		.user = request->user,
		.interface = request->interface,
		.denials = request->denied,
		.reason = (enum reason)request->reason,
	};
	for (size_t i = 0; i < request->n_kinds; i++)
		filter->kinds |= 1u << request->kinds[i];
	return model_of(call, worker, request, filter, err);
}

void admin_watch(struct call *call, void *ctx)
{
	struct watch_call *self = arena_zalloc(call_arena(call), 1, sizeof(*self));
	struct err err;
	const Bursar__V1__WatchRequest *request = request_read(call, &bursar__v1__watch_request__descriptor, &err);

	if (!request || !filter_of(call, ctx, request, &self->watcher.filter, &err)) {
		call_fail(call, &err);
		return;
	}
	self->call = call;
	self->worker = ctx;
	self->interval_us = request->interval_us ? request->interval_us : USUAL_INTERVAL_US;
	self->watcher.most = request->max_events_given_case == BURSAR__V1__WATCH_REQUEST__MAX_EVENTS_GIVEN_MAX_EVENTS
				     ? request->max_events
				     : USUAL_EVENTS;
	if (!watcher_start(&self->watcher, self->worker, &err)) {
		call_fail(call, &err);
		return;
	}
	admin_stream_watch(&self->stream, call);
	show(self);
}
