/* The connection of a link: established, introduced, lost, re-established. */
#include "redis/link/link.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/observe/log.h"
#include "base/observe/metrics.h"
#include "redis/link/link_private.h"
#include "redis/connect/tls.h"

#define BACKOFF_MIN_MS 5
#define BACKOFF_MAX_MS 500
/* If the other machine has not even received what was sent this long ago, the connection is dead. */
#define UNRECEIVED_MS 5000U

static void on_reconnect(uv_timer_t *timer)
{
	link_connect(container_of(timer, struct redis_link, reconnect));
}

static void set_state(struct redis_link *link, enum redis_link_state state)
{
	if ((link->state == LINK_UP) != (state == LINK_UP))
		metric_add(METRIC_redis_links_up, 0, 0, state == LINK_UP ? 1 : -1);
	link->state = state;
}

/* The pause counts from the start of the attempt, so that a slow attempt does not add to it. */
static int64_t pause_ms(const struct redis_link *link)
{
	int64_t spent_ms = link->state == LINK_CONNECTING ? (clock_mono_us() - link->begun_us) / 1000 : 0;

	return link->backoff_ms > spent_ms ? link->backoff_ms - spent_ms : 0;
}

/* The context is gone or about to go: meanwhile hiredis answers all its commands with NULL. */
static void connection_lost(struct redis_link *link, const redisAsyncContext *context)
{
	int64_t after_ms = pause_ms(link);

	if (link->context != context)
		return;
	link->context = NULL;
	link->loading = false;
	link->refused = (struct err){0};
	probe_end(link);
	set_state(link, LINK_WAITING);
	if (link->closing)
		return;
	uv_update_time(link->reconnect.loop);
	uv_timer_start(&link->reconnect, on_reconnect, (uint64_t)after_ms, 0);
	link->backoff_ms = link->backoff_ms ? link->backoff_ms * 2 : BACKOFF_MIN_MS;
	if (link->backoff_ms > BACKOFF_MAX_MS)
		link->backoff_ms = BACKOFF_MAX_MS;
}

/* What is wrong with its certificate; else what hiredis says. */
static const char *lost_because(struct redis_link *link, const char *why)
{
	const char *trouble = redis_tls_trouble(link->tls);

	if (trouble)
		err_set(&link->lost, ERR_UNAVAILABLE, "redis: %s", trouble);
	else
		err_set(&link->lost, ERR_UNAVAILABLE, REDIS_UNREACHABLE);
	return trouble ? trouble : why;
}

static void unreachable(struct redis_link *link, const char *why)
{
	why = lost_because(link, why);
	probe_clear(link); /* whatever it said before, it is gone now */
	log_warn("redis cannot be reached", F("error", why));
}

static void on_connect(const redisAsyncContext *context, int status)
{
	struct redis_link *link = context->data;

	if (status == REDIS_OK || link->context != context)
		return;
	unreachable(link, context->errstr);
	connection_lost(link, context);
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
	struct redis_link *link = context->data;

	if (status != REDIS_OK && link->context == context)
		log_warn("redis lost", F("error", lost_because(link, context->errstr)));
	connection_lost(link, context);
}

void link_drop(struct redis_link *link, const char *why)
{
	redisAsyncContext *context = link->context;

	if (!context)
		return;
	err_set(&link->lost, ERR_UNAVAILABLE, "%s", why);
	if (!link->probe.trouble.code) /* logged already, and repeated as often as necessary */
		log_warn("redis connection dropped", F("why", why));
	connection_lost(link, context);
	redisAsyncFree(context);
}

/* Redis refuses part of the introduction: the first error counts, the others follow from it. */
static void introduction_fails(struct redis_link *link, const char *text)
{
	if (link->introduction.code)
		return;
	redis_error_set(&link->introduction, text);
	probe_trouble(link, text, &link->introduction);
}

static void on_introduced(redisAsyncContext *context, void *data, void *privdata)
{
	struct redis_link *link = context->data;
	const redisReply *reply = data;

	(void)privdata;
	if (reply && link->context == context && reply->type == REDIS_REPLY_ERROR)
		introduction_fails(link, reply->str);
}

static void on_loaded(redisAsyncContext *context, void *data, void *privdata)
{
	struct redis_link *link = context->data;
	const redisReply *reply = data;
	struct err why;

	(void)privdata;
	if (!reply || link->context != context)
		return;
	link->loading = false;
	link->unloaded = (struct err){0};
	if (reply->type == REDIS_REPLY_ERROR && !strstr(reply->str, "already exists")) {
		redis_error_set(&why, reply->str);
		err_set(&link->unloaded, why.code, "redis: does not accept Bursar's functions: %s", why.text);
		probe_trouble(link, reply->str, &link->unloaded);
	} else {
		probe_begin(link);
	}
}

void link_load_library(struct redis_link *link)
{
	const char *argv[] = {"FUNCTION", "LOAD", link->library->source};
	const size_t lengths[] = {8, 4, link->library->source_len};

	if (!link->context || link->loading)
		return;
	link->loading = redisAsyncCommandArgv(link->context, on_loaded, NULL, 3, argv, lengths) == REDIS_OK;
}

static void link_up(struct redis_link *link)
{
	if (link->refused.code)
		log_info("redis can be used again");
	link->refused = (struct err){0};
	if (link->state == LINK_UP)
		return;
	link->backoff_ms = 0;
	link->lost = (struct err){0};
	set_state(link, LINK_UP);
	link->connections++;
	probe_begin(link);
	commands_resend(link);
}

