/* What is remembered of an exchange. */
#include <string.h>

#include "api/door/private.h"

void door_pack(const ProtobufCMessage *message, struct buf *out)
{
	size_t len = protobuf_c_message_get_packed_size(message);

	protobuf_c_message_pack(message, (uint8_t *)buf_reserve(out, len + 1));
	out->len += len;
}

/* Any row of the RPC. */
static const struct rest_row *row_of_rpc(const char *rpc)
{
	const struct rest_row *row = rest_rows;

	while (strcmp(row->rpc, rpc) != 0) /* every RPC has one: a test looks for those without */
		row++;
	return row;
}

struct door_state *door_state_of(struct http_exchange *exchange, const struct rest_row *row)
{
	struct door_state *state = arena_zalloc(exchange->arena, 1, sizeof(*state));

	*state = (struct door_state){
		.row = row, .format = door_format_of(exchange), .deny_status = 429, .headers = "both"};
	exchange->state = state;
	return state;
}

struct door_state *door_state_new(struct http_exchange *exchange, const char *rpc)
{
	return door_state_of(exchange, row_of_rpc(rpc));
}

struct door_state *door_start(
	struct http_exchange *exchange, const char *rpc, const ProtobufCMessage *message, struct buf *out)
{
	exchange->rpc = rpc;
	door_pack(message, out);
	return door_state_new(exchange, rpc);
}
