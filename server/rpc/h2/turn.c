/*
 * What a connection does in a turn of its worker's loop, from its first to its last. It is read once per turn, and written
 * once, before the loop waits: all frames that handlers and nghttp2 have made meanwhile leave together.
 *
 * While the socket does not take them, nothing more is packed and nothing is read, so that a caller who does not read
 * holds a bounded amount: H2_GATHER_BYTES and a frame here, and the answers that wait for their turn (rpc/unsent.c).
 */
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "rpc/h2/internal.h"

/* How often a connection may fill the socket in one turn, and how long it waits for the other side to close. */
enum { ROUNDS_MAX = 16, TICK_MS = 1000 };
#define LINGER_US (2 * SECOND_US)

static void on_poll(uv_poll_t *poll, int status, int events);

/* While something waits to be written, nothing is read. */
static void choose_events(struct h2_connection *connection)
{
	int events = h2_socket_blocked(connection) ? UV_WRITABLE : UV_READABLE;

	if (connection->polled == events)
		return;
	connection->polled = events;
	uv_poll_start(&connection->poll, events, on_poll);
}

static void on_closed(uv_handle_t *handle)
{
	struct h2_connection *connection = container_of((uv_poll_t *)handle, struct h2_connection, poll);

	close(connection->fd);
	connection->fd = -1;
	h2_connection_try_free(connection);
}

/* Nothing is read as frames or packed from now on: the callers of all calls that have not ended have left. */
static void end_session(struct h2_connection *connection)
{
	struct list *link;

	if (!connection->session)
		return;
	nghttp2_session_del(connection->session);
	connection->session = NULL;
	list_remove(&connection->dirty);
	if (connection->parting == H2_ASKED_TO_LEAVE)
		h2_part(connection);
	while ((link = list_pop_front(&connection->leaving))) {
		struct h2_call *h2 = container_of(link, struct h2_call, due);

		h2->call.cancelled = 1;
		h2_call_sent(h2);
	}
	list_each (&connection->calls, at, after) {
		struct h2_call *h2 = container_of(at, struct h2_call, link);

		if (h2->stream)
			h2_call_stream_closed(h2);
	}
}

static void end_now(struct h2_connection *connection)
{
	if (connection->closed)
		return;
	connection->closed = true;
	end_session(connection);
	list_remove(&connection->link);
	uv_close((uv_handle_t *)&connection->poll, on_closed);
}

/*
 * All is sent. A socket that is closed while bytes wait to be read would be reset, and what was sent last might not
 * arrive: so this side only says that nothing follows, and the other side closes.
 */
static void linger(struct h2_connection *connection)
{
	end_session(connection);
	connection->lingering = true;
	connection->until_us = clock_mono_us() + LINGER_US;
	h2_socket_end(connection);
	choose_events(connection);
}

static void on_tick(uv_timer_t *timer)
{
	struct h2_worker *worker = container_of(timer, struct h2_worker, tick);
	int64_t now_us = clock_mono_us();

	list_each (&worker->connections, at, after) {
		struct h2_connection *connection = container_of(at, struct h2_connection, link);

		if (!h2_guard_look(connection, now_us))
			end_now(connection);
	}
	if (list_empty(&worker->connections))
		uv_timer_stop(timer);
}

void h2_connection_start(struct tag *arrived, bool ok)
{
	struct h2_connection *connection = container_of(arrived, struct h2_connection, arrived);
	struct h2_worker *worker = connection->worker;
	struct tls_server *tls = h2_server_of(worker->worker.server)->tls;

	(void)ok;
	if (tls && !worker->shutting)
		connection->tls = tls_session_new(tls);
	connection->opened_us = connection->heard_us = clock_mono_us();
	if (worker->shutting || !h2_session_open(connection) ||
		uv_poll_init(worker_loop(&worker->worker), &connection->poll, connection->fd) != 0) {
		end_session(connection);
		close(connection->fd);
		connection->fd = -1;
		h2_connection_try_free(connection);
		return;
	}
	list_push_back(&worker->connections, &connection->link);
	if (!uv_is_active((uv_handle_t *)&worker->tick))
		uv_timer_start(&worker->tick, on_tick, TICK_MS, TICK_MS);
	choose_events(connection);
	h2_connection_soil(connection);
}

/* Frames, until there are enough for one write. False when nghttp2 gives up. */
static bool gather(struct h2_connection *connection, struct buf *frames)
{
	while (frames->len < H2_GATHER_BYTES) {
		const uint8_t *bytes;
		ssize_t n = nghttp2_session_mem_send(connection->session, &bytes);

		if (n < 0)
			return false;
		if (n == 0)
			return true;
		buf_put(frames, bytes, (size_t)n);
	}
	return true;
}

/* The ends of calls that have been packed are with the kernel now. */
static void tell_sent(struct h2_connection *connection)
{
	struct list *link;

	while ((link = list_pop_front(&connection->leaving)))
		h2_call_sent(container_of(link, struct h2_call, due));
}

/* True when everything was sent. */
static bool send_all(struct h2_connection *connection)
{
	struct buf *frames = &connection->worker->frames;

	for (int round = 0; round < ROUNDS_MAX; round++) {
		bool ok;

		buf_reset(frames);
		ok = gather(connection, frames);
		if (!ok || (frames->len > 0 && !h2_socket_write(connection, frames->data, frames->len))) {
			end_now(connection);
			return false;
		}
		if (h2_socket_blocked(connection))
			return false;
		tell_sent(connection);
		if (frames->len == 0)
			return true;
	}
	h2_connection_soil(connection);
	return false;
}

void h2_connection_flush(struct h2_connection *connection)
{
	nghttp2_session *session = connection->session;

	if (!session || h2_socket_blocked(connection))
		return;
	if (!h2_socket_ready(connection)) {
		if (connection->condemned)
			end_now(connection);
		return;
	}
	if (send_all(connection) && (connection->condemned || (!nghttp2_session_want_read(session) &&
								      !nghttp2_session_want_write(session))))
		linger(connection);
	else if (!connection->closed)
		choose_events(connection);
}

/* False when the connection is of no use any more. */
static bool read_frames(struct h2_connection *connection)
{
	const uint8_t *bytes;
	size_t n;
	enum h2_socket_state state = h2_socket_read(connection, &bytes, &n);

	if (connection->session && !h2_frames_read(connection, bytes, n))
		return false;
	if (state == H2_SOCKET_REFUSED)
		linger(connection);
	return state != H2_SOCKET_CLOSED;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct h2_connection *connection = container_of(poll, struct h2_connection, poll);
	struct h2_worker *worker = connection->worker;
	bool open = status == 0;

	if (open && (events & UV_WRITABLE)) {
		open = h2_socket_drain(connection);
		h2_connection_soil(connection);
	}
	if (open && (events & UV_READABLE))
		open = read_frames(connection);
	if (!open)
		end_now(connection);
	else if (connection->session &&
		 (nghttp2_session_want_write(connection->session) || !nghttp2_session_want_read(connection->session)))
		h2_connection_soil(connection); /* there is something to send, or nothing is left to do */
	if (!connection->closed)
		choose_events(connection);
	h2_due_run(worker);
}
