/*
 * Starts and stops the HTTP server. libmicrohttpd has its own epoll threads: reading requests, writing answers and the
 * translation between JSON and protobuf take no time from the loops that decide, and neither do slow callers.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/observe/log.h"
#include "base/unconst.h"
#include "base/units.h"
#include "http/internal.h"
#include "rpc/server.h"

enum { CONNECTIONS_MAX = 10000, CONNECTION_MEMORY = 32 << 10, TIMEOUT_S = 60 };
#define UNSENT_BYTES ((size_t)64 << 20) /* docs/security.md relies on this number */

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
	http->connected++;
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
	http->connected--;
	pthread_mutex_unlock(&http->lock);
	if (link->early)
		http_call_free(link->early);
	free(link);
}

/* Fills in the options that only TLS has; `option` ends with MHD_OPTION_END. False with ERR_INVALID. */
static bool tls_options(struct http *http, struct MHD_OptionItem option[3], struct err *err)
{
	gnutls_certificate_retrieve_function2 *choose = NULL;
	int count = 0;

	if (http->options.tls.cert) {
		choose = http_tls_start(&http->options.tls, &http->authorities, err);
		if (!choose)
			return false;
		option[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)choose};
	}
	if (http->authorities.len)
		option[count++] =
			(struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, unconst(buf_str(&http->authorities))};
	option[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
	return true;
}

static bool daemon_start(struct http *http, int fd, struct err *err)
{
	const struct http_options *options = &http->options;
	struct MHD_OptionItem tls[3];
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;

	if (!tls_options(http, tls, err))
		return false;
	http->daemon = MHD_start_daemon(flags | (options->tls.cert ? MHD_USE_TLS : 0), 0, NULL, NULL, http_answer, http,
		MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, options->connections, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)((options->request_timeout_us + SECOND_US - 1) / SECOND_US),
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_THREAD_POOL_SIZE,
		options->threads > 1 ? options->threads : 0, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_URI_LOG_CALLBACK, http_begin, http, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_NOTIFY_COMPLETED, http_complete, http,
		MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
	return http->daemon || err_set(err, ERR_INTERNAL, "%s: the HTTP threads cannot start", options->option);
}

static void http_free(struct http *http)
{
	pthread_rwlock_destroy(&http->attached);
	pthread_mutex_destroy(&http->lock);
	pthread_mutex_destroy(&http->unsent_lock);
	buf_release(&http->authorities);
	free(http);
}

struct http *http_start(const struct http_options *options, struct err *err)
{
	struct http *http = mem_zalloc(1, sizeof(*http));
	int fd;

	http->options = *options;
	if (!http->options.connections)
		http->options.connections = CONNECTIONS_MAX;
	if (!http->options.unsent_bytes)
		http->options.unsent_bytes = UNSENT_BYTES;
	if (!http->options.request_timeout_us)
		http->options.request_timeout_us = TIMEOUT_S * SECOND_US;
	pthread_rwlock_init(&http->attached, NULL);
	pthread_mutex_init(&http->lock, NULL);
	pthread_mutex_init(&http->unsent_lock, NULL);
	list_init(&http->connections);
	list_init(&http->unsent);
	fd = http_listen_at(options->option, options->listen, &http->port, err);
	if (fd >= 0 && daemon_start(http, fd, err))
		return http;
	if (fd >= 0)
		close(fd);
	http_free(http);
	return NULL;
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

/* How long a caller may be waited for: while the connections run out, those that only occupy theirs make room sooner. */
static int64_t patience_us(struct http *http)
{
	bool scarce;

	pthread_mutex_lock(&http->lock);
	scarce = http->connected > http->options.connections - http->options.connections / 10;
	pthread_mutex_unlock(&http->lock);
	return http->options.request_timeout_us / (scarce ? 10 : 1);
}

void http_look(struct http *http)
{
	if (http)
		hang_up(http, clock_mono_us() - patience_us(http));
}

void http_stop(struct http *http)
{
	if (!http)
		return;
	MHD_stop_daemon(http->daemon);
	http_free(http);
}
