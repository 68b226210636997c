/* One connection to a gRPC server, without TLS: unary calls over nghttp2, on a socket that does not block. */
#ifndef BENCH_HTTP2_H
#define BENCH_HTTP2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define HTTP2_ANSWER_MAX 4096
#define HTTP2_PREFIX 5 /* bytes before a message: not compressed, and its length */

struct http2;

/* One call. The caller fills the first four members and keeps the struct until `done` is called. */
struct http2_call {
	const char *path;
	uint8_t *request; /* with its prefix */
	size_t request_len;
	void (*done)(struct http2_call *call);

	size_t request_at;
	int64_t sent_ns; /* when the frame with the request's end was made */
	int status; /* grpc-status; -1 while it has not come */
	char message[128]; /* grpc-message */
	uint8_t answer[HTTP2_ANSWER_MAX]; /* with its prefix */
	size_t answer_len; /* above HTTP2_ANSWER_MAX: it was longer, and is not whole */
};

/* Connects to HOST:PORT, an IPv4 address. `key` may be NULL. NULL when that fails. */
struct http2 *http2_new(const char *address, const char *key, struct err *err);
void http2_free(struct http2 *http2);

/* Queues a call. `done` is called within http2_receive. */
bool http2_submit(struct http2 *http2, struct http2_call *call, struct err *err);

/* Writes what has been queued in as few writes as possible. */
bool http2_flush(struct http2 *http2, struct err *err);

/* Reads what has come. */
bool http2_receive(struct http2 *http2, struct err *err);

int http2_fd(const struct http2 *http2);
/* Whether something waits until the socket takes it. */
bool http2_waits(const struct http2 *http2);

#endif
