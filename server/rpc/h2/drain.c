/*
 * The end of a server without a lost call. A GOAWAY says which streams were looked at, but calls that are under way when
 * it is sent would be refused. So there are two: the first one, whose last stream is the highest number there is, only
 * says that no new streams should begin. When the caller has answered the ping behind it, whatever they sent before they
 * knew has arrived, and the second one closes the door.
 */
#include "base/clock.h"
#include "base/units.h"
#include "rpc/h2/internal.h"

/* How long a caller may take to answer. */
#define FAREWELL_US (3 * SECOND_US)

void h2_part(struct h2_connection *connection)
{
	connection->parting = H2_LEAVING;
	atomic_fetch_sub(&connection->worker->uninformed, 1);
	if (!connection->session)
		return;
	nghttp2_submit_goaway(connection->session, NGHTTP2_FLAG_NONE,
		nghttp2_session_get_last_proc_stream_id(connection->session), NGHTTP2_NO_ERROR, NULL, 0);
	h2_connection_soil(connection);
}

static void ask_to_leave(struct h2_connection *connection)
{
	connection->parting = H2_ASKED_TO_LEAVE;
	connection->until_us = clock_mono_us() + FAREWELL_US;
	connection->pinged = true;
	nghttp2_submit_shutdown_notice(connection->session);
	nghttp2_submit_ping(connection->session, NGHTTP2_FLAG_NONE, NULL);
	h2_connection_soil(connection);
}

void h2_on_farewell(struct tag *tag, bool ok)
{
	struct h2_worker *worker = container_of(tag, struct h2_worker, farewell);
	size_t count = 0;

	(void)ok;
	list_each (&worker->connections, at, after) {
		struct h2_connection *connection = container_of(at, struct h2_connection, link);

		if (!connection->session)
			continue;
		ask_to_leave(connection);
		count++;
	}
	atomic_store(&worker->uninformed, count);
}

size_t h2_farewell(struct rpc_server *server)
{
	struct h2_server *h2 = h2_server_of(server);
	size_t count = 0;

	for (unsigned i = 0; i < server->options.workers; i++) {
		struct h2_worker *worker = h2_worker_of(server->workers[i]);
		size_t uninformed = atomic_load(&worker->uninformed);

		if (!h2->farewell)
			worker_hand_over(&worker->worker, &worker->farewell);
		count += uninformed == SIZE_MAX ? 1 : uninformed;
	}
	h2->farewell = true;
	return count;
}

static void shut(struct h2_connection *connection)
{
	list_each (&connection->calls, at, after) {
		struct h2_call *h2 = container_of(at, struct h2_call, link);

		if (h2->begun)
			h2_call_abandon(h2, ERR_UNAVAILABLE, "the server is stopping: call another one");
	}
	h2_connection_condemn(connection, NGHTTP2_NO_ERROR, NULL);
}

/* Answers that are packed, and the statuses of calls that are given up, leave before the connections close. */
void h2_on_shut(struct tag *tag, bool ok)
{
	struct h2_worker *worker = container_of(tag, struct h2_worker, shut);

	(void)ok;
	worker->shutting = true;
	list_each (&worker->connections, at, after)
		shut(container_of(at, struct h2_connection, link));
	worker_try_shut(&worker->worker);
}

void h2_shut(struct rpc_server *server)
{
	for (unsigned i = 0; i < server->options.workers; i++)
		worker_hand_over(server->workers[i], &h2_worker_of(server->workers[i])->shut);
}