/* The last answer of the introduction: the link is up, unless this Redis may drop data. */
static void on_info(redisAsyncContext *context, void *data, void *privdata)
{
	struct redis_link *link = context->data;
	const redisReply *reply = data;
	struct err why;

	(void)privdata;
	if (!reply || link->context != context)
		return;
	link->heard_us = link->probe.info_us = clock_mono_us();
	if (reply->type == REDIS_REPLY_ERROR && link->state == LINK_UP) {
		probe_soon(link); /* the answer to a call decides */
		return;
	}
	if (reply->type == REDIS_REPLY_ERROR)
		introduction_fails(link, reply->str);
	why = link->introduction;
	if (!why.code && redis_info_check(reply->str ? reply->str : "", &why)) {
		link_up(link);
		return;
	}
	if (!link->introduction.code && strcmp(link->refused.text, why.text) != 0)
		log_error("redis cannot be used", F("why", why.text));
	why.code = ERR_UNAVAILABLE;
	link->refused = why;
}

void link_introduce(struct redis_link *link)
{
	redisAsyncContext *context = link->context;
	bool known = link->state == LINK_UP; /* a password changed since then does not end a connection */

	link->introduced_us = clock_mono_us();
	link->introduction = (struct err){0};
	if (!known && link->url.password[0] && link->url.user[0])
		redisAsyncCommand(context, on_introduced, NULL, "AUTH %s %s", link->url.user, link->url.password);
	else if (!known && link->url.password[0])
		redisAsyncCommand(context, on_introduced, NULL, "AUTH %s", link->url.password);
	if (!known && link->url.db)
		redisAsyncCommand(context, on_introduced, NULL, "SELECT %d", link->url.db);
	redisAsyncCommand(context, on_info, NULL, "INFO");
}

static redisAsyncContext *open_context(struct redis_link *link)
{
	redisAsyncContext *context = link->url.path[0] ? redisAsyncConnectUnix(link->url.path)
						       : redisAsyncConnect(link->url.host, link->url.port);

	redis_tls_forget(link->tls);
	if (!context)
		return NULL;
	if (context->err) {
		unreachable(link, context->errstr);
		redisAsyncFree(context);
		return NULL;
	}
#ifdef TCP_USER_TIMEOUT
	/* Tells a dead machine from a hanging Redis, whose machine still receives. Fails on a unix socket. */
	setsockopt(context->c.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &(unsigned){UNRECEIVED_MS}, sizeof(unsigned));
#endif
	if (link->tls && !redis_tls_begin(link->tls, &context->c)) {
		unreachable(link, context->c.errstr);
		redisAsyncFree(context);
		return NULL;
	}
	return context;
}

void link_connect(struct redis_link *link)
{
	redisAsyncContext *context = open_context(link);

	link->context = context;
	link->begun_us = clock_mono_us();
	if (!context) {
		connection_lost(link, NULL);
		return;
	}
	context->data = link;
	redis_replies_use(&link->replies, context);
	if (!redis_attach(context, &link->flusher)) {
		connection_lost(link, context);
		redisAsyncFree(context);
		return;
	}
	redisAsyncSetConnectCallback(context, on_connect);
	redisAsyncSetDisconnectCallback(context, on_disconnect);
	set_state(link, LINK_CONNECTING);
	link->heard_us = link->begun_us;
	link_introduce(link);
}

struct redis_link *redis_link_new(const struct redis_link_options *options, struct err *err)
{
	struct redis_link *link = mem_zalloc(1, sizeof(*link));
	struct list *const lists[] = {&link->open, &link->again, &link->failing, &link->given_up, &link->unused};

	if (!redis_url_parse(options->url, &link->url, err) ||
		!redis_tls_new(&link->url, options->tls_ca, &link->tls, err)) {
		free(link);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		list_init(lists[i]);
	link->library = options->functions;
	link->timeout_us = options->timeout_us;
	link->breaker_failures = options->breaker_failures ? options->breaker_failures : 8;
	link->breaker_us = options->breaker_us ? options->breaker_us : 250000;
	redis_flusher_init(&link->flusher, options->loop);
	uv_timer_init(options->loop, &link->deadlines);
	uv_timer_init(options->loop, &link->reconnect);
	probe_init(link, options->loop);
	link_connect(link);
	return link;
}

static void on_closed(uv_handle_t *handle)
{
	struct redis_link *link = handle->data;

	if (--link->open_handles > 0)
		return;
	redis_tls_free(link->tls);
	redis_replies_release(&link->replies);
	free(link);
}

static void handles_close(struct redis_link *link)
{
	uv_handle_t *const handles[] = {(uv_handle_t *)&link->flusher.prepare, (uv_handle_t *)&link->flusher.hold,
		(uv_handle_t *)&link->deadlines, (uv_handle_t *)&link->reconnect, (uv_handle_t *)&link->probe.timer};

	link->open_handles = 5;
	for (int i = 0; i < 5; i++) {
		handles[i]->data = link;
		uv_close(handles[i], on_closed);
	}
}

void redis_link_free(struct redis_link *link)
{
	redisAsyncContext *context;

	if (!link)
		return;
	context = link->context;
	link->closing = true;
	if (context) {
		connection_lost(link, context);
		redisAsyncFree(context);
	}
	commands_fail_all(link, "redis: closing");
	commands_release(link);
	handles_close(link);
}

uint64_t redis_link_connections(const struct redis_link *link)
{
	return link->connections;
}
