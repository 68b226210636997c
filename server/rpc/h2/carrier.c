/* HTTP/2 as a carrier of calls (rpc/carrier.h). */
#include <string.h>

#include "rpc/h2/internal.h"
#include "rpc/h2/text.h"

static const uint8_t *h2_request(const struct call *call, size_t *len)
{
	static const uint8_t none;
	const struct buf *request = &h2_of(call)->request;

	*len = request->len ? request->len - H2_PREFIX : 0;
	return *len ? (const uint8_t *)request->data + H2_PREFIX : &none;
}

static const char *h2_peer(struct call *call)
{
	const char *peer = h2_of(call)->connection->peer;

	return arena_strndup(&call->arena, peer, strlen(peer));
}

static bool is_binary(const char *name, size_t len)
{
	return len > 4 && memcmp(name + len - 4, "-bin", 4) == 0;
}

static bool h2_metadata(const struct call *call, const char *name, const char **value, size_t *len)
{
	size_t name_len = strlen(name);
	const struct h2_header *found = NULL;

	/* The list has the last one first. */
	for (const struct h2_header *at = h2_of(call)->headers; at; at = at->next)
		if (at->name_len == name_len && memcmp(at->name, name, name_len) == 0)
			found = at;
	if (!found)
		return false;
	*value = found->value;
	*len = found->value_len;
	if (is_binary(name, name_len))
		*value = h2_base64_read(&h2_of(call)->call.arena, found->value, found->value_len, len);
	return *value;
}

static bool h2_certificate_names(struct call *call, bool (*each)(const char *name, size_t len, void *arg), void *arg)
{
	const struct tls_session *tls = h2_of(call)->connection->tls;

	return tls && tls_peer_names(tls, each, arg);
}

static const char *h2_certificate(struct call *call)
{
	const struct tls_session *tls = h2_of(call)->connection->tls;

	return tls ? tls_peer_certificate(tls) : NULL;
}

static int64_t h2_deadline_us(const struct call *call)
{
	return h2_of(call)->deadline_us;
}

/* The connection is watched anyway. */
static void h2_watch(struct call *call)
{
	(void)call;
}

static void h2_write(struct call *call)
{
	struct h2_call *h2 = h2_of(call);

	unsent_begin(call, call->ended_bytes + h2->room.len);
	if (h2_call_is_gone(h2))
		h2_due(h2, H2_WROTE);
	else
		h2_answer_send(h2);
}

static void h2_end(struct call *call)
{
	struct h2_call *h2 = h2_of(call);

	unsent_strip_later(call);
	if (h2_call_is_gone(h2)) {
		h2_call_try_finish(h2);
		return;
	}
	h2->status = call->status;
	h2->ending = true;
	unsent_begin(call, call->ended_bytes + (call->with_message ? h2->room.len : 0));
	h2_answer_send(h2);
}

static void h2_drop(struct call *call, const char *why)
{
	struct h2_call *h2 = h2_of(call);

	/* To gRPC, this code is RESOURCE_EXHAUSTED. A text would need headers behind the message that cannot be sent. */
	(void)why;
	call->cancelled = 1;
	if (h2->stream)
		h2_answer_reset(h2, NGHTTP2_ENHANCE_YOUR_CALM);
}

const struct carrier h2_carrier = {
	.request = h2_request,
	.forget_request = h2_message_forget,
	.peer = h2_peer,
	.metadata = h2_metadata,
	.certificate_names = h2_certificate_names,
	.certificate = h2_certificate,
	.deadline_us = h2_deadline_us,
	.watch = h2_watch,
	.room = h2_answer_room,
	.write = h2_write,
	.explain = h2_answer_explain,
	.end = h2_end,
	.read = h2_message_read,
	.drop = h2_drop,
};
