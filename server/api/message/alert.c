/* An alert's event as a message (api/message/alert.h). */
#include "api/message/alert.h"

#include "api/message/convert.h"
#include "base/unconst.h"
#include "domain/alert/message/message.h"

static char *sentence(struct arena *arena, const struct alert_event *event, const char *language)
{
	struct buf text = {0};
	char *copy;

	alert_event_text(event, language, &text);
	copy = arena_strndup(arena, text.data, text.len);
	buf_release(&text);
	return copy;
}

Bursar__V1__AlertEvent *alert_event_to_message(
	struct arena *arena, const struct alert_event *event, const char *language)
{
	Bursar__V1__AlertEvent *message = message_new(arena, AlertEvent, alert_event);

	message->id = event->id;
	message->cursor = event->seq;
	message->at_us = event->at_us;
	message->tenant = unconst(event->tenant);
	message->rule = unconst(event->rule);
	message->kind = (Bursar__V1__AlertKind)event->kind;
	message->severity = (Bursar__V1__AlertSeverity)event->severity;
	message->account_kind = (Bursar__V1__AccountKind)event->account_kind;
	message->account = unconst(event->account);
	message->text = sentence(arena, event, language);
	message->limit = unconst(event->limit_name);
	message->dimension = (Bursar__V1__Dimension)(event->dimension + 1);
	message->window = (Bursar__V1__CalendarWindow)(event->unit + 1);
	message->window_start_us = event->window_start_us;
	message->window_end_us = event->window_end_us;
	message->used = event->used;
	message->amount = event->amount;
	message->percent = (int32_t)event->percent;
	message->threshold = event->threshold;
	message->subject = unconst(event->subject);
	message->before = unconst(event->before);
	message->after = unconst(event->after);
	message->lifted = event->lifted != 0;
	message->age_us = event->age_us;
	message->count = event->count;
	return message;
}
