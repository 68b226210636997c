/*
 * Frames on their way to nghttp2. It ignores DATA and HEADERS of streams that are closed, because they may have been under
 * way when this side reset the stream, and tells nobody. If this side never reset one, they are an error of the caller's,
 * which ends the connection, as RFC 7540 has it (5.1). nghttp2 would notice if it kept closed streams, which takes a
 * quarter of a megabyte for each busy connection.
 */
#include <arpa/inet.h>
#include <string.h>

#include "rpc/h2/internal.h"

void h2_frames_begin(struct h2_connection *connection)
{
	connection->scan = (struct h2_scan){.left = NGHTTP2_CLIENT_MAGIC_LEN};
}

static bool feed(struct h2_connection *connection, const uint8_t *bytes, size_t n)
{
	return n == 0 || nghttp2_session_mem_recv(connection->session, bytes, n) >= 0;
}

void h2_frames_check(struct h2_connection *connection, int32_t stream)
{
	if (stream % 2 && stream <= connection->newest && !connection->cut_short &&
		!nghttp2_session_find_stream(connection->session, stream))
		h2_connection_condemn(connection, NGHTTP2_STREAM_CLOSED, "a frame for a stream that is closed");
}

/* nghttp2 may not have seen the frames before it. If their streams are new, they are above `newest`. */
static void look_at(struct h2_connection *connection, const uint8_t *head)
{
	struct h2_scan *scan = &connection->scan;
	uint32_t stream;

	scan->left = (uint32_t)head[0] << 16 | (uint32_t)head[1] << 8 | head[2];
	scan->kind = head[3];
	if (scan->kind != NGHTTP2_DATA)
		return;
	memcpy(&stream, &head[5], sizeof(stream));
	h2_frames_check(connection, (int32_t)(ntohl(stream) & INT32_MAX));
}

/* Takes the head of a frame, which may come in pieces; returns the end of what it took. */
static const uint8_t *take_head(struct h2_connection *connection, const uint8_t *at, const uint8_t *end)
{
	struct h2_scan *scan = &connection->scan;
	size_t n = sizeof(scan->head) - scan->head_len;

	if (n > (size_t)(end - at))
		n = (size_t)(end - at);
	memcpy(scan->head + scan->head_len, at, n);
	scan->head_len = (uint8_t)(scan->head_len + n);
	if (scan->head_len == sizeof(scan->head)) {
		scan->head_len = 0;
		look_at(connection, scan->head);
	}
	return at + n;
}

bool h2_frames_read(struct h2_connection *connection, const uint8_t *bytes, size_t n)
{
	struct h2_scan *scan = &connection->scan;
	const uint8_t *end = bytes + n, *at = bytes;

	while (at < end) {
		uint32_t skip = scan->left < (size_t)(end - at) ? scan->left : (uint32_t)(end - at);

		at += skip;
		scan->left -= skip;
		/* A caller's reset closes a stream at once. */
		if (scan->left == 0 && scan->kind == NGHTTP2_RST_STREAM) {
			scan->kind = NGHTTP2_PING;
			if (!feed(connection, bytes, (size_t)(at - bytes)))
				return false;
			bytes = at;
		}
		if (at < end)
			at = take_head(connection, at, end);
	}
	return feed(connection, bytes, (size_t)(end - bytes));
}
