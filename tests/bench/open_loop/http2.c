/* Unary gRPC over nghttp2. */
#include "http2.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/unconst.h"
#include "calls.h"

#define OUT_MAX (1 << 18)
#define FRAME_MAX (1 << 15) /* larger than any frame that we send */
#define WINDOW (1 << 24) /* answers never wait for us */

struct http2 {
	int fd;
	nghttp2_session *session;
	char address[64];
	char authorization[128]; /* empty without a key */
	uint8_t out[OUT_MAX];
	size_t out_len;
};

static ssize_t read_request(nghttp2_session *session, int32_t id, uint8_t *to, size_t room, uint32_t *flags,
	nghttp2_data_source *source, void *ctx)
{
	struct http2_call *call = source->ptr;
	size_t rest = call->request_len - call->request_at, n = rest < room ? rest : room;

	(void)session, (void)id, (void)ctx;
	memcpy(to, call->request + call->request_at, n);
	call->request_at += n;
	if (call->request_at == call->request_len) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		call->sent_ns = now_ns();
	}
	return (ssize_t)n;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t len, void *ctx)
{
	struct http2_call *call = nghttp2_session_get_stream_user_data(session, id);

	(void)flags, (void)ctx;
	if (call == NULL)
		return 0;
	if (call->answer_len + len <= HTTP2_ANSWER_MAX)
		memcpy(call->answer + call->answer_len, bytes, len);
	call->answer_len += len;
	return 0;
}

static bool is(const uint8_t *name, size_t len, const char *wanted)
{
	return len == strlen(wanted) && memcmp(name, wanted, len) == 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
	const uint8_t *value, size_t len, uint8_t flags, void *ctx)
{
	struct http2_call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

	(void)flags, (void)ctx;
	if (call == NULL)
		return 0;
	if (is(name, name_len, "grpc-status"))
		call->status = (int)strtol((const char *)value, NULL, 10); /* nghttp2 terminates values */
	else if (is(name, name_len, "grpc-message"))
		snprintf(call->message, sizeof(call->message), "%.*s", (int)len, (const char *)value);
	return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *ctx)
{
	struct http2_call *call = nghttp2_session_get_stream_user_data(session, id);

	(void)ctx;
	if (call == NULL)
		return 0;
	if (call->status < 0)
		snprintf(call->message, sizeof(call->message),
			"the stream ended with HTTP/2 error %u and no grpc-status", code);
	call->done(call);
	return 0;
}

static int connect_to(const char *address, struct err *err)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	const char *colon = strrchr(address, ':');
	char host[64] = "";
	int fd, on = 1;

	if (colon != NULL)
		snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
	if (colon == NULL || inet_pton(AF_INET, host, &to.sin_addr) != 1)
		return err_set(err, ERR_INVALID, "--addr: %s is not an IPv4 address with a port", address), -1;
	to.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		err_set(err, ERR_UNAVAILABLE, "--addr: %s: %s", address, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return fd;
}

static void start_session(struct http2 *http2)
{
	nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW}, {NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
	nghttp2_session_callbacks *callbacks;

	nghttp2_session_callbacks_new(&callbacks);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
	nghttp2_session_client_new(&http2->session, callbacks, http2);
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_submit_settings(http2->session, NGHTTP2_FLAG_NONE, settings, 2);
	nghttp2_session_set_local_window_size(http2->session, NGHTTP2_FLAG_NONE, 0, WINDOW);
}

struct http2 *http2_new(const char *address, const char *key, struct err *err)
{
	int fd = connect_to(address, err);
	struct http2 *http2;

	if (fd < 0)
		return NULL;
	http2 = mem_zalloc(1, sizeof(*http2));
	http2->fd = fd;
	snprintf(http2->address, sizeof(http2->address), "%s", address);
	if (key != NULL)
		snprintf(http2->authorization, sizeof(http2->authorization), "Bearer %s", key);
	start_session(http2);
	if (!http2_flush(http2, err)) {
		http2_free(http2);
		return NULL;
	}
	return http2;
}

void http2_free(struct http2 *http2)
{
	if (http2 == NULL)
		return;
	nghttp2_session_del(http2->session);
	close(http2->fd);
	free(http2);
}

static nghttp2_nv header(const char *name, const char *value)
{
	return (nghttp2_nv){(uint8_t *)unconst(name), (uint8_t *)unconst(value), strlen(name), strlen(value),
		NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

bool http2_submit(struct http2 *http2, struct http2_call *call, struct err *err)
{
	nghttp2_nv headers[] = {header(":method", "POST"), header(":scheme", "http"), header(":path", call->path),
		header(":authority", http2->address), header("te", "trailers"),
		header("content-type", "application/grpc"), header("grpc-timeout", "60S"),
		header("authorization", http2->authorization)};
	size_t count = sizeof(headers) / sizeof(headers[0]) - (http2->authorization[0] == '\0');
	nghttp2_data_provider body = {.source.ptr = call, .read_callback = read_request};
	int32_t id;

	call->status = -1;
	id = nghttp2_submit_request(http2->session, NULL, headers, count, &body, call);
	if (id < 0)
		return err_set(err, ERR_INTERNAL, "nghttp2: %s", nghttp2_strerror(id));
	return true;
}

/* Appends the frames that are ready while there is room for another one. */
static bool make_frames(struct http2 *http2, struct err *err)
{
	const uint8_t *bytes;

	while (http2->out_len < OUT_MAX - FRAME_MAX) {
		ssize_t n = nghttp2_session_mem_send(http2->session, &bytes);
		if (n < 0)
			return err_set(err, ERR_INTERNAL, "nghttp2: %s", nghttp2_strerror((int)n));
		if (n == 0)
			break;
		memcpy(http2->out + http2->out_len, bytes, (size_t)n);
		http2->out_len += (size_t)n;
	}
	return true;
}

bool http2_flush(struct http2 *http2, struct err *err)
{
	for (;;) {
		if (!make_frames(http2, err))
			return false;
		if (http2->out_len == 0)
			return true;
		ssize_t n = send(http2->fd, http2->out, http2->out_len, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0)
			return err_set(err, ERR_UNAVAILABLE, "send: %s", strerror(errno));
		http2->out_len -= (size_t)n;
		memmove(http2->out, http2->out + n, http2->out_len);
	}
}

bool http2_receive(struct http2 *http2, struct err *err)
{
	uint8_t bytes[1 << 16];
	ssize_t n = recv(http2->fd, bytes, sizeof(bytes), 0), used;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0)
		return err_set(err, ERR_UNAVAILABLE, "the server closed the connection%s%s", n < 0 ? ": " : "",
			n < 0 ? strerror(errno) : "");
	used = nghttp2_session_mem_recv(http2->session, bytes, (size_t)n);
	if (used < 0)
		return err_set(err, ERR_INTERNAL, "nghttp2: %s", nghttp2_strerror((int)used));
	return true;
}

int http2_fd(const struct http2 *http2)
{
	return http2->fd;
}

bool http2_waits(const struct http2 *http2)
{
	return http2->out_len > 0;
}
