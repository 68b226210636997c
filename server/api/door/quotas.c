/* The API under /api/quotas (api/seed), over the same calls. */
#include "api/door/private.h"

static bool read_call(struct http_exchange *exchange, struct seed_call *call, struct err *err)
{
	struct seed_request request = {.method = exchange->method,
		.path = exchange->path,
		.query = exchange->query,
		.body = exchange->body,
		.body_len = exchange->body_len,
		.request_id = http_header_find(exchange, "idempotency-key"),
		.arena = exchange->arena};

	if (seed_read(&request, call, err))
		return true;
	if (call->allow)
		http_header_add(exchange, "Allow", call->allow);
	return false;
}

bool door_quotas(const struct door *door, struct http_exchange *exchange, struct buf *message, struct err *err)
{
	struct seed_call *call = arena_alloc(exchange->arena, sizeof(*call));
	struct door_state *state;

	if (!door_guard(door, exchange, err) || !read_call(exchange, call, err))
		return false;
	state = door_start(exchange, call->rpc, call->message, message);
	state->quotas = call;
	return true;
}
