/* nghttp2's callbacks. It forbids to end a session inside one, so nothing here runs handlers or closes connections. */
#include <string.h>

#include "rpc/h2/internal.h"

/*
 * Streams that a caller may reset at once, and per second. Callers whose deadlines pass reset many together; what a
 * reset call costs is bounded by H2_STREAMS_MAX and max_calls.
 */
enum { RESETS_AT_ONCE = 5000, RESETS_A_SECOND = 500 };

static struct h2_call *call_of(nghttp2_session *session, int32_t stream)
{
	return nghttp2_session_get_stream_user_data(session, stream);
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head, void *ctx)
{
	(void)session;
	/* For DATA that nghttp2 ignores it does not run: frames.c looks for that itself. */
	if (head->type == NGHTTP2_HEADERS)
		h2_frames_check(ctx, head->stream_id);
	return 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct h2_connection *connection = ctx;

	if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	connection->newest = frame->hd.stream_id;
	if (connection->orphans >= H2_STREAMS_MAX)
		return nghttp2_submit_rst_stream(
			session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
	return nghttp2_session_set_stream_user_data(
		session, frame->hd.stream_id, h2_call_take(connection, frame->hd.stream_id, &h2_carrier));
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
	const uint8_t *value, size_t value_len, uint8_t flags, void *ctx)
{
	struct h2_call *h2 = call_of(session, frame->hd.stream_id);

	(void)flags;
	(void)ctx;
	/* What follows a request is of no use to anybody. */
	if (!h2 || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	return h2_request_header(h2, name, name_len, value, value_len) ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static void on_stream_frame(struct h2_call *h2, const nghttp2_frame *frame)
{
	if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
		h2_request_headers_end(h2);
	if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		h2_message_end(h2);
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct h2_connection *connection = ctx;
	struct h2_call *h2;

	if (!h2_guard_frame(connection, frame))
		return 0;
	if (frame->hd.type == NGHTTP2_SETTINGS)
		connection->greeted = true;
	if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
		return 0;
	h2 = call_of(session, frame->hd.stream_id);
	if (h2)
		on_stream_frame(h2, frame);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes, size_t n, void *ctx)
{
	struct h2_call *h2 = call_of(session, stream);

	(void)flags;
	(void)ctx;
	nghttp2_session_consume_connection(session, n);
	if (h2)
		h2_message_bytes(h2, bytes, n);
	else
		nghttp2_session_consume_stream(session, stream, n);
	return 0;
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct h2_connection *connection = ctx;
	struct h2_call *h2;

	if (frame->hd.type == NGHTTP2_RST_STREAM)
		connection->cut_short = true;
	if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
		return 0;
	connection->ping_us = 0;
	connection->strikes = 0;
	if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		return 0;
	h2 = call_of(session, frame->hd.stream_id);
	if (h2)
		h2->ended = true;
	/* A caller who has not ended their side need not go on: the answer is complete. Of gRPC's, clients expect it. */
	if (!(h2 && h2->http_status) && nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) == 0)
		nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t code, void *ctx)
{
	struct h2_call *h2 = call_of(session, stream);

	(void)code;
	(void)ctx;
	if (h2)
		h2_call_stream_closed(h2);
	return 0;
}

void h2_session_prepare(struct h2_server *server)
{
	if (nghttp2_session_callbacks_new(&server->callbacks) != 0 || nghttp2_option_new(&server->option) != 0)
		mem_exhausted(0);
	nghttp2_session_callbacks_set_on_begin_frame_callback(server->callbacks, on_begin_frame);
	nghttp2_session_callbacks_set_on_begin_headers_callback(server->callbacks, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(server->callbacks, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(server->callbacks, on_frame_recv);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(server->callbacks, on_data);
	nghttp2_session_callbacks_set_on_frame_send_callback(server->callbacks, on_frame_send);
	nghttp2_session_callbacks_set_on_stream_close_callback(server->callbacks, on_stream_close);
	nghttp2_option_set_no_closed_streams(server->option, 1);
	nghttp2_option_set_no_auto_window_update(server->option, 1);
	/* gRPC allows blanks around a value; nghttp2 would reset the stream. */
	nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(server->option, 1);
	nghttp2_option_set_stream_reset_rate_limit(server->option, RESETS_AT_ONCE, RESETS_A_SECOND);
}

bool h2_session_open(struct h2_connection *connection)
{
	const struct h2_server *server = h2_server_of(connection->worker->worker.server);
	const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, H2_STREAMS_MAX},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_STREAM_WINDOW},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, H2_METADATA_MAX},
	};

	h2_frames_begin(connection);
	if (nghttp2_session_server_new2(&connection->session, server->callbacks, connection, server->option) != 0)
		return false;
	return nghttp2_submit_settings(
		       connection->session, NGHTTP2_FLAG_NONE, settings, sizeof(settings) / sizeof(settings[0])) == 0 &&
	       nghttp2_session_set_local_window_size(connection->session, NGHTTP2_FLAG_NONE, 0, H2_CONNECTION_WINDOW) ==
		       0;
}
