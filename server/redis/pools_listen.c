/*
 * The subscription of a worker to its hints. What is lost with a connection is found by sync, so nothing is repeated here: the
 * connection is made anew, and `listening` says that there was a gap. A Redis that hangs shows in the calls, which share its fate; the
 * subscription is repeated now and then so that a connection whose other end has vanished is noticed too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "redis/adapter.h"
#include "redis/pools_private.h"
#include "redis/url.h"

enum { PAUSE_MS = 100, LONGEST_PAUSE_MS = 2000, PING_MS = 5000, SILENT_US = 15000000 };

struct pools_listener {
	struct redis_flusher flusher;
	uv_timer_t timer; /* connects again, or pings */
	int open_handles;
	bool closing;
	struct redis_url url;
	char channel[8 + POOL_WORKER_ID];
	redisAsyncContext *context; /* NULL between connections */
	int64_t pause_ms, heard_us;
	bool subscribed; /* on this connection */
	void (*hint)(const char *tenant, const char *pool, const struct pool_grant *grant, void *arg);
	void (*listening)(void *arg);
	void *arg;
	struct arena arena; /* of one hint */
};

static void connect_listener(struct pools_listener *listener);

static void on_timer(uv_timer_t *timer);

static void lost(struct pools_listener *listener)
{
	listener->context = NULL;
	if (listener->closing)
		return;
	listener->pause_ms = listener->pause_ms ? listener->pause_ms * 2 : PAUSE_MS;
	if (listener->pause_ms > LONGEST_PAUSE_MS)
		listener->pause_ms = LONGEST_PAUSE_MS;
	uv_timer_start(&listener->timer, on_timer, (uint64_t)listener->pause_ms, 0);
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
	struct pools_listener *listener = context->data;

	(void)status;
	if (listener && listener->context == context)
		lost(listener);
}

static void on_connect(const redisAsyncContext *context, int status)
{
	struct pools_listener *listener = context->data;

	if (status != REDIS_OK && listener && listener->context == context)
		lost(listener);
}

static void drop(struct pools_listener *listener)
{
	redisAsyncContext *context = listener->context;

	if (!context)
		return;
	lost(listener);
	context->data = NULL;
	redisAsyncFree(context);
}

static void tell(struct pools_listener *listener, const char *bytes, size_t len)
{
	struct cut cut = cut_of(bytes, len);
	struct pool_hint hint;

	/* Asked anew each time: whoever is told may free the store. */
	if (pool_read_hint(&hint, &listener->arena, &cut))
		for (int i = 0; i < hint.grants && listener->hint; i++)
			listener->hint(hint.tenant, hint.pool, &hint.grant[i], listener->arg);
	arena_reset(&listener->arena);
}

/* Every message of the subscription: ["subscribe", channel, 1], ["message", channel, bytes], ["pong", ""]. */
static void on_message(redisAsyncContext *context, void *data, void *privdata)
{
	struct pools_listener *listener = context->data;
	const redisReply *reply = data;

	(void)privdata;
	if (!listener || listener->context != context || !reply)
		return;
	listener->heard_us = clock_mono_us();
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 3)
		return;
	if (strcmp(reply->element[0]->str, "message") == 0 && reply->element[2]->type == REDIS_REPLY_STRING) {
		tell(listener, reply->element[2]->str, (size_t)reply->element[2]->len);
	} else if (strcmp(reply->element[0]->str, "subscribe") == 0) {
		listener->pause_ms = 0;
		if (listener->subscribed)
			return;
		listener->subscribed = true;
		if (listener->listening)
			listener->listening(listener->arg);
	}
}

static void introduce(struct pools_listener *listener)
{
	redisAsyncContext *context = listener->context;
	const struct redis_url *url = &listener->url;

	if (url->password[0] && url->user[0])
		redisAsyncCommand(context, NULL, NULL, "AUTH %s %s", url->user, url->password);
	else if (url->password[0])
		redisAsyncCommand(context, NULL, NULL, "AUTH %s", url->password);
	redisAsyncCommand(context, on_message, NULL, "SUBSCRIBE %s", listener->channel);
}

static void connect_listener(struct pools_listener *listener)
{
	redisAsyncContext *context = listener->url.path[0] ? redisAsyncConnectUnix(listener->url.path)
							   : redisAsyncConnect(listener->url.host, listener->url.port);

	if (!context || context->err || !redis_attach(context, &listener->flusher)) {
		if (context)
			redisAsyncFree(context);
		lost(listener);
		return;
	}
	context->data = listener;
	listener->context = context;
	listener->heard_us = clock_mono_us();
	listener->subscribed = false;
	redisAsyncSetConnectCallback(context, on_connect);
	redisAsyncSetDisconnectCallback(context, on_disconnect);
	introduce(listener);
	uv_timer_start(&listener->timer, on_timer, PING_MS, PING_MS);
}

/*
 * hiredis takes no PING on a subscribed connection (its answer matches no subscription), so the same channel is subscribed once more: Redis
 * answers that at once, and it changes nothing.
 */
static void on_timer(uv_timer_t *timer)
{
	struct pools_listener *listener = timer->data;

	if (!listener->context) {
		uv_timer_stop(timer);
		connect_listener(listener);
	} else if (clock_mono_us() - listener->heard_us > SILENT_US) {
		log_warn("redis says nothing on the channel of pools; connecting again");
		drop(listener);
	} else {
		redisAsyncCommand(listener->context, on_message, NULL, "SUBSCRIBE %s", listener->channel);
	}
}

struct pools_listener *pools_listen_new(const struct redis_options *options, const char *worker)
{
	struct pools_listener *listener = mem_zalloc(1, sizeof(*listener));
	struct err err;

	if (!redis_url_parse(options->url, &listener->url, &err))
		abort(); /* the link of the same url was just made */
	snprintf(listener->channel, sizeof(listener->channel), "b:g:%s", worker);
	redis_flusher_init(&listener->flusher, options->loop);
	uv_timer_init(options->loop, &listener->timer);
	listener->timer.data = listener;
	return listener;
}

void pools_listen_start(struct pools_listener *listener,
	void (*hint)(const char *tenant, const char *pool, const struct pool_grant *grant, void *arg),
	void (*listening)(void *arg), void *arg)
{
	listener->hint = hint;
	listener->listening = listening;
	listener->arg = arg;
	if (!listener->context && !uv_is_active((uv_handle_t *)&listener->timer))
		connect_listener(listener);
}

static void on_closed(uv_handle_t *handle)
{
	struct pools_listener *listener = handle->data;

	if (--listener->open_handles > 0)
		return;
	arena_release(&listener->arena);
	free(listener);
}

void pools_listen_free(struct pools_listener *listener)
{
	uv_handle_t *const handles[] = {(uv_handle_t *)&listener->flusher.prepare,
		(uv_handle_t *)&listener->flusher.hold, (uv_handle_t *)&listener->timer};

	listener->closing = true;
	listener->hint = NULL;
	listener->listening = NULL;
	drop(listener);
	listener->open_handles = 3;
	for (int i = 0; i < 3; i++) {
		handles[i]->data = listener;
		uv_close(handles[i], on_closed);
	}
}
