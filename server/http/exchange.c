/* Reads requests and sends answers, on the threads of libmicrohttpd. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/observe/metrics.h"
#include "base/unconst.h"
#include "http/internal.h"
#include "rpc/status.h"

void *http_begin(void *http, const char *target, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct http_call *self = http_call_new(http);
	const char *uri = http_origin_form(target), *query = strchr(uri, '?');
	size_t len;

	len = query ? (size_t)(query - uri) : strlen(uri);
	self->connection = connection;
	self->link = info->socket_context;
	/* The time for this request begins here; what the connection was idle before it does not count. */
	atomic_store(&self->link->since_us, clock_mono_us());
	self->exchange.path = arena_strndup(&self->arena, uri, len);
	self->exchange.query = query ? arena_strndup(&self->arena, query + 1, strlen(query + 1)) : "";
	/*
	 * libmicrohttpd would take memory of the connection for each query parameter, and say nothing once it has none left
	 * (some 500 of them). Nobody asks it for them, so the query ends here: the target is in its buffer.
	 */
	if (query)
		*unconst(query + 1) = '\0';
	if (self->link->early)
		http_call_free(self->link->early);
	self->link->early = self;
	return self;
}

static enum MHD_Result copy_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct http_call *self = arg;
	struct http_header *header = arena_alloc(&self->arena, sizeof(*header));

	(void)kind;
	*header = (struct http_header){.name = http_header_name(&self->arena, name),
		.value = value ? arena_strndup(&self->arena, value, strlen(value)) : ""};
	*self->headers_end = header;
	self->headers_end = &header->next;
	return MHD_YES;
}

/* In gRPC's notation, which auth and logs know. */
static const char *peer_text(struct http_call *self)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(self->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info ? info->client_addr : NULL;
	char text[INET6_ADDRSTRLEN] = "";

	if (address && address->sa_family == AF_INET) {
		const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;

		inet_ntop(AF_INET, &four->sin_addr, text, sizeof(text));
		return arena_printf(&self->arena, "ipv4:%s:%u", text, ntohs(four->sin_port));
	}
	if (address && address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;

		inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof(text));
		return arena_printf(&self->arena, "ipv6:[%s]:%u", text, ntohs(six->sin6_port));
	}
	return "unknown";
}

static struct MHD_Response *response_of(struct http_exchange *exchange)
{
	struct buf *reply = &exchange->reply;
	struct MHD_Response *response;

	if (exchange->fixed || !reply->len)
		return MHD_create_response_from_buffer(exchange->fixed ? exchange->fixed_len : 0,
			unconst(exchange->fixed ? exchange->fixed : ""), MHD_RESPMEM_PERSISTENT);
	response = MHD_create_response_from_buffer(reply->len, reply->data, MHD_RESPMEM_MUST_FREE);
	if (response)
		*reply = (struct buf){0};
	return response;
}

/* Queues the response with the status and headers of the exchange, and frees it. */
static enum MHD_Result queue(struct http_call *self, struct MHD_Response *response)
{
	const struct http_exchange *exchange = &self->exchange;
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	if (exchange->type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, exchange->type);
	for (const struct http_header *header = exchange->answer_headers; header; header = header->next)
		MHD_add_response_header(response, header->name, header->value);
	result = MHD_queue_response(self->connection, exchange->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer(struct http_call *self)
{
	atomic_store(&self->link->since_us, clock_mono_us());
	return queue(self, response_of(&self->exchange));
}

/* What waits in the kernel for a reader who does not read: by itself it is megabytes. */
enum { KERNEL_WAITS = 64 << 10 };

static enum MHD_Result stream(struct http_call *self)
{
	setsockopt(self->link->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &(int){KERNEL_WAITS}, sizeof(int));
	self->http->translator->begin(self->http->translator, &self->exchange);
	return queue(self, MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16 << 10, http_call_read, self, NULL));
}

static enum MHD_Result fail(struct http_call *self, const struct err *err)
{
	const struct http_translator *translator = self->http->translator;
	size_t len;
	const uint8_t *details = status_details(&self->arena, err, &len);

	translator->failure(translator, &self->exchange, status_code(err->code), details, len);
	return answer(self);
}

/* A worker has ended the call, written to it or seen its caller leave. */
static enum MHD_Result proceed(struct http_call *self)
{
	const struct http_translator *translator = self->http->translator;
	struct http_exchange *exchange = &self->exchange;

	switch (http_call_turn(self)) {
	case HTTP_WAIT:
		return MHD_YES;
	case HTTP_DROP:
		return MHD_NO;
	case HTTP_BEGIN:
		return stream(self);
	case HTTP_ANSWER:
		break;
	}
	if (self->details)
		translator->failure(translator, exchange, self->call.status, self->details, self->details_len);
	else if (self->call.method->row->kind == RPC_SERVER_STREAM)
		return stream(self);
	else
		translator->reply(translator, exchange, (const uint8_t *)self->room.data, self->room.len);
	return answer(self);
}

static enum MHD_Result show(struct http_call *self, const struct http_page *page)
{
	struct http_exchange *exchange = &self->exchange;
	bool reads = strcmp(exchange->method, "GET") == 0 || strcmp(exchange->method, "HEAD") == 0;

