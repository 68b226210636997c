/* The connection of a link: made, introduced, lost, made again. */
#include "redis/link.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "redis/link_private.h"
#ifdef BURSAR_REDIS_TLS
#include <hiredis/hiredis_ssl.h>
#endif

#define BACKOFF_LEAST_MS 5
#define BACKOFF_MOST_MS 1000

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

/* The context is gone, or about to go: hiredis answers all its commands with NULL meanwhile. */
static void connection_lost(struct redis_link *link, const redisAsyncContext *context)
{
	if (link->context != context)
		return;
	link->context = NULL;
	link->loading = false;
	set_state(link, LINK_WAITING);
	if (link->closing)
		return;
	uv_timer_start(&link->reconnect, on_reconnect, (uint64_t)link->backoff_ms, 0);
	link->backoff_ms = link->backoff_ms ? link->backoff_ms * 2 : BACKOFF_LEAST_MS;
	if (link->backoff_ms > BACKOFF_MOST_MS)
		link->backoff_ms = BACKOFF_MOST_MS;
}

static void on_connect(const redisAsyncContext *context, int status)
{
	struct redis_link *link = context->data;

	if (status != REDIS_OK) {
		log_warn("redis cannot be reached", F("error", context->errstr));
		connection_lost(link, context);
	}
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
	struct redis_link *link = context->data;

	if (status != REDIS_OK && link->context == context)
		log_warn("redis lost", F("error", context->errstr));
	connection_lost(link, context);
}

void link_drop(struct redis_link *link, const char *why)
{
	redisAsyncContext *context = link->context;

	if (!context)
		return;
	log_warn("redis connection dropped", F("why", why));
	connection_lost(link, context);
	redisAsyncFree(context);
}

/* Answers of the introduction: what is wrong with it is why the link does not come up. */
static void on_introduced(redisAsyncContext *context, void *data, void *privdata)
{
	struct redis_link *link = context->data;
	const redisReply *reply = data;

	if (!reply || link->context != context || reply->type != REDIS_REPLY_ERROR)
		return;
	log_error("redis refused the connection", F("command", privdata), F("error", reply->str));
	err_set(&link->refused, ERR_UNAVAILABLE, "redis: %s: %s", (const char *)privdata, reply->str);
}

static void on_loaded(redisAsyncContext *context, void *data, void *privdata)
{
	struct redis_link *link = context->data;
	const redisReply *reply = data;

	(void)privdata;
	if (!reply || link->context != context)
		return;
	link->loading = false;
	if (reply->type == REDIS_REPLY_ERROR && !strstr(reply->str, "already exists") &&
		strncmp(reply->str, "LOADING", 7) != 0 && strncmp(reply->str, "READONLY", 8) != 0)
		log_error("redis refused the functions", F("error", reply->str));
}

void link_load_library(struct redis_link *link)
{
	const char *argv[] = {"FUNCTION", "LOAD", link->library->source};
	const size_t lengths[] = {8, 4, link->library->source_len};

	if (!link->context || link->loading)
		return;
	link->loading = redisAsyncCommandArgv(link->context, on_loaded, NULL, 3, argv, lengths) == REDIS_OK;
}

/* The last answer of the introduction: the link is up, if this Redis keeps what it is given. */
static void on_memory(redisAsyncContext *context, void *data, void *privdata)
{
	struct redis_link *link = context->data;
	const redisReply *reply = data;
	const char *policy;

	(void)privdata;
	if (!reply || link->context != context)
		return;
	if (reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOAUTH", 6) == 0) {
		err_set(&link->refused, ERR_UNAVAILABLE, "redis: wants a password; put it into the option redis");
		log_error("redis wants a password");
		return;
	}
	policy = reply->type == REDIS_REPLY_STRING ? strstr(reply->str, "maxmemory_policy:") : NULL;
	if (policy && strncmp(policy + 17, "noeviction", 10) != 0) {
		err_set(&link->refused, ERR_PRECONDITION,
			"redis: its maxmemory-policy is %.*s, which drops limits; set it to noeviction",
			(int)strcspn(policy + 17, "\r\n"), policy + 17);
		log_error("redis evicts keys; set maxmemory-policy to noeviction");
		return;
	}
	link->backoff_ms = 0;
	set_state(link, LINK_UP);
	commands_resend(link);
}

