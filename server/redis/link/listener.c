/* The subscription: connects, subscribes, reconnects. */
#include "redis/link/listener.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/observe/log.h"
#include "redis/connect/errors.h"
#include "redis/link/side.h"

enum { PAUSE_MS = 100, LONGEST_PAUSE_MS = 2000, PING_MS = 5000, SILENT_US = 15000000 };

struct channel {
	struct list link; /* listener->channels */
	int added;
	struct buf name;
};

struct redis_listener {
	struct redis_flusher flusher;
	uv_timer_t timer; /* reconnects, or pings */
	int open_handles;
	bool stopped;
	struct redis_side side;
	struct list channels; /* the first one first */
	redisAsyncContext *context; /* NULL between connections */
	int64_t pause_ms, heard_us;
	bool subscribed; /* on this connection */
	void (*heard)(const char *bytes, size_t len, void *arg);
	void (*listening)(void *arg);
	void *arg;
};

static void connect_listener(struct redis_listener *listener);

static void on_timer(uv_timer_t *timer);

static void lost(struct redis_listener *listener)
{
	listener->context = NULL;
	if (listener->stopped)
		return;
	listener->pause_ms = listener->pause_ms ? listener->pause_ms * 2 : PAUSE_MS;
	if (listener->pause_ms > LONGEST_PAUSE_MS)
		listener->pause_ms = LONGEST_PAUSE_MS;
	uv_timer_start(&listener->timer, on_timer, (uint64_t)listener->pause_ms, 0);
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
	struct redis_listener *listener = context->data;

	struct err why;

	/* Redis refused the subscription: hiredis ends the connection with the error's text. */
	if (status != REDIS_OK && redis_error_of(context->errstr) != REDIS_ERROR_COUNT) {
		redis_error_set(&why, context->errstr);
		log_error("redis refuses the subscription", F("why", why.text));
	}
	if (listener && listener->context == context)
		lost(listener);
}

static void on_connect(const redisAsyncContext *context, int status)
{
	struct redis_listener *listener = context->data;

	if (status != REDIS_OK && listener && listener->context == context)
		lost(listener);
}

static void drop(struct redis_listener *listener)
{
	redisAsyncContext *context = listener->context;

	if (!context)
		return;
	lost(listener);
	context->data = NULL;
	redisAsyncFree(context);
}

/* Every message of the subscription: ["subscribe", channel, 1], ["message", channel, bytes], ["pong", ""]. */
static void on_message(redisAsyncContext *context, void *data, void *privdata)
{
	struct redis_listener *listener = context->data;
	const redisReply *reply = data;

	(void)privdata;
	if (!listener || listener->context != context || !reply)
		return;
	listener->heard_us = clock_mono_us();
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 3)
		return;
	if (strcmp(reply->element[0]->str, "message") == 0 && reply->element[2]->type == REDIS_REPLY_STRING) {
		if (listener->heard)
			listener->heard(reply->element[2]->str, (size_t)reply->element[2]->len, listener->arg);
	} else if (strcmp(reply->element[0]->str, "subscribe") == 0) {
		listener->pause_ms = 0;
		if (listener->subscribed)
			return;
		listener->subscribed = true;
		if (listener->listening)
			listener->listening(listener->arg);
	}
}

static struct channel *first_of(const struct redis_listener *listener)
{
	return container_of(listener->channels.next, struct channel, link);
}

static void subscribe(struct redis_listener *listener, const struct channel *channel)
{
	redisAsyncCommand(
		listener->context, on_message, NULL, "SUBSCRIBE %b", buf_str(&channel->name), channel->name.len);
}

static void connect_listener(struct redis_listener *listener)
{
	redisAsyncContext *context = redis_side_open(&listener->side);

	if (!context) {
		lost(listener);
		return;
	}
	listener->context = context;
	listener->heard_us = clock_mono_us();
	listener->subscribed = false;
	list_each (&listener->channels, at, after)
		subscribe(listener, container_of(at, struct channel, link));
	uv_timer_start(&listener->timer, on_timer, PING_MS, PING_MS);
}