	exchange->type = reads ? page->type : "text/plain; charset=utf-8";
	http_header_add(exchange, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (reads) {
		exchange->status = page->print(page->ctx, &exchange->reply);
	} else {
		exchange->status = MHD_HTTP_METHOD_NOT_ALLOWED;
		http_header_add(exchange, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
		buf_put_str(&exchange->reply, "only GET and HEAD\n");
	}
	return answer(self);
}

static enum MHD_Result show_nothing(struct http_call *self)
{
	struct http_exchange *exchange = &self->exchange;

	exchange->status = MHD_HTTP_NOT_FOUND;
	exchange->type = "text/plain; charset=utf-8";
	buf_put_str(&exchange->reply, "page not found; try ");
	for (const struct http_page *page = self->http->options.pages; page->path; page++)
		buf_putf(&exchange->reply, "%s%s",
			page == self->http->options.pages ? ""
			: page[1].path			  ? ", "
							  : " or ",
			page->path);
	buf_put_str(&exchange->reply, "\n");
	return answer(self);
}

static enum MHD_Result refuse_size(struct http_call *self)
{
	struct err err;

	err_set(&err, ERR_EXHAUSTED, "the body is larger than %zu bytes", self->http->options.max_body_bytes);
	err_reason(&err, "REQUEST_TOO_LARGE");
	return fail(self, &err);
}

/* The request's headers have arrived. */
static enum MHD_Result open_request(struct http_call *self, const char *method, const char *version)
{
	struct http_exchange *exchange = &self->exchange;
	struct err err = {0};

	self->link->early = NULL;
	exchange->method = arena_strndup(&self->arena, method, strlen(method));
	MHD_get_connection_values(self->connection, MHD_HEADER_KIND, copy_header, self);
	if (!http_framing_accept(exchange, version, &err)) {
		/* What follows may be the body or another request. */
		http_header_add(exchange, MHD_HTTP_HEADER_CONNECTION, "close");
		return self->http->translator ? fail(self, &err) : MHD_NO;
	}
	/* The body of a caller who asks before they send it is refused before they do. */
	if (self->http->translator && http_header_find(exchange, "expect") &&
		http_framing_body(exchange) > self->http->options.max_body_bytes)
		return refuse_size(self);
	return MHD_YES;
}

/* What the connection says about the caller. False when they are refused. */
static bool identify(struct http_call *self, struct err *err)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(self->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	self->exchange.peer = peer_text(self);
	self->exchange.encrypted = self->http->options.tls.cert;
	if (!self->http->authorities.len)
		return true;
	return http_tls_peer(
		info->tls_session, self->http->options.tls.client_required, &self->arena, &self->certificate, err);
}

/* The request is complete. */
static enum MHD_Result start(struct http_call *self)
{
	struct http *http = self->http;
	struct http_exchange *exchange = &self->exchange;
	struct buf message = {0};
	struct err err = {0};

	atomic_store(&self->link->since_us, INT64_MAX);
	metric_inc(METRIC_http_requests_total, 0, 0);
	for (const struct http_page *page = http->options.pages; page->path; page++)
		if (strcmp(page->path, exchange->path) == 0)
			return show(self, page);
	if (!http->translator)
		return show_nothing(self);
	if (self->too_large)
		return refuse_size(self);
	if (!identify(self, &err))
		return fail(self, &err);
	exchange->body = self->upload.len ? buf_str(&self->upload) : NULL;
	exchange->body_len = self->upload.len;
	http->translator->request(http->translator, exchange, &message);
	if (!exchange->rpc) {
		buf_release(&message);
		return answer(self);
	}
	buf_release(&self->upload);
	self->upload = message;
	exchange->body = NULL;
	return http_call_hand_over(self, &err) ? MHD_YES : fail(self, &err);
}

enum MHD_Result http_answer(void *http, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *upload, size_t *upload_size, void **state)
{
	struct http_call *self = *state;
	size_t max = self->http->options.max_body_bytes;

	(void)http;
	(void)connection;
	(void)url;
	/* The first call comes before the body. */
	if (!self->exchange.method)
		return open_request(self, method, version);
	if (*upload_size) {
		self->too_large |= *upload_size > max - self->upload.len;
		if (!self->too_large)
			buf_put(&self->upload, upload, *upload_size);
		*upload_size = 0;
		return MHD_YES;
	}
	return self->handed ? proceed(self) : start(self);
}

void http_complete(void *http, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode why)
{
	struct http_call *self = *state;

	(void)http;
	(void)connection;
	*state = NULL;
	if (!self)
		return;
	if (self->handed && why == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED)
		metric_inc(METRIC_answers_dropped_total, METRIC_DROPPED_LATE, 0);
	self->link->early = NULL;
	atomic_store(&self->link->since_us, clock_mono_us());
	http_call_close(self, why == MHD_REQUEST_TERMINATED_COMPLETED_OK);
}
