/*
 * libmicrohttpd with its own epoll thread, not inside one of our loops: the answers here only read counters and flags, and
 * neither a slow scraper nor a thousand idle connections may delay the loops that decide.
 */
#include "ops/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/observe/log.h"
#include "base/observe/metrics.h"
#include "base/observe/process.h"
#include "ops/ready.h"
#include "service/pool/board.h"

enum { CONNECTIONS_MAX = 256, IDLE_SECONDS = 15, BACKLOG = 128 };

struct http {
	struct MHD_Daemon *daemon;
	const struct http_probe *probes;
	int port;
};

struct page {
	const char *path;
	const char *type;
	unsigned (*print)(struct http *http, struct buf *body);
};

static unsigned print_metrics(struct http *http, struct buf *body)
{
	(void)http;
	process_print(body);
	metrics_print(body);
	pool_board_print(body);
	return MHD_HTTP_OK;
}

static unsigned print_health(struct http *http, struct buf *body)
{
	(void)http;
	buf_put_str(body, "ok\n");
	return MHD_HTTP_OK;
}

static unsigned print_ready(struct http *http, struct buf *body)
{
	return ready_print(http->probes, body) ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static const struct page pages[] = {
	{"/metrics", "text/plain; version=0.0.4; charset=utf-8", print_metrics},
	{"/healthz", "text/plain; charset=utf-8", print_health},
	{"/readyz", "application/json", print_ready},
};

static const struct page *find_page(const char *path)
{
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (strcmp(pages[i].path, path) == 0)
			return &pages[i];
	return NULL;
}

static enum MHD_Result send_body(struct MHD_Connection *connection, unsigned status, const char *type, struct buf *body)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(body->len, body->data, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *upload, size_t *upload_size, void **state)
{
	static int seen;
	const struct page *page = find_page(url);
	const char *type = "text/plain; charset=utf-8";
	struct buf body = {0};
	enum MHD_Result result;
	unsigned status;

	(void)version;
	(void)upload;
	/* The first call comes before the body of the request; bodies are ignored. */
	if (!*state) {
		*state = &seen;
		return MHD_YES;
	}
	if (*upload_size) {
		*upload_size = 0;
		return MHD_YES;
	}
	if (!page) {
		buf_put_str(&body, "page not found; try /metrics, /healthz or /readyz\n");
		status = MHD_HTTP_NOT_FOUND;
	} else if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		buf_put_str(&body, "only GET and HEAD\n");
		status = MHD_HTTP_METHOD_NOT_ALLOWED;
	} else {
		type = page->type;
		status = page->print(ctx, &body);
	}
	metric_inc(METRIC_http_requests_total, 0, 0);
	result = send_body(connection, status, type, &body);
	buf_release(&body);
	return result;
}

/* Host and port of "host:port" or "[host]:port". */
static bool split_address(const char *listen, char *host, size_t host_size, const char **port, struct err *err)
{
	const char *colon = strrchr(listen, ':');
	size_t len;

	if (!colon || strncmp(listen, "unix:", 5) == 0)
		return err_set(err, ERR_INVALID, "http_listen: \"%s\" is not an address; use 127.0.0.1:7421", listen);
	len = (size_t)(colon - listen);
	if (listen[0] == '[' && len >= 2 && listen[len - 1] == ']') {
		listen++;
		len -= 2;
	}
	if (len == 0 || len >= host_size)
		return err_set(err, ERR_INVALID, "http_listen: the host is missing or too long");
	memcpy(host, listen, len);
	host[len] = '\0';
	*port = colon + 1;
	return true;
}

static int bind_one(const struct addrinfo *address, int *port)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} bound = {.six = {0}};
	socklen_t len = sizeof(bound);
	int on = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0 ||
		getsockname(fd, &bound.any, &len) != 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	*port = ntohs(bound.any.sa_family == AF_INET6 ? bound.six.sin6_port : bound.four.sin_port);
	return fd;
}

/* A listening socket at `text`; -1 with `err` set on failure. */
static int listen_at(const char *text, int *port, struct err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *found = NULL;
	const char *service = NULL;
	char host[256] = "";
	int error;
	int fd;

	if (!split_address(text, host, sizeof(host), &service, err))
		return -1;
	error = getaddrinfo(host, service, &hints, &found);
	if (error) {
		err_set(err, ERR_INVALID, "http_listen: %s: %s", text, gai_strerror(error));
		return -1;
	}
	fd = bind_one(found, port);
	if (fd < 0)
		err_set(err, ERR_UNAVAILABLE, "http_listen: cannot listen on %s: %s", text, strerror(errno));
	freeaddrinfo(found);
	return fd;
}

/* Logs only libmicrohttpd's constant format string, because its arguments quote requests. */
__attribute__((format(printf, 2, 0))) static void log_library(void *ctx, const char *format, va_list ap)
{
	(void)ctx;
	(void)ap;
	log_debug("message from microhttpd", F("format", format));
}

struct http *http_start(const struct http_options *options, struct err *err)
{
	struct http *http = mem_zalloc(1, sizeof(*http));
	int fd = listen_at(options->listen, &http->port, err);

	http->probes = options->probes;
	if (fd < 0) {
		free(http);
		return NULL;
	}
	http->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG, 0, NULL, NULL, answer, http,
		MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)IDLE_SECONDS, MHD_OPTION_END);
	if (!http->daemon) {
		close(fd);
		free(http);
		err_set(err, ERR_INTERNAL, "http_listen: the HTTP thread cannot start");
		return NULL;
	}
	return http;
}

int http_port(const struct http *http)
{
	return http->port;
}

void http_stop(struct http *http)
{
	if (!http)
		return;
	MHD_stop_daemon(http->daemon);
	free(http);
}
