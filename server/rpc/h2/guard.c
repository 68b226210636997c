/* What hostile, broken and dead callers meet. docs/security.md says how each is tried. */
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "rpc/h2/internal.h"

/*
 * As gRPC core is told (core_server.c): a caller with calls who is silent for 10 s is pinged, and has gone if they do not
 * answer within 5 s. Pings of theirs may come every 10 s, or after anything was sent to them; after the third one that
 * comes sooner the connection ends.
 */
#define SILENT_US (10 * SECOND_US)
#define GONE_US (15 * SECOND_US)
#define PING_APART_US (10 * SECOND_US)
enum { STRIKES_MAX = 2 };
/* Within which a new connection must have sent its settings. */
#define GREETING_US (10 * SECOND_US)

/*
 * Frames that ask for nothing: a connection may send this many, then BUDGET_A_SECOND, and some with each request. nghttp2
 * bounds answers that pile up, resets and CONTINUATION itself; this bounds the work that such frames make.
 */
enum { BUDGET = 10000, BUDGET_A_SECOND = 100, BUDGET_A_REQUEST = 16, SETTINGS_COST = 100 };

static int cost_of(const nghttp2_frame *frame)
{
	bool end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;

	switch (frame->hd.type) {
	case NGHTTP2_HEADERS:
		return frame->headers.cat == NGHTTP2_HCAT_REQUEST ? -BUDGET_A_REQUEST : 1;
	case NGHTTP2_DATA:
		return frame->hd.length == 0 && !end ? 1 : 0;
	case NGHTTP2_SETTINGS: /* each may change the windows of all streams */
		return SETTINGS_COST;
	default:
		return 1;
	}
}

static bool spend(struct h2_connection *connection, int cost)
{
	int left = connection->budget - cost;

	if (left < 0) {
		int64_t now_us = clock_mono_us();
		int64_t more = (now_us - connection->budget_us) * BUDGET_A_SECOND / SECOND_US;

		if (more > 0)
			connection->budget_us = now_us;
		left += more < BUDGET ? (int)more : BUDGET;
	}
	connection->budget = left < BUDGET ? left : BUDGET;
	return left >= 0;
}

static void on_ping(struct h2_connection *connection)
{
	int64_t now_us = clock_mono_us();

	if (connection->ping_us && now_us - connection->ping_us < PING_APART_US && ++connection->strikes > STRIKES_MAX)
		h2_connection_condemn(connection, NGHTTP2_ENHANCE_YOUR_CALM, "too_many_pings");
	connection->ping_us = now_us;
}

static void on_pong(struct h2_connection *connection)
{
	connection->pinged = false;
	if (connection->parting == H2_ASKED_TO_LEAVE)
		h2_part(connection);
}

bool h2_guard_frame(struct h2_connection *connection, const nghttp2_frame *frame)
{
	bool ack = frame->hd.flags & NGHTTP2_FLAG_ACK;

	if (connection->condemned)
		return false;
	if (!connection->budget_us) {
		connection->budget_us = clock_mono_us();
		connection->budget = BUDGET;
	}
	if (!spend(connection, cost_of(frame))) {
		h2_connection_condemn(connection, NGHTTP2_ENHANCE_YOUR_CALM, "too many frames that ask for nothing");
		return false;
	}
	if (frame->hd.type == NGHTTP2_PING && ack)
		on_pong(connection);
	else if (frame->hd.type == NGHTTP2_PING)
		on_ping(connection);
	return true;
}

/* Callers who have gone are noticed only if something is done or kept for them. */
static bool is_alive(struct h2_connection *connection, int64_t now_us)
{
	int64_t silent_us = now_us - connection->heard_us;

	if (!connection->pinged && list_empty(&connection->calls) && !h2_socket_blocked(connection))
		return true;
	if (silent_us > SILENT_US && !connection->pinged) {
		connection->pinged = true;
		nghttp2_submit_ping(connection->session, NGHTTP2_FLAG_NONE, NULL);
		h2_connection_soil(connection);
	}
	return silent_us <= GONE_US;
}

bool h2_guard_look(struct h2_connection *connection, int64_t now_us)
{
	if (connection->lingering || connection->condemned)
		return now_us <= connection->until_us;
	if (!connection->greeted)
		return now_us - connection->opened_us <= GREETING_US;
	if (connection->parting == H2_ASKED_TO_LEAVE && now_us > connection->until_us)
		h2_part(connection);
	return is_alive(connection, now_us);
}

static struct h2_connection *fullest(struct h2_worker *worker)
{
	struct h2_connection *found = NULL;

	list_each (&worker->connections, at, after) {
		struct h2_connection *connection = container_of(at, struct h2_connection, link);

		if (!found || connection->arriving_bytes > found->arriving_bytes)
			found = connection;
	}
	return found;
}

/* Ends a request that has not arrived whole, or a stream whose handler does not keep up. */
static void give_up(struct h2_call *h2)
{
	static const struct err full = {.code = ERR_EXHAUSTED,
		.text = "the server holds too many requests that have not arrived whole",
		.reason = "SERVER_BUSY"};

	if (!h2->stream || h2->flaw || h2->abandoned || h2->http_status || (h2->begun && !h2->in.cap))
		return;
	if (h2->begun) {
		h2_call_abandon(h2, full.code, full.text);
	} else {
		h2->flaw = &full;
		h2_due(h2, H2_REFUSAL);
	}
	buf_release(&h2->in);
	h2->in_at = 0;
	h2_call_count(h2);
}

void h2_guard_arriving(struct h2_worker *worker)
{
	size_t most = h2_server_of(worker->worker.server)->arriving_max;
	const struct h2_connection *connection;

	if (worker->arriving_bytes <= most)
		return;
	connection = fullest(worker);
	list_each (&connection->calls, at, after) {
		if (worker->arriving_bytes <= most)
			return;
		give_up(container_of(at, struct h2_call, link));
	}
}
