/* Notices callers that leave while nothing is read from or written to their connection, and keeps idle streams open. */
#include <stdlib.h>
#include <unistd.h>

#include "http/internal.h"

enum { BEAT_MS = 15000 };

struct watch {
	struct http_call *owner; /* NULL once it closes */
	uv_poll_t poll;
	uv_timer_t beat;
	int fd; /* a duplicate of the connection's */
	int open;
};

void http_call_wake(struct http_call *self)
{
	if (!self->suspended)
		return;
	self->suspended = false;
	MHD_resume_connection(self->connection);
}

static void on_watch_closed(uv_handle_t *handle)
{
	struct watch *watch = handle->data;

	if (--watch->open > 0)
		return;
	close(watch->fd);
	free(watch);
}

void http_call_unwatch(struct http_call *self)
{
	struct watch *watch = self->watch;

	self->watch = NULL;
	if (!watch)
		return;
	watch->owner = NULL;
	uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
	uv_close((uv_handle_t *)&watch->beat, on_watch_closed);
}

static void on_disconnect(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	struct http_call *self = watch->owner;

	(void)status;
	(void)events;
	uv_poll_stop(poll);
	if (!self)
		return;
	pthread_mutex_lock(&self->lock);
	self->left = true;
	http_call_wake(self);
	pthread_mutex_unlock(&self->lock);
}

static void on_beat(uv_timer_t *timer)
{
	struct watch *watch = timer->data;
	struct http_call *self = watch->owner;

	if (!self)
		return;
	pthread_mutex_lock(&self->lock);
	if (self->begun && self->suspended) {
		self->beat = true;
		http_call_wake(self);
	}
	pthread_mutex_unlock(&self->lock);
}

void http_call_watch(struct call *call)
{
	struct http_call *self = container_of(call, struct http_call, call);
	uv_loop_t *loop = worker_loop(call->worker);
	int fd;
	struct watch *watch;

	if (self->gone || (fd = dup(self->link->fd)) < 0)
		return;
	watch = mem_zalloc(1, sizeof(*watch));
	*watch = (struct watch){.owner = self, .fd = fd, .open = 2};
	self->watch = watch;
	uv_poll_init(loop, &watch->poll, fd);
	uv_timer_init(loop, &watch->beat);
	watch->poll.data = watch->beat.data = watch;
	uv_poll_start(&watch->poll, UV_DISCONNECT, on_disconnect);
	if (call->method->row->kind == RPC_SERVER_STREAM)
		uv_timer_start(&watch->beat, on_beat, BEAT_MS, BEAT_MS);
}
