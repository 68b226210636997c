/*
 * The HTTP/1.1 server: fixed pages, and a second carrier of calls beside gRPC (rpc/carrier.h). libmicrohttpd's threads
 * read requests and write answers; handlers run on the workers' loops, as for gRPC. This folder knows HTTP and bytes;
 * what a path, a body or an answer means is the translator's business.
 */
#ifndef BURSAR_HTTP_HTTP_H
#define BURSAR_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct http;
struct rpc_server;

/* A header; names are lower-case in requests, and written as they are in answers. */
struct http_header {
	const char *name, *value;
	const struct http_header *next;
};

/* One request and its answer. Everything it points to lives in its arena, or as long as itself. */
struct http_exchange {
	struct arena *arena;
	const char *method; /* "GET" */
	const char *path; /* as it was sent: still percent-encoded, without the query */
	const char *query; /* what follows the "?", still percent-encoded; "" when there is none */
	const struct http_header *headers;
	const char *peer; /* "ipv4:127.0.0.1:4711", as for gRPC */
	bool encrypted; /* arrived over TLS */
	const char *body; /* NULL when there is none */
	size_t body_len;

	/* Set by the translator. */
	const char *
		rpc; /* the method that is called: "/bursar.v1.Limiter/Check"; NULL: the exchange is answered already */
	const char *route; /* its path without what the caller put into it: "/v1/tiers/{name}"; NULL: `path` is that */
	const char *session; /* of the dashboard, from a cookie, for call_session(); NULL: none */
	bool needs_proof; /* for call_needs_proof() */
	const void *state; /* its own */

	/* The answer. */
	unsigned status;
	unsigned form; /* of a stream: which of its SHARED_FORMS the translator writes (rpc/shared.h) */
	const char *type; /* Content-Type */
	struct buf reply; /* released by the server */
	const char *fixed; /* sent instead of `reply` when not NULL: static bytes */
	size_t fixed_len;
	const struct http_header *answer_headers;
};

/* The name in lower case, as requests have it; in the arena. */
const char *http_header_name(struct arena *arena, const char *name);
/* The value of the first header of the request with that lower-case name; NULL when there is none. */
const char *http_header_find(const struct http_exchange *exchange, const char *name);
/* Adds a header to the answer. The strings are borrowed. */
void http_header_add(struct http_exchange *exchange, const char *name, const char *value);

/* All functions run on the server's own threads, several at a time. */
struct http_translator {
	/*
	 * Decides what a complete request means: either sets `rpc` and appends the bytes of its request message, or
	 * fills the answer.
	 */
	void (*request)(const struct http_translator *self, struct http_exchange *exchange, struct buf *message);
	/* Fills the answer from the message of a unary call that succeeded. */
	void (*reply)(
		const struct http_translator *self, struct http_exchange *exchange, const uint8_t *bytes, size_t n);
	/* Fills the answer of a call that failed: a gRPC status code, and the bytes of a google.rpc.Status. */
	void (*failure)(const struct http_translator *self, struct http_exchange *exchange, int code,
		const uint8_t *bytes, size_t n);
	/* Sets status, type and headers of a stream that begins. */
	void (*begin)(const struct http_translator *self, struct http_exchange *exchange);
	/* Appends a message of the stream, as it is sent. */
	void (*part)(const struct http_translator *self, struct http_exchange *exchange, const uint8_t *bytes, size_t n,
		struct buf *out);
	/* Appends the error that ends a stream after it began. */
	void (*broken)(const struct http_translator *self, struct http_exchange *exchange, int code,
		const uint8_t *bytes, size_t n, struct buf *out);
	/* Appends what keeps an idle stream open, without a meaning. */
	void (*idle)(const struct http_translator *self, struct http_exchange *exchange, struct buf *out);
};

/* A page that only needs the process, served even while calls are not. It runs on the server's threads. */
struct http_page {
	const char *path; /* "/metrics" */
	const char *type;
	unsigned (*print)(const void *ctx, struct buf *body); /* returns the HTTP status */
	const void *ctx;
};

/* PEM files, as for gRPC (rpc/tls/pem.h). Borrowed. */
struct http_tls {
	const char *cert, *key; /* NULL: no TLS */
	const char *client_ca; /* NULL or "": callers are not asked for a certificate */
	bool client_required; /* calls without a valid one are refused */
};

struct http_options {
	const char *option; /* the name of the option that `listen` comes from, for errors */
	const char *listen; /* "127.0.0.1:7421", "[::1]:0", "0.0.0.0:7421" */
	struct http_tls tls;
	unsigned threads; /* 1 or more */
	unsigned connections; /* further ones wait until one closes; 0: 10,000 */
	size_t max_body_bytes; /* larger bodies are refused with 413 */
	int64_t request_timeout_us; /* within which a request must arrive, and an answer be taken; 0: 60 s */
	size_t unsent_bytes; /* of messages of streams that their readers do not take; 0: 64 MiB */
	const struct http_page *pages; /* borrowed; a row without a path ends them */
};

/* Binds and serves the pages; NULL with `err` set when the address cannot be used. */
struct http *http_start(const struct http_options *options, struct err *err);

/* The port that was bound. */
int http_port(const struct http *http);

/*
 * Serves calls too, from now until http_detach(), which waits until no request is being handed over and makes the
 * running ones notice that their callers left. To be called before the server's workers end. `translator` is borrowed.
 */
void http_attach(struct http *http, struct rpc_server *rpc, const struct http_translator *translator);
void http_detach(struct http *http);

/*
 * Closes connections whose request or answer takes too long: a tenth of that when nine tenths of the connections are
 * taken. Call it every few seconds; NULL is fine.
 */
void http_look(struct http *http);

/* Closes all connections and frees the server; NULL is fine. */
void http_stop(struct http *http);

#endif
