/* An alert's event as a message. */
#ifndef BURSAR_API_MESSAGE_ALERT_H
#define BURSAR_API_MESSAGE_ALERT_H

#include "base/arena.h"
#include "bursar/v1/alerts.pb-c.h"
#include "domain/alert/alert.h"

/* The message points into the event. `language` is that of its sentence. */
Bursar__V1__AlertEvent *alert_event_to_message(
	struct arena *arena, const struct alert_event *event, const char *language);

#endif
