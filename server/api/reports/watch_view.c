/* Views as messages of Watch. */
#include "api/admin/private.h"
#include "api/reports/watch.h"

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

const ProtobufCMessage *watch_view_message(struct arena *arena, const struct watch_view *view)
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
