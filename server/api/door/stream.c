/* Streams as server-sent events, or as JSON on lines for programs that ask for it. */
#include <inttypes.h>
#include <string.h>

#include "api/door/private.h"
#include "api/json/json_message.h"
#include "bursar/v1/limiter.pb-c.h"

enum door_format door_format_of(const struct http_exchange *exchange)
{
	const char *accept = http_header_find(exchange, "accept");

	return accept && (strstr(accept, "ndjson") || strstr(accept, "jsonl")) ? FORMAT_LINES : FORMAT_EVENTS;
}

static bool events(const struct http_exchange *exchange)
{
	return ((const struct door_state *)exchange->state)->format == FORMAT_EVENTS;
}

void door_begin(const struct http_translator *self, struct http_exchange *exchange)
{
	(void)self;
	exchange->status = 200;
	exchange->form = ((const struct door_state *)exchange->state)->format;
	exchange->type = events(exchange) ? "text/event-stream" : "application/x-ndjson";
	http_header_add(exchange, "Cache-Control", "no-store");
	/* nginx would gather the events. */
	http_header_add(exchange, "X-Accel-Buffering", "no");
}

/* An EventSource that reconnects sends the last id back, in the header Last-Event-ID. */
static void put_id(const ProtobufCMessage *message, struct buf *out)
{
	if (message->descriptor == &bursar__v1__events_response__descriptor)
		buf_putf(out, "id: %" PRId64 "\n", ((const Bursar__V1__EventsResponse *)message)->cursor);
}

void door_part(const struct http_translator *self, struct http_exchange *exchange, const uint8_t *bytes, size_t n,
	struct buf *out)
{
	const struct door_state *state = exchange->state;
	/* A stream may last for days, so the message has an arena of its own. */
	struct arena arena = {0};
	const ProtobufCMessage *message = door_unpack(&arena, rest_rpc(state->row)->output, bytes, n);

	(void)self;
	if (events(exchange)) {
		put_id(message, out);
		buf_put_str(out, "data: ");
	}
	json_write_message(message, out);
	buf_put_str(out, events(exchange) ? "\n\n" : "\n");
	arena_release(&arena);
}

void door_broken(const struct http_translator *self, struct http_exchange *exchange, int code, const uint8_t *bytes,
	size_t n, struct buf *out)
{
	(void)self;
	buf_put_str(out, events(exchange) ? "event: error\ndata: " : "{\"error\":");
	door_status(exchange->arena, code, bytes, n, out);
	buf_put_str(out, events(exchange) ? "\n\n" : "}\n");
}

void door_idle(const struct http_translator *self, struct http_exchange *exchange, struct buf *out)
{
	(void)self;
	buf_put_str(out, events(exchange) ? ":\n\n" : "\n");
}
