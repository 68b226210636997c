/* The headers of a request: which method it calls, and whether it may at all. */
#include <string.h>

#include "base/clock.h"
#include "rpc/h2/internal.h"
#include "rpc/h2/text.h"

enum { ENTRY_BYTES = 32 };

static bool is(const uint8_t *text, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(text, word, len) == 0;
}

/* "application/grpc", "application/grpc+proto", "application/grpc;...", but not "application/grpc-web". */
static bool is_grpc(const uint8_t *value, size_t len)
{
	static const char type[] = "application/grpc";
	const size_t n = sizeof(type) - 1;

	return len >= n && memcmp(value, type, n) == 0 && (len == n || value[n] == '+' || value[n] == ';');
}

static void flaw(struct h2_call *h2, enum err_code code, const char *text)
{
	struct err *err;

	if (h2->flaw)
		return;
	err = arena_alloc(&h2->call.arena, sizeof(*err));
	err_set(err, code, "%s", text);
	h2->flaw = err;
}

static void take_path(struct h2_call *h2, const uint8_t *value, size_t len)
{
	const struct method *method = rpc_server_method(h2->call.worker->server, (const char *)value);

	if (method)
		h2->call.method = method;
	else
		h2->unknown_path = arena_strndup(&h2->call.arena, (const char *)value, len);
}

static void take_timeout(struct h2_call *h2, const uint8_t *value, size_t len)
{
	int64_t timeout_us;

	if (h2_timeout_parse((const char *)value, len, &timeout_us))
		h2_deadline_set(h2, timeout_us);
	else
		flaw(h2, ERR_INVALID, "grpc-timeout: is not up to eight digits and a unit");
}

/* True for headers that are read here, and for those that nobody reads. */
static bool take_known(struct h2_call *h2, const uint8_t *name, size_t name_len, const uint8_t *value, size_t value_len)
{
	if (is(name, name_len, ":path"))
		take_path(h2, value, value_len);
	else if (is(name, name_len, ":method"))
		h2->post = is(value, value_len, "POST");
	else if (is(name, name_len, "content-type"))
		h2->grpc = is_grpc(value, value_len);
	else if (is(name, name_len, "te"))
		h2->trailers = is(value, value_len, "trailers");
	else if (is(name, name_len, "grpc-timeout"))
		take_timeout(h2, value, value_len);
	else
		return name[0] == ':' || is(name, name_len, "user-agent") ||
		       is(name, name_len, "grpc-accept-encoding") || is(name, name_len, "accept-encoding");
	return true;
}

bool h2_request_header(struct h2_call *h2, const uint8_t *name, size_t name_len, const uint8_t *value, size_t value_len)
{
	struct arena *arena = &h2->call.arena;
	struct h2_header *header;

	h2->metadata_bytes += name_len + value_len + ENTRY_BYTES;
	if (h2->metadata_bytes > H2_METADATA_CUT)
		return false;
	if (h2->metadata_bytes > H2_METADATA_MAX) {
		flaw(h2, ERR_EXHAUSTED, "the metadata is larger than 8 KiB");
		return true;
	}
	if (take_known(h2, name, name_len, value, value_len))
		return true;
	header = arena_alloc(arena, sizeof(*header));
	*header = (struct h2_header){
		.next = h2->headers,
		.name = arena_strndup(arena, (const char *)name, name_len),
		.value = arena_strndup(arena, (const char *)value, value_len),
		.name_len = name_len,
		.value_len = value_len,
	};
	h2->headers = header;
	return true;
}

static void check(struct h2_call *h2)
{
	if (!h2->trailers)
		flaw(h2, ERR_INVALID,
			"te: is not \"trailers\"; a proxy that drops it may drop the status of calls too");
	if (h2->unknown_path && !h2->flaw) {
		struct err *err = arena_alloc(&h2->call.arena, sizeof(*err));

		err_set(err, ERR_UNIMPLEMENTED, "unknown method %s", h2->unknown_path);
		h2->flaw = err;
	}
}

void h2_request_headers_end(struct h2_call *h2)
{
	if (!h2->post || !h2->grpc) {
		h2->http_status = h2->post ? 415 : 405;
		h2_answer_plain(h2);
		return;
	}
	check(h2);
	h2_call_count(h2);
	if (h2->flaw)
		h2_due(h2, H2_REFUSAL);
	else if (h2->call.method->row->kind == RPC_STREAMS)
		h2_due(h2, H2_REQUEST); /* its handler reads the messages */
	else
		h2_guard_arriving(h2->connection->worker);
}
