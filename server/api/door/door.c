/* Requests and unary answers of the door. */
#include "api/door/door.h"

#include <string.h>

#include "api/door/private.h"
#include "api/json/json_message.h"
#include "api/rest/parameters.h"
#include "base/list.h"
#include "bursar/v1/limiter.pb-c.h"

#define CHECK "/bursar.v1.Limiter/Check"

static const struct rest_row *row_of(struct http_exchange *exchange, struct rest_match *match, struct err *err)
{
	const struct rest_row *row = rest_find(exchange->method, exchange->path, strlen(exchange->path), match, err);

	if (!row && match->allow[0])
		http_header_add(exchange, "Allow", arena_strndup(exchange->arena, match->allow, strlen(match->allow)));
	return row;
}

static void remember(struct http_exchange *exchange, const struct rest_row *row)
{
	struct door_state *state = door_state_of(exchange, row);
	char status[8], *route = arena_alloc(exchange->arena, REST_SHOWN_MAX);

	exchange->route = rest_shown(row, route);

	if (rest_extra_value(row, exchange->query, "deny_status", status, sizeof(status)) && strcmp(status, "403") == 0)
		state->deny_status = 403;
	if (!rest_extra_value(row, exchange->query, "headers", state->headers, sizeof(state->headers)))
		memcpy(state->headers, "both", sizeof("both"));
}

/* Of the request, or of the check that an acquisition begins with. */
static const char *request_id_in(const ProtobufCMessage *message)
{
	const ProtobufCFieldDescriptor *field;

	if (message->descriptor == &bursar__v1__acquire_request__descriptor) {
		message = &((const Bursar__V1__AcquireRequest *)message)->check->base;
		if (!message)
			return "";
	}
	field = protobuf_c_message_descriptor_get_field_by_name(message->descriptor, "request_id");
	return *(const char *const *)(const void *)((const char *)message + field->offset);
}

/* The header Idempotency-Key is the request's id, so that a repeat by a client or a proxy counts nothing twice. */
static bool set_request_id(
	struct http_exchange *exchange, const struct rest_row *row, ProtobufCMessage *message, struct err *err)
{
	const char *key = http_header_find(exchange, "idempotency-key"), *path = rest_idempotency_field(row), *given;

	if (!key || !path)
		return true;
	given = request_id_in(message);
	if (given[0] && strcmp(given, key) != 0)
		return err_invalid(
			err, "Idempotency-Key", "is not the request_id of the body; send one of them, or the same");
	return json_set_field(message, path, key, strlen(key), exchange->arena, err);
}

/* The header Last-Event-ID is the cursor after which a stream of events continues, whatever the address says. */
static bool set_cursor(
	struct http_exchange *exchange, const struct rest_row *row, ProtobufCMessage *message, struct err *err)
{
	const char *id = http_header_find(exchange, "last-event-id"), *path = rest_cursor_field(row);
	struct err why;

	if (!id || !id[0] || !path || json_set_field(message, path, id, strlen(id), exchange->arena, &why))
		return true;
	return err_invalid(err, "Last-Event-ID", "is not the id of an event of this stream: a number");
}

/* The request message of the row, packed. */
static bool message_of(struct http_exchange *exchange, const struct rest_row *row, const struct rest_match *match,
	struct buf *out, struct err *err)
{
	const ProtobufCMessageDescriptor *type = rest_rpc(row)->input;
	ProtobufCMessage *message = arena_alloc(exchange->arena, type->sizeof_message);

	protobuf_c_message_init(type, message);
	if (!rest_request(
		    row, match, exchange->query, exchange->body, exchange->body_len, message, exchange->arena, err) ||
		!set_request_id(exchange, row, message, err) || !set_cursor(exchange, row, message, err))
		return false;
	door_pack(message, out);
	return true;
}

static bool rest_start(const struct door *door, struct http_exchange *exchange, struct buf *message, struct err *err)
{
	struct rest_match match = {0};
	const struct rest_row *row = row_of(exchange, &match, err);

	if (!row || !door_guard(door, exchange, err) || !message_of(exchange, row, &match, message, err))
		return false;
	remember(exchange, row);
	exchange->rpc = row->rpc;
	return true;
}

static void door_request(const struct http_translator *self, struct http_exchange *exchange, struct buf *message)
{
	const struct door *door = container_of((struct http_translator *)(uintptr_t)self, struct door, translator);
	struct err err = {0};
	enum rest_other_kind other = rest_other_kind(exchange->path);
	bool ok;

	exchange->needs_proof = !door_named_locally(exchange);
	if (other == REST_AUTHORIZE)
		ok = door_authorize(door, exchange, message, &err);
	else if (door_cors(door, exchange) || door_static(door, exchange) ||
		 door_login_request(door, exchange, message))
		return;
	else if (other == REST_QUOTAS)
		ok = door_quotas(door, exchange, message, &err);
	else
		ok = rest_start(door, exchange, message, &err);
	if (!ok)
		door_refuse(exchange, &err);
}

static void door_reply(
	const struct http_translator *self, struct http_exchange *exchange, const uint8_t *bytes, size_t n)
{
	const struct door_state *state = exchange->state;
	ProtobufCMessage *message;

	(void)self;
	if (state->login) {
		door_login_reply(exchange, bytes, n);
		return;
	}
	message = door_unpack(exchange->arena, rest_rpc(state->row)->output, bytes, n);
	exchange->status = 200;
	http_header_add(exchange, "Cache-Control", "no-store");
	if (door_etag(exchange, message))
		return;
	exchange->type = "application/json";
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
	door_compress(exchange);
}

void door_init(struct door *door, const char *cors_origins, const char *embed_origins)
{
	*door = (struct door){
		.translator = {door_request, door_reply, door_failure, door_begin, door_part, door_broken, door_idle},
		.cors_origins = cors_origins,
		.embed_origins = embed_origins,
	};
}
