/* The bytes of a connection's socket, what the socket does not take at once, and TLS between them and the frames. */
#include <errno.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/observe/log.h"
#include "rpc/h2/internal.h"

bool h2_socket_blocked(const struct h2_connection *connection)
{
	return connection->out.len > 0;
}

/* How many of the bytes the socket has taken; -1: it is broken. */
static ssize_t send_some(const struct h2_connection *connection, const char *bytes, size_t n)
{
	ssize_t sent = send(connection->fd, bytes, n, MSG_NOSIGNAL);

	if (sent < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return sent;
}

bool h2_socket_ready(const struct h2_connection *connection)
{
	return !connection->tls || tls_state(connection->tls) == TLS_OPEN;
}

static bool put(struct h2_connection *connection, const char *bytes, size_t n)
{
	ssize_t sent = send_some(connection, bytes, n);

	if (sent < 0)
		return false;
	if ((size_t)sent < n)
		buf_put(&connection->out, bytes + sent, n - (size_t)sent);
	return true;
}

bool h2_socket_write(struct h2_connection *connection, const void *bytes, size_t n)
{
	struct buf *encrypted = &connection->worker->encrypted;

	if (!connection->tls)
		return put(connection, bytes, n);
	buf_reset(encrypted);
	return tls_write(connection->tls, bytes, n, encrypted) && put(connection, encrypted->data, encrypted->len);
}

void h2_socket_end(struct h2_connection *connection)
{
	struct buf *encrypted = &connection->worker->encrypted;

	buf_reset(encrypted);
	if (connection->tls)
		tls_close(connection->tls, encrypted);
	/* What the socket does not take of it is not worth waiting for. */
	if (encrypted->len && !h2_socket_blocked(connection))
		(void)send_some(connection, encrypted->data, encrypted->len);
	shutdown(connection->fd, SHUT_WR);
}

bool h2_socket_drain(struct h2_connection *connection)
{
	struct buf *out = &connection->out;
	ssize_t sent = send_some(connection, out->data + connection->out_at, out->len - connection->out_at);

	if (sent < 0)
		return false;
	if (sent > 0)
		connection->heard_us = clock_mono_us();
	connection->out_at += (size_t)sent;
	if (connection->out_at == out->len) {
		buf_release(out);
		connection->out_at = 0;
	}
	return true;
}

static enum h2_socket_state decrypt(struct h2_connection *connection, const uint8_t **bytes, size_t *n)
{
	struct buf *plain = &connection->worker->plain, *encrypted = &connection->worker->encrypted;
	bool was_ready = h2_socket_ready(connection);
	enum tls_state state;
	struct err err;

	buf_reset(plain);
	buf_reset(encrypted);
	state = tls_feed(connection->tls, *bytes, *n, plain, encrypted, &err);
	*bytes = (const uint8_t *)buf_str(plain);
	*n = plain->len;
	if (encrypted->len && !put(connection, encrypted->data, encrypted->len))
		return H2_SOCKET_CLOSED;
	if (state == TLS_FAILED) {
		log_debug("TLS ends a connection", F("peer", connection->peer), F("why", err.text));
		*n = 0;
		return H2_SOCKET_REFUSED;
	}
	if (!was_ready && state == TLS_OPEN)
		h2_connection_soil(connection); /* settings wait to be sent */
	return state == TLS_CLOSED ? H2_SOCKET_CLOSED : H2_SOCKET_OPEN;
}

enum h2_socket_state h2_socket_read(struct h2_connection *connection, const uint8_t **bytes, size_t *n)
{
	ssize_t came;

	*bytes = connection->worker->received;
	*n = 0;
	/* The loop tells of this socket again in its next turn. */
	if (!h2_socket_ready(connection) && connection->worker->handshakes++ >= H2_HANDSHAKES_A_TURN)
		return H2_SOCKET_OPEN;
	came = recv(connection->fd, connection->worker->received, H2_READ_BYTES, 0);
	if (came < 0)
		return errno == EAGAIN || errno == EINTR ? H2_SOCKET_OPEN : H2_SOCKET_CLOSED;
	if (came == 0)
		return H2_SOCKET_CLOSED;
	if (!connection->session)
		return H2_SOCKET_OPEN;
	connection->heard_us = clock_mono_us();
	*n = (size_t)came;
	return connection->tls ? decrypt(connection, bytes, n) : H2_SOCKET_OPEN;
}
