/* What is sent: an event's sentence in a language, and the body of a message in the form that each kind of channel takes. */
#ifndef BURSAR_DOMAIN_ALERT_MESSAGE_H
#define BURSAR_DOMAIN_ALERT_MESSAGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "domain/alert/alert.h"

/* Appends one sentence that says what happened: "Team red has used 80% of its budget for November ($80 of $100)." */
void alert_event_text(const struct alert_event *event, const char *language, struct buf *out);

/* A message to be sent; everything is in the arena. */
struct alert_message {
	const char *title; /* e-mail: the subject */
	const char *text; /* plain: for e-mail, and for people who read a log */
	const char *html; /* e-mail only */
	const char *content_type; /* of `body` */
	const char *body; /* what an HTTP channel gets, or a command on its standard input */
	size_t body_len;
};
/*
 * Makes the message of `count` (1..ALERT_DIGEST_EVENTS_MAX) events for the channel's kind, in its language and with its templates.
 * `more`: how many events were left out. `link`: the dashboard's address, "" = none. Texts from users and admins are escaped as
 * the destination needs it, and cut to its limits. A webhook gets {"type": "bursar.alert", "timestamp": ..., "data": {...}} or
 * "bursar.alerts" with a list: docs/alerts.md has the table.
 */
void alert_message_make(const struct alert_channel *channel, const struct alert_event *const events[], int count,
	int64_t more, const char *link, struct arena *arena, struct alert_message *out);

/* Is the text a template of a title or body? ERR_INVALID names `field`, the placeholder, and those that there are. */
bool alert_template_check(const char *text, const char *field, struct err *err) __attribute__((warn_unused_result));

#endif
