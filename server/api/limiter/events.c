/*
 * Events (api/limiter/limiter.h): a reader's events, one message at a time. The next one is read only when the last one has been
 * written, so a slow caller holds up nobody.
 */
#include "api/limiter/limiter.h"

#include <stdio.h>
#include <string.h>

#include "api/auth/auth.h"
#include "api/message/alert.h"
#include "api/message/convert.h"
#include "api/message/validate.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/unconst.h"
#include "rpc/message.h"
#include "service/events/events.h"

/* After so long without an event, the caller is told that there is none. */
enum { SILENCE_US = 15000000 };

#define KIND(kind) (1u << (kind))
#define USUAL_KINDS \
	(KIND(ALERT_THRESHOLD) | KIND(ALERT_PROJECTED) | KIND(ALERT_DENIAL) | KIND(ALERT_SUSPENDED) | KIND(ALERT_TIER))
#define ACCOUNT_KINDS (USUAL_KINDS | KIND(ALERT_ANOMALY))

/* One stream, in its call's arena. */
struct events_call {
	struct event_reader reader;
	struct call *call;
	const char *language;
	struct arena arena; /* of one message */
	bool writing;
	bool gone, draining;
};

/* Ends the call as soon as the store has nothing in flight for it; `self` is gone then. */
static void finish(struct events_call *self, const struct err *why)
{
	if (!event_reader_stop(&self->reader))
		return;
	arena_release(&self->arena);
	if (why)
		call_fail(self->call, why);
	else
		call_end(self->call);
}

static void finish_draining(struct events_call *self)
{
	struct err err;

	call_draining_error(&err);
	finish(self, &err);
}

static void written(struct call *call, bool ok, void *arg);

/* Callers who may not see the names of shared accounts get the event without. */
static Bursar__V1__AlertEvent *event_message(struct events_call *self, const struct alert_event *event)
{
	struct alert_event shown = *event;

	if (shown.account_kind != ACCOUNT_USER && !caller_sees_names(self->call))
		shown.account = "";
	return alert_event_to_message(&self->arena, &shown, self->language);
}

/* `event` NULL: there is none. */
static void write_event(struct events_call *self, const struct alert_event *event)
{
	Bursar__V1__EventsResponse message = BURSAR__V1__EVENTS_RESPONSE__INIT;

	arena_reset(&self->arena);
	message.cursor = self->reader.cursor;
	if (event)
		message.event = event_message(self, event);
	self->writing = true;
	self->reader.wake_us = INT64_MAX;
	call_write_message(self->call, &message.base, written, self);
}

static void go_on(struct events_call *self)
{
	const struct alert_event *event;
	enum event_next next;
	struct err err;

	if (self->gone) {
		finish(self, NULL);
	} else if (self->draining) {
		finish_draining(self);
	} else if (!self->writing) {
		next = event_reader_next(&self->reader, &event, &err);
		if (next == EVENT_FAILED)
			finish(self, &err);
		else if (next == EVENT_FOUND)
			write_event(self, event);
		else if (next == EVENT_BEGUN || clock_mono_us() >= self->reader.wake_us)
			write_event(self, NULL);
	}
}

static void written(struct call *call, bool ok, void *arg)
{
	struct events_call *self = arg;

	(void)call;
	self->writing = false;
	self->gone |= !ok;
	self->reader.wake_us = clock_mono_us() + SILENCE_US;
	go_on(self);
}

static void ready(struct event_reader *reader)
{
	go_on(container_of(reader, struct events_call, reader));
}

static void left(struct call *call, void *arg)
{
	struct events_call *self = arg;

	(void)call;
	self->gone = true;
	go_on(self);
}

static void draining(struct call *call, void *arg)
{
	struct events_call *self = arg;

	(void)call;
	self->draining = true;
	go_on(self);
}

static bool kinds_read(struct call *call, const Bursar__V1__EventsRequest *request, unsigned *kinds, struct err *err)
{
	unsigned may = MAY_VIEW & 1u << caller_role(call) ? ~0u : ACCOUNT_KINDS;
	char field[32];

	*kinds = request->n_kinds ? 0 : USUAL_KINDS;
	for (size_t i = 0; i < request->n_kinds; i++) {
		enum alert_kind kind = (enum alert_kind)request->kinds[i];

		snprintf(field, sizeof(field), "kinds[%zu]", i);
		if (!kind)
			return err_invalid(err, field, "must be given");
		if (alert_kind_is_system(kind))
			return err_invalid(err, field,
				"concerns the whole installation: such events are in ListAlertEvents, with system");
		if (!(KIND(kind) & may)) {
			err_set(err, ERR_PERMISSION, "%s: concerns no account; a key with the role %s may not read it",
				field, role_name(caller_role(call)));
			return err_reason(err, "ROLE");
		}
		*kinds |= KIND(kind);
	}
	return true;
}

/* The language of the texts, in the call's arena. */
static bool language_read(struct call *call, struct worker *worker, const Bursar__V1__EventsRequest *request,
	const char **language, struct err *err)
{
	struct snapshot *snapshot;
	const struct tenant *tenant;

	*language = request->language;
	if ((*language)[0])
		return true;
	snapshot = snapshot_take(worker, err);
	if (!snapshot)
		return false;
	tenant = catalog_tenant(snapshot->catalog, tenant_or_default(request->tenant));
	if (tenant)
		*language = arena_strndup(call_arena(call), tenant->language, strlen(tenant->language));
	snapshot_give(worker, snapshot);
	return true;
}

static bool may_start(struct call *call, struct err *err)
{
	return !call_draining(call) || call_draining_error(err);
}

void limiter_events(struct call *call, void *ctx)
{
	struct events_call *self = arena_zalloc(call_arena(call), 1, sizeof(*self));
	struct err err;
	const Bursar__V1__EventsRequest *request = request_read(call, &bursar__v1__events_request__descriptor, &err);

	if (!request || !may_start(call, &err) || !kinds_read(call, request, &self->reader.kinds, &err) ||
		!language_read(call, ctx, request, &self->language, &err)) {
		call_fail(call, &err);
		return;
	}
	self->call = call;
	self->reader.tenant = tenant_or_default(request->tenant);
	self->reader.user = request->user;
	self->reader.cursor = request->after || !request->from_start ? request->after : EVENTS_START;
	self->reader.ready = ready;
	self->reader.wake_us = INT64_MAX;
	if (!event_reader_start(&self->reader, ctx, &err)) {
		call_fail(call, &err);
		return;
	}
	call_on_cancel(call, left, self);
	call_on_drain(call, draining, self);
	go_on(self);
}
