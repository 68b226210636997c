/* Requests and unary answers of the door. */
#include "api/door/door.h"

#include <string.h>

#include "api/door/private.h"
#include "api/json/json_message.h"

#define CHECK "/bursar.v1.Limiter/Check"

static const struct rest_row *row_of(struct http_exchange *exchange, struct rest_match *match, struct err *err)
{
	const struct rest_row *row = rest_find(exchange->method, exchange->path, strlen(exchange->path), match, err);

	if (!row && match->allow[0])
		http_header_add(exchange, "Allow", arena_strndup(exchange->arena, match->allow, strlen(match->allow)));
	return row;
}

/* Any row of the RPC. */
static const struct rest_row *row_of_rpc(const char *rpc)
{
	const struct rest_row *row = rest_rows;

	while (strcmp(row->rpc, rpc) != 0) /* every RPC has one: a test looks for those without */
		row++;
	return row;
}

static struct door_state *state_of_row(struct http_exchange *exchange, const struct rest_row *row)
{
	struct door_state *state = arena_zalloc(exchange->arena, 1, sizeof(*state));

	*state = (struct door_state){
		.row = row, .format = door_format_of(exchange), .deny_status = 429, .headers = "both"};
	exchange->state = state;
	return state;
}

struct door_state *door_state_new(struct http_exchange *exchange, const char *rpc)
{
	return state_of_row(exchange, row_of_rpc(rpc));
}

struct door_state *door_start(
	struct http_exchange *exchange, const char *rpc, const ProtobufCMessage *message, struct buf *out)
{
	exchange->rpc = rpc;
	door_pack(message, out);
	return door_state_new(exchange, rpc);
}

static void remember(struct http_exchange *exchange, const struct rest_row *row)
{
	struct door_state *state = state_of_row(exchange, row);
	char status[8];

	if (rest_extra_value(row, exchange->query, "deny_status", status, sizeof(status)) && strcmp(status, "403") == 0)
		state->deny_status = 403;
	if (!rest_extra_value(row, exchange->query, "headers", state->headers, sizeof(state->headers)))
		memcpy(state->headers, "both", sizeof("both"));
}

void door_pack(const ProtobufCMessage *message, struct buf *out)
{
	size_t len = protobuf_c_message_get_packed_size(message);

	protobuf_c_message_pack(message, (uint8_t *)buf_reserve(out, len + 1));
	out->len += len;
}

/* The request message of the row, packed. */
static bool message_of(struct http_exchange *exchange, const struct rest_row *row, const struct rest_match *match,
	struct buf *out, struct err *err)
{
	const ProtobufCMessageDescriptor *type = rest_rpc(row)->input;
	ProtobufCMessage *message = arena_alloc(exchange->arena, type->sizeof_message);

	protobuf_c_message_init(type, message);
	if (!rest_request(
		    row, match, exchange->query, exchange->body, exchange->body_len, message, exchange->arena, err))
		return false;
	door_pack(message, out);
	return true;
}

static bool rest_start(struct http_exchange *exchange, struct buf *message, struct err *err)
{
	struct rest_match match = {0};
	const struct rest_row *row = row_of(exchange, &match, err);

	if (!row || !door_guard(exchange, err) || !message_of(exchange, row, &match, message, err))
		return false;
	remember(exchange, row);
	exchange->rpc = row->rpc;
	return true;
}

static void door_request(const struct http_translator *self, struct http_exchange *exchange, struct buf *message)
{
	struct err err = {0};
	bool ok;

	(void)self;
	if (seed_has(exchange->path))
		ok = door_quotas(exchange, message, &err);
	else if (door_authorizes(exchange->path))
		ok = door_authorize(exchange, message, &err);
	else
		ok = rest_start(exchange, message, &err);
	if (!ok)
		door_refuse(exchange, &err);
}

static void door_reply(
	const struct http_translator *self, struct http_exchange *exchange, const uint8_t *bytes, size_t n)
{
	const struct door_state *state = exchange->state;
	ProtobufCMessage *message = door_unpack(exchange->arena, rest_rpc(state->row)->output, bytes, n);

	(void)self;
	exchange->status = 200;
	exchange->type = "application/json";
	http_header_add(exchange, "Cache-Control", "no-store");
	if (state->authorizes) {
		door_authorized(exchange, message);
		return;
	}
	if (strcmp(exchange->rpc, CHECK) == 0)
		door_check(exchange, message);
	if (state->quotas)
		seed_write(state->quotas, message, &exchange->reply);
	else
		json_write_message(message, &exchange->reply);
	buf_put_str(&exchange->reply, "\n");
}

const struct http_translator door = {
	.request = door_request,
	.reply = door_reply,
	.failure = door_failure,
	.begin = door_begin,
	.part = door_part,
	.broken = door_broken,
	.idle = door_idle,
};
