/*
 * Starts and stops the HTTP server. libmicrohttpd has its own epoll threads: reading requests, writing answers and the
 * translation between JSON and protobuf take no time from the loops that decide, and neither do slow callers.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/observe/log.h"
#include "base/units.h"
#include "http/internal.h"
#include "rpc/server.h"

enum { CONNECTIONS_MAX = 10000, CONNECTION_MEMORY = 32 << 10, TIMEOUT_S = 60 };

/* Logs only libmicrohttpd's constant format string, because its arguments quote requests. */
__attribute__((format(printf, 2, 0))) static void log_library(void *ctx, const char *format, va_list ap)
{
	(void)ctx;
	(void)ap;
	log_debug("message from microhttpd", F("format", format));
}

/* Leaves paths as they are: "%2F" in an id is not a separator. */
static size_t keep_escapes(void *http, struct MHD_Connection *connection, char *text)
{
	(void)http;
	(void)connection;
	return strlen(text);
}

static void connection_open(struct http *http, struct MHD_Connection *connection, void **context)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct http_connection *link = mem_zalloc(1, sizeof(*link));

	link->fd = info->connect_fd;
	atomic_store(&link->since_us, clock_mono_us());
	*context = link;
	pthread_mutex_lock(&http->lock);
	list_push_back(&http->connections, &link->link);
	pthread_mutex_unlock(&http->lock);
}

static void on_connection(
	void *arg, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct http *http = arg;
	struct http_connection *link = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		connection_open(http, connection, context);
		return;
	}
	if (!link)
		return;
	pthread_mutex_lock(&http->lock);
	list_remove(&link->link);
	pthread_mutex_unlock(&http->lock);
	if (link->early)
		http_call_free(link->early);
	free(link);
}

static struct MHD_Daemon *daemon_start(struct http *http, int fd)
{
	const struct http_options *options = &http->options;

	return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL,
		NULL, http_answer, http, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, options->connections, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)((options->request_timeout_us + SECOND_US - 1) / SECOND_US),
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_THREAD_POOL_SIZE,
		options->threads > 1 ? options->threads : 0, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_URI_LOG_CALLBACK, http_begin, http, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_NOTIFY_COMPLETED, http_complete, http,
		MHD_OPTION_END);
}

struct http *http_start(const struct http_options *options, struct err *err)
{
	struct http *http = mem_zalloc(1, sizeof(*http));
	int fd = http_listen_at(options->listen, &http->port, err);

	if (fd < 0) {
		free(http);
		return NULL;
	}
	http->options = *options;
	if (!http->options.connections)
		http->options.connections = CONNECTIONS_MAX;
	if (!http->options.request_timeout_us)
		http->options.request_timeout_us = TIMEOUT_S * SECOND_US;
	pthread_rwlock_init(&http->attached, NULL);
	pthread_mutex_init(&http->lock, NULL);
	list_init(&http->connections);
	http->daemon = daemon_start(http, fd);
	if (!http->daemon) {
		close(fd);
		free(http);
		err_set(err, ERR_INTERNAL, "http_listen: the HTTP threads cannot start");
		return NULL;
	}
	return http;
}

int http_port(const struct http *http)
{
	return http->port;
}

void http_attach(struct http *http, struct rpc_server *rpc, const struct http_translator *translator)
{
	pthread_rwlock_wrlock(&http->attached);
	http->translator = translator;
	http->rpc = rpc;
	pthread_rwlock_unlock(&http->attached);
}

/* Ends the connections that have been waiting for their callers since `before_us`. */
static void hang_up(struct http *http, int64_t before_us)
{
	pthread_mutex_lock(&http->lock);
	list_each (&http->connections, at, after) {
		struct http_connection *link = container_of(at, struct http_connection, link);

		if (atomic_load(&link->since_us) <= before_us)
			shutdown(link->fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&http->lock);
}

void http_detach(struct http *http)
{
	if (!http)
		return;
	pthread_rwlock_wrlock(&http->attached);
	http->rpc = NULL;
	pthread_rwlock_unlock(&http->attached);
	hang_up(http, INT64_MAX);
}

void http_look(struct http *http)
{
	if (http)
		hang_up(http, clock_mono_us() - http->options.request_timeout_us);
}

void http_stop(struct http *http)
{
	if (!http)
		return;
	MHD_stop_daemon(http->daemon);
	pthread_rwlock_destroy(&http->attached);
	pthread_mutex_destroy(&http->lock);
	free(http);
}
