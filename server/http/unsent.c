/*
 * What streams are sending, and their readers do not take. A reader who stops reading is cut off after a while (the
 * connection's timeout); meanwhile many of them, each with a message of their own, have a bound together: beyond it, the
 * one that has been sending for the longest time is cut off. A message that many send counts once.
 */
#include <sys/socket.h>

#include "base/observe/metrics.h"
#include "http/internal.h"

/* With the lock of the list held, like all below. */
static void leave(struct http *http, struct http_call *self)
{
	if (list_empty(&self->unsent))
		return;
	list_remove(&self->unsent);
	if (!self->sending)
		http->unsent_bytes -= self->unsent_bytes;
	else if (--self->sending->senders == 0)
		http->unsent_bytes -= self->sending->counted;
}

static struct http_call *oldest(struct http *http)
{
	return container_of(http->unsent.next, struct http_call, unsent);
}

/* The connection ends soon, and with it what it holds. */
static void cut_off(struct http *http, struct http_call *self)
{
	leave(http, self);
	metric_inc(METRIC_answers_dropped_total, METRIC_DROPPED_ROOM, 0);
	shutdown(self->link->fd, SHUT_RDWR);
}

void http_unsent_begin(struct http_call *self)
{
	struct http *http = self->http;

	pthread_mutex_lock(&http->unsent_lock);
	self->unsent_bytes = self->text_len;
	list_push_back(&http->unsent, &self->unsent);
	if (!self->sending)
		http->unsent_bytes += self->unsent_bytes;
	else if (self->sending->senders++ == 0)
		http->unsent_bytes += self->sending->counted = self->unsent_bytes;
	while (http->unsent_bytes > http->options.unsent_bytes && oldest(http) != self &&
		(!self->sending || oldest(http)->sending != self->sending))
		cut_off(http, oldest(http));
	pthread_mutex_unlock(&http->unsent_lock);
}

void http_unsent_done(struct http_call *self)
{
	struct http *http = self->http;

	if (!self->text)
		return;
	pthread_mutex_lock(&http->unsent_lock);
	leave(http, self);
	pthread_mutex_unlock(&http->unsent_lock);
}