static void introduce(struct redis_link *link)
{
	redisAsyncContext *context = link->context;

	if (link->url.password[0] && link->url.user[0])
		redisAsyncCommand(
			context, on_introduced, (void *)"AUTH", "AUTH %s %s", link->url.user, link->url.password);
	else if (link->url.password[0])
		redisAsyncCommand(context, on_introduced, (void *)"AUTH", "AUTH %s", link->url.password);
	if (link->url.db)
		redisAsyncCommand(context, on_introduced, (void *)"SELECT", "SELECT %d", link->url.db);
	link_load_library(link);
	redisAsyncCommand(context, on_memory, NULL, "INFO memory");
}

#ifdef BURSAR_REDIS_TLS
static bool secure(redisAsyncContext *context, const char *host)
{
	static redisSSLContext *tls;

	if (!tls) {
		redisInitOpenSSL();
		tls = redisCreateSSLContext(NULL, "/etc/ssl/certs", NULL, NULL, host, NULL);
	}
	return tls && redisInitiateSSLWithContext(&context->c, tls) == REDIS_OK;
}
#endif

static redisAsyncContext *open_context(struct redis_link *link)
{
	redisAsyncContext *context = link->url.path[0] ? redisAsyncConnectUnix(link->url.path)
						       : redisAsyncConnect(link->url.host, link->url.port);

	if (!context)
		return NULL;
	if (context->err) {
		log_warn("redis cannot be reached", F("error", context->errstr));
		redisAsyncFree(context);
		return NULL;
	}
#ifdef BURSAR_REDIS_TLS
	if (link->url.tls && !secure(context, link->url.host)) {
		log_warn("redis cannot be reached by TLS", F("error", context->c.errstr));
		redisAsyncFree(context);
		return NULL;
	}
#endif
	return context;
}

void link_connect(struct redis_link *link)
{
	redisAsyncContext *context = open_context(link);

	link->context = context;
	link->refused = (struct err){0};
	if (!context) {
		connection_lost(link, NULL);
		return;
	}
	context->data = link;
	if (!redis_attach(context, &link->flusher)) {
		connection_lost(link, context);
		redisAsyncFree(context);
		return;
	}
	redisAsyncSetConnectCallback(context, on_connect);
	redisAsyncSetDisconnectCallback(context, on_disconnect);
	set_state(link, LINK_CONNECTING);
	link->heard_us = clock_mono_us();
	introduce(link);
	if (!list_empty(&link->again))
		commands_resend(link);
}

struct redis_link *redis_link_new(const struct redis_link_options *options, struct err *err)
{
	struct redis_link *link = mem_zalloc(1, sizeof(*link));
	struct list *const lists[] = {&link->open, &link->again, &link->failing, &link->given_up, &link->pool};

	if (!redis_url_parse(options->url, &link->url, err)) {
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
	link_connect(link);
	return link;
}

static void on_closed(uv_handle_t *handle)
{
	struct redis_link *link = handle->data;

	if (--link->open_handles == 0)
		free(link);
}

void redis_link_free(struct redis_link *link)
{
	if (!link)
		return;
	uv_handle_t *const handles[] = {(uv_handle_t *)&link->flusher.prepare, (uv_handle_t *)&link->flusher.hold,
		(uv_handle_t *)&link->deadlines, (uv_handle_t *)&link->reconnect};
	redisAsyncContext *context = link->context;

	link->closing = true;
	if (context) {
		connection_lost(link, context);
		redisAsyncFree(context);
	}
	commands_fail_all(link, "redis: closing");
	commands_release(link);
	link->open_handles = 4;
	for (int i = 0; i < 4; i++) {
		handles[i]->data = link;
		uv_close(handles[i], on_closed);
	}
}

enum redis_link_state redis_link_state(const struct redis_link *link)
{
	return link->state;
}

bool redis_link_healthy(const struct redis_link *link)
{
	return link->state == LINK_UP && link->failures < link->breaker_failures;
}