/*
 * hiredis supports no PING on a subscribed connection (its answer matches no subscription), so this subscribes to the
 * first channel once more: Redis answers at once, and nothing changes.
 */
static void on_timer(uv_timer_t *timer)
{
	struct redis_listener *listener = timer->data;

	if (!listener->context) {
		uv_timer_stop(timer);
		connect_listener(listener);
	} else if (clock_mono_us() - listener->heard_us > SILENT_US) {
		log_warn("redis subscription silent; reconnecting");
		drop(listener);
	} else {
		subscribe(listener, first_of(listener));
	}
}

static struct channel *channel_find(const struct redis_listener *listener, const char *name, size_t len)
{
	list_each (&listener->channels, at, after) {
		struct channel *channel = container_of(at, struct channel, link);

		if (channel->name.len == len && memcmp(channel->name.data, name, len) == 0)
			return channel;
	}
	return NULL;
}

static void channel_free(struct channel *channel)
{
	list_remove(&channel->link);
	buf_release(&channel->name);
	free(channel);
}

void redis_listener_add(struct redis_listener *listener, const char *name, size_t len)
{
	struct channel *channel = channel_find(listener, name, len);

	if (!channel) {
		channel = mem_zalloc(1, sizeof(*channel));
		buf_put(&channel->name, name, len);
		list_push_back(&listener->channels, &channel->link);
		if (listener->context)
			subscribe(listener, channel);
	}
	channel->added++;
}

void redis_listener_remove(struct redis_listener *listener, const char *name, size_t len)
{
	struct channel *channel = channel_find(listener, name, len);

	if (!channel || --channel->added > 0)
		return;
	if (listener->context)
		redisAsyncCommand(listener->context, NULL, NULL, "UNSUBSCRIBE %b", name, len);
	channel_free(channel);
}

struct redis_listener *redis_listener_new(const struct redis_listener_options *options)
{
	struct redis_listener *listener = mem_zalloc(1, sizeof(*listener));
	struct err err;

	listener->side = (struct redis_side){.flusher = &listener->flusher,
		.tls_ca = options->tls_ca,
		.connected = on_connect,
		.disconnected = on_disconnect,
		.data = listener};
	if (!redis_url_parse(options->url, &listener->side.url, &err))
		abort(); /* a link with the same url was just created */
	listener->heard = options->heard;
	listener->listening = options->listening;
	listener->arg = options->arg;
	listener->stopped = true;
	list_init(&listener->channels);
	redis_listener_add(listener, options->channel, strlen(options->channel));
	redis_flusher_init(&listener->flusher, options->loop);
	uv_timer_init(options->loop, &listener->timer);
	listener->timer.data = listener;
	return listener;
}

void redis_listener_start(struct redis_listener *listener)
{
	listener->stopped = false;
	if (!listener->context && !uv_is_active((uv_handle_t *)&listener->timer))
		connect_listener(listener);
}

void redis_listener_stop(struct redis_listener *listener)
{
	listener->stopped = true;
	drop(listener);
	uv_timer_stop(&listener->timer);
}

static void on_closed(uv_handle_t *handle)
{
	struct redis_listener *listener = handle->data;

	if (--listener->open_handles > 0)
		return;
	list_each (&listener->channels, at, after)
		channel_free(container_of(at, struct channel, link));
	redis_tls_free(listener->side.tls);
	free(listener);
}

void redis_listener_free(struct redis_listener *listener)
{
	uv_handle_t *const handles[] = {(uv_handle_t *)&listener->flusher.prepare,
		(uv_handle_t *)&listener->flusher.hold, (uv_handle_t *)&listener->timer};

	listener->heard = NULL;
	listener->listening = NULL;
	redis_listener_stop(listener);
	listener->open_handles = 3;
	for (int i = 0; i < 3; i++) {
		handles[i]->data = listener;
		uv_close(handles[i], on_closed);
	}
}
