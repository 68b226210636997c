/*
 * Messages of a request: each has a byte that says whether it is compressed, four with its length, and may begin and end
 * anywhere in the frames. The first one makes the call, unless its handler reads a stream of them.
 *
 * A caller gets new room in the stream's window for what a message needs to become whole, or was taken. So they can send
 * no more than a window ahead of the handler.
 */
#include <string.h>

#include "rpc/h2/internal.h"

/* Of the bytes that nobody has taken, a message's. */
static const uint8_t *first(const struct h2_call *h2)
{
	return (const uint8_t *)h2->in.data + h2->in_at;
}

static size_t waiting(const struct h2_call *h2)
{
	return h2->in.len - h2->in_at;
}

/* The length of the first message, which has its prefix. */
static size_t length_of_first(const struct h2_call *h2)
{
	const uint8_t *p = first(h2);

	return (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
}

static bool is_whole(const struct h2_call *h2)
{
	return waiting(h2) >= H2_PREFIX && waiting(h2) - H2_PREFIX >= length_of_first(h2);
}

/* Whether anything that the caller sends is still of use. */
static bool listens(const struct h2_call *h2)
{
	if (h2->flaw || h2->http_status || h2->abandoned || h2->call.answered)
		return false;
	return !h2->begun || h2->call.method->row->kind == RPC_STREAMS;
}

static void refuse(struct h2_call *h2, enum err_code code, const char *text)
{
	struct err *err;

	if (h2->begun) {
		h2_call_abandon(h2, code, text);
		return;
	}
	err = arena_alloc(&h2->call.arena, sizeof(*err));
	err_set(err, code, "%s", text);
	h2->flaw = err;
	h2_call_count(h2);
	h2_due(h2, H2_REFUSAL);
}

/* False when the first message cannot be taken. */
static bool check(struct h2_call *h2)
{
	size_t max = h2_options(h2->connection->worker)->max_message_bytes;

	if (waiting(h2) >= 1 && first(h2)[0] != 0) {
		refuse(h2, ERR_UNIMPLEMENTED,
			"the message is compressed: this server takes grpc-encoding identity only");
		return false;
	}
	if (waiting(h2) >= H2_PREFIX && length_of_first(h2) > max) {
		refuse(h2, ERR_EXHAUSTED, "the message is larger than max_message_bytes");
		return false;
	}
	return true;
}

void h2_message_bytes(struct h2_call *h2, const uint8_t *bytes, size_t n)
{
	nghttp2_session *session = h2->connection->session;
	bool ahead;

	if (!listens(h2)) {
		nghttp2_session_consume_stream(session, h2->stream, n);
		return;
	}
	ahead = is_whole(h2) && !h2->reading;
	buf_put(&h2->in, bytes, n);
	h2_call_count(h2);
	if (ahead)
		h2->unconsumed += n;
	else
		nghttp2_session_consume_stream(session, h2->stream, n);
	if (check(h2) && is_whole(h2))
		h2_due(h2, h2->begun ? H2_MESSAGE : H2_REQUEST);
	h2_guard_arriving(h2->connection->worker);
}

void h2_message_end(struct h2_call *h2)
{
	h2->half_closed = true;
	if (listens(h2))
		h2_due(h2, h2->begun ? H2_MESSAGE : H2_REQUEST);
}

/*
 * Most messages are alone, and their buffer is the request's. Of several, each is copied once, and what is behind it
 * moves only when more than half of the buffer was taken, so that many small ones in a window cost no more than their
 * bytes.
 */
bool h2_message_take_request(struct h2_call *h2)
{
	size_t len;

	if (!is_whole(h2))
		return false;
	len = H2_PREFIX + length_of_first(h2);
	if (len == h2->in.len) {
		struct buf used = h2->request;

		h2->request = h2->in;
		h2->in = used;
		buf_reset(&h2->in);
	} else {
		buf_reset(&h2->request);
		buf_put(&h2->request, first(h2), len);
		h2->in_at += len;
	}
	if (h2->in_at > h2->in.len / 2) {
		memmove(h2->in.data, h2->in.data + h2->in_at, waiting(h2));
		h2->in.len -= h2->in_at;
		h2->in_at = 0;
		if (!h2->in.len)
			buf_release(&h2->in);
	}
	h2_call_count(h2);
	return true;
}

void h2_message_forget(struct call *call)
{
	struct h2_call *h2 = h2_of(call);

	buf_release(&h2->request);
	h2_call_count(h2);
}

void h2_message_read(struct call *call)
{
	struct h2_call *h2 = h2_of(call);

	h2_message_forget(call);
	h2->reading = true;
	if (waiting(h2) > 0 || h2->half_closed || h2_call_is_gone(h2))
		h2_due(h2, H2_MESSAGE);
}

/* The caller may send as much again as was taken. */
static void consume(struct h2_call *h2, size_t taken)
{
	size_t n = taken < h2->unconsumed ? taken : h2->unconsumed;

	if (!n || !h2->stream)
		return;
	h2->unconsumed -= n;
	nghttp2_session_consume_stream(h2->connection->session, h2->stream, n);
	h2_connection_soil(h2->connection);
}

/* The message becomes the request, until the next one is read. */
void h2_message_give(struct h2_call *h2)
{
	bool gone = h2_call_is_gone(h2);
	size_t len;
	const uint8_t *bytes;

	if (!h2->reading || h2->call.answered || (!gone && !check(h2)))
		return;
	/* A part of one says nothing, unless it is the last thing that the caller sends. */
	if (!gone && !is_whole(h2) && !h2->half_closed)
		return;
	h2->reading = false;
	if (gone || !h2_message_take_request(h2)) {
		call_got(&h2->call, NULL, 0);
		return;
	}
	consume(h2, h2->request.len);
	bytes = call_request(&h2->call, &len);
	call_got(&h2->call, bytes, len);
}
