/* What a call sends: headers, messages, and the status in the trailers. */
#include <stdio.h>
#include <string.h>

#include "rpc/h2/internal.h"
#include "rpc/h2/text.h"
#include "rpc/status.h"

#define CONSTANT (NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE)
#define NAME_VALUE(name, value) \
	{ \
		(uint8_t *)(uintptr_t)(name), (uint8_t *)(uintptr_t)(value), sizeof(name) - 1, sizeof(value) - 1, \
			CONSTANT \
	}

static const nghttp2_nv headers[] = {
	NAME_VALUE(":status", "200"),
	NAME_VALUE("content-type", "application/grpc"),
	NAME_VALUE("grpc-accept-encoding", "identity"),
};
enum { HEADERS = sizeof(headers) / sizeof(headers[0]), TRAILERS_MAX = 3 };

/* A header whose value nghttp2 copies. */
static nghttp2_nv copied(const char *name, const char *value, size_t len)
{
	return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), len,
		NGHTTP2_NV_FLAG_NO_COPY_NAME};
}

/* The status; `code` is memory for it. Returns the number of entries. */
static size_t put_trailers(const struct h2_call *h2, nghttp2_nv trailers[TRAILERS_MAX], char code[8])
{
	static const nghttp2_nv fine = NAME_VALUE("grpc-status", "0");
	size_t n = 0;

	if (!h2->status) {
		trailers[0] = fine;
		return 1;
	}
	trailers[n++] = copied("grpc-status", code, (size_t)snprintf(code, 8, "%d", h2->status));
	if (h2->message.len)
		trailers[n++] = copied("grpc-message", h2->message.data, h2->message.len);
	if (h2->details.len)
		trailers[n++] = copied("grpc-status-details-bin", h2->details.data, h2->details.len);
	return n;
}

static void submit_trailers(struct h2_call *h2)
{
	nghttp2_nv trailers[TRAILERS_MAX];
	char code[8];
	size_t n = put_trailers(h2, trailers, code);

	nghttp2_submit_trailer(h2->connection->session, h2->stream, trailers, n);
}

/* nghttp2 asks for what follows on the stream. */
static ssize_t read_answer(nghttp2_session *session, int32_t stream, uint8_t *to, size_t most, uint32_t *flags,
	nghttp2_data_source *source, void *ctx)
{
	struct h2_call *h2 = source->ptr;
	size_t left = h2->abandoned ? 0 : h2->room.len - h2->room_at;
	size_t n = left < most ? left : most;

	(void)session;
	(void)stream;
	(void)ctx;
	if (n == 0 && !h2->ending)
		return NGHTTP2_ERR_DEFERRED;
	if (n)
		memcpy(to, h2->room.data + h2->room_at, n);
	h2->room_at += n;
	if (n < left)
		return (ssize_t)n;
	if (h2->call.writing)
		h2_due(h2, H2_WROTE);
	if (h2->ending) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		if (!h2->http_status) {
			*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
			submit_trailers(h2);
		}
	}
	return (ssize_t)n;
}

static void submit(struct h2_call *h2, const nghttp2_nv *entries, size_t n, bool with_data)
{
	const nghttp2_data_provider provider = {.source = {.ptr = h2}, .read_callback = read_answer};

	h2->submitted = true;
	if (nghttp2_submit_response(h2->connection->session, h2->stream, entries, n, with_data ? &provider : NULL) != 0)
		h2_connection_condemn(h2->connection, NGHTTP2_INTERNAL_ERROR, NULL);
}

/* Without a message, one frame has both headers and status. */
static void submit_status_only(struct h2_call *h2)
{
	nghttp2_nv entries[HEADERS + TRAILERS_MAX];
	char code[8];
	size_t n;

	memcpy(entries, headers, sizeof(headers));
	n = HEADERS + put_trailers(h2, entries + HEADERS, code);
	submit(h2, entries, n, false);
}

void h2_answer_send(struct h2_call *h2)
{
	if (h2->submitted)
		nghttp2_session_resume_data(h2->connection->session, h2->stream);
	else if (h2->ending && h2->room_at == h2->room.len)
		submit_status_only(h2);
	else
		submit(h2, headers, HEADERS, true);
	h2_connection_soil(h2->connection);
}

uint8_t *h2_answer_room(struct call *call, size_t n)
{
	struct buf *room = &h2_of(call)->room;
	uint8_t *p;

	buf_reset(room);
	p = (uint8_t *)buf_reserve(room, H2_PREFIX + n);
	room->len = H2_PREFIX + n;
	h2_of(call)->room_at = 0;
	p[0] = 0;
	for (int i = 0; i < 4; i++)
		p[1 + i] = (uint8_t)(n >> (24 - 8 * i));
	return p + H2_PREFIX;
}

void h2_answer_explain(struct call *call, const struct err *err)
{
	struct h2_call *h2 = h2_of(call);
	size_t len;
	const uint8_t *details;

	if (h2->abandoned)
		return;
	details = status_details(&call->arena, err, &len);
	buf_reset(&h2->message);
	buf_reset(&h2->details);
	h2_percent_put(&h2->message, err->text);
	h2_base64_put(&h2->details, details, len);
}

void h2_answer_status(struct h2_call *h2, enum err_code code, const char *text)
{
	h2->status = status_code(code);
	h2->ending = true;
	buf_reset(&h2->message);
	buf_reset(&h2->details);
	h2_percent_put(&h2->message, text);
}

void h2_answer_plain(struct h2_call *h2)
{
	static const char text[] = "This is a port for gRPC (HTTP/2, POST, content-type: application/grpc).\n";
	char status[8];
	const nghttp2_nv entries[] = {
		copied(":status", status, (size_t)snprintf(status, sizeof(status), "%u", h2->http_status)),
		NAME_VALUE("content-type", "text/plain"),
	};

	buf_put(&h2->room, text, sizeof(text) - 1);
	h2->ending = true;
	submit(h2, entries, 2, true);
}

void h2_answer_reset(struct h2_call *h2, uint32_t code)
{
	/* What waits for room in the stream's window is not needed any more, although the stream closes later. */
	buf_release(&h2->room);
	h2->room_at = 0;
	h2->ending = false;
	nghttp2_submit_rst_stream(h2->connection->session, NGHTTP2_FLAG_NONE, h2->stream, code);
	h2_connection_soil(h2->connection);
}
