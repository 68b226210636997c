/*
 * A connection as others know it: it is made and freed here, and noted for what turn.c does with it before the loop
 * waits.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/units.h"
#include "rpc/h2/internal.h"

/* How long a connection that is ended may take to send what it has. */
#define CONDEMNED_US (2 * SECOND_US)
/* The kernel finds out about machines that have vanished without calls; guard.c about those with calls, sooner. */
enum { KEEP_IDLE_S = 120, KEEP_INTERVAL_S = 30, KEEP_PROBES = 4 };

/* In gRPC's notation. An IPv4 address inside an IPv6 one, as sockets for both have it, is an IPv4 address. */
static void put_peer(struct h2_connection *connection)
{
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
		struct sockaddr_storage room;
	} from = {.room = {0}};
	socklen_t len = sizeof(from);
	char text[INET6_ADDRSTRLEN] = "";

	snprintf(connection->peer, sizeof(connection->peer), "unix:");
	if (getpeername(connection->fd, &from.any, &len) != 0)
		return;
	if (from.any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &from.four.sin_addr, text, sizeof(text));
		snprintf(connection->peer, sizeof(connection->peer), "ipv4:%s:%d", text, ntohs(from.four.sin_port));
	} else if (from.any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&from.six.sin6_addr)) {
		inet_ntop(AF_INET, &from.six.sin6_addr.s6_addr[12], text, sizeof(text));
		snprintf(connection->peer, sizeof(connection->peer), "ipv4:%s:%d", text, ntohs(from.six.sin6_port));
	} else if (from.any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &from.six.sin6_addr, text, sizeof(text));
		snprintf(connection->peer, sizeof(connection->peer), "ipv6:%%5B%s%%5D:%d", text,
			ntohs(from.six.sin6_port));
	}
}

static void set_socket(int fd)
{
	int on = 1, idle = KEEP_IDLE_S, interval = KEEP_INTERVAL_S, probes = KEEP_PROBES;

	/* They fail on a unix socket, which needs none of them. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

struct h2_connection *h2_connection_new(struct h2_worker *worker, int fd)
{
	struct h2_connection *connection = mem_zalloc(1, sizeof(*connection));

	connection->worker = worker;
	connection->fd = fd;
	list_init(&connection->link);
	list_init(&connection->dirty);
	list_init(&connection->calls);
	list_init(&connection->leaving);
	set_socket(fd);
	put_peer(connection);
	atomic_fetch_add(&h2_server_of(worker->worker.server)->connections, 1);
	atomic_fetch_add(&worker->connection_count, 1);
	return connection;
}

void h2_connection_try_free(struct h2_connection *connection)
{
	struct h2_worker *worker = connection->worker;

	if (connection->fd >= 0 || !list_empty(&connection->calls))
		return;
	tls_session_free(connection->tls);
	buf_release(&connection->out);
	free(connection);
	atomic_fetch_sub(&h2_server_of(worker->worker.server)->connections, 1);
	atomic_fetch_sub(&worker->connection_count, 1);
	worker_try_shut(&worker->worker);
}

/* Empty: an active handle of this kind keeps the loop from waiting. */
static void on_again(uv_idle_t *idle)
{
	(void)idle;
}

/* The loop must not wait before there was another flush. */
static void awake(struct h2_worker *worker)
{
	uv_idle_start(&worker->again, on_again);
}

void h2_connection_soil(struct h2_connection *connection)
{
	if (!connection->session)
		return;
	if (list_empty(&connection->dirty))
		list_push_back(&connection->worker->dirty, &connection->dirty);
	awake(connection->worker);
}

void h2_due(struct h2_call *h2, unsigned news)
{
	h2->news |= news;
	if (list_empty(&h2->due))
		list_push_back(&h2->connection->worker->due, &h2->due);
	awake(h2->connection->worker);
}

void h2_connection_condemn(struct h2_connection *connection, uint32_t code, const char *text)
{
	if (connection->condemned || !connection->session)
		return;
	connection->condemned = true;
	connection->until_us = clock_mono_us() + CONDEMNED_US;
	nghttp2_submit_goaway(connection->session, NGHTTP2_FLAG_NONE,
		nghttp2_session_get_last_proc_stream_id(connection->session), code, (const uint8_t *)text,
		text ? strlen(text) : 0);
	h2_connection_soil(connection);
}
