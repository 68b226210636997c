/* Private to server/http: what its files share. */
#ifndef BURSAR_HTTP_INTERNAL_H
#define BURSAR_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "base/list.h"
#include "http/http.h"
#include "http/tls.h"
#include "rpc/carrier.h"
#include "rpc/shared.h"

struct http {
	struct http_options options;
	struct MHD_Daemon *daemon;
	int port;
	struct buf authorities; /* PEM: who signs callers' certificates; empty when callers are not asked for one */
	pthread_rwlock_t attached; /* read by requests that are handed over, written by attach and detach */
	struct rpc_server *rpc; /* NULL: only pages are served */
	_Atomic(const struct http_translator *) translator; /* NULL until http_attach() */
	atomic_uint next_worker;
	pthread_mutex_t lock; /* protects the list */
	struct list connections;
	unsigned connected; /* how many the list has */

	pthread_mutex_t unsent_lock; /* protects what follows (unsent.c) */
	struct list unsent; /* calls whose streams are sending, the longest first */
	size_t unsent_bytes;
};

/* A connection, from its acceptance to its end. The threads of libmicrohttpd write `since_us`, http_look() reads it. */
struct http_connection {
	struct list link;
	int fd;
	struct http_call *early; /* a request whose headers have not arrived yet: libmicrohttpd may drop it silently */
	_Atomic(int64_t)
		since_us; /* when the caller's turn to send or to read began; INT64_MAX: it is the server's turn */
};

/*
 * A call over HTTP. A thread of libmicrohttpd makes it and sends its answer; the worker's thread runs its handler, and
 * frees it when the handler has ended it and the connection is done with it (`closed`). In between, the connection is
 * suspended or reads from `out`.
 */
struct http_call {
	struct call call;
	struct http_exchange exchange;
	const struct http_header **headers_end; /* of the exchange's, for the next one */
	struct arena arena; /* the exchange's; the call's own is the worker's thread's */
	struct http *http;
	struct MHD_Connection *connection;
	struct http_connection *link;
	struct http_certificate certificate;
	bool handed; /* a worker knows of it */

	struct buf upload; /* the body as it arrives, then the bytes of the request message */
	bool too_large;

	struct tag arrived, taken, closed;
	bool gone; /* for the worker: `closed` has arrived */

	/* What the worker's thread sends and the other one takes, under the lock. */
	pthread_mutex_t lock;
	bool suspended;
	bool begun; /* of a stream: its answer has begun */
	bool waiting; /* the room is a message that was not taken yet */
	bool ended;
	bool left; /* the worker's thread saw that the caller has left */
	bool beat; /* the stream is idle: sends something without a meaning */
	struct buf room;
	struct shared_message *shared; /* NULL, or what is sent instead of the room */
	struct buf out; /* of a stream: the text that is being sent, or `sending` has it */
	struct shared_message *sending;
	const char *text; /* the rest of that text */
	size_t text_len;
	struct list unsent; /* in the server's, while there is such a text */
	size_t unsent_bytes;
	const uint8_t *details; /* a google.rpc.Status; in the call's arena */
	size_t details_len;

	struct watch *watch; /* of the worker's thread; NULL: the connection is not watched */
};

/* Makes a call that a worker can be given once its exchange is complete. */
struct http_call *http_call_new(struct http *http);
/* Frees a call that no worker knows of. */
void http_call_free(struct http_call *self);
/*
 * Gives the call, whose exchange names an RPC, to a worker, and suspends its connection. False when calls are not
 * served: `code` and `text` say why.
 */
bool http_call_hand_over(struct http_call *self, struct err *err);
/* For the connection's thread: what is to be sent now. */
enum http_turn { HTTP_WAIT, HTTP_ANSWER, HTTP_BEGIN, HTTP_DROP };
enum http_turn http_call_turn(struct http_call *self);
/* Reads the stream's text, at most `max` bytes; for MHD_create_response_from_callback. */
ssize_t http_call_read(void *arg, uint64_t at, char *bytes, size_t max);
/* The connection is done with the exchange: `complete`, or before its answer was taken. */
void http_call_close(struct http_call *self, bool complete);

/*
 * The text of a stream's message is to be sent now; its memory counts until http_unsent_done(). Beyond a bound, the
 * connection that has been sending the longest is closed (unsent.c). With the call's lock held.
 */
void http_unsent_begin(struct http_call *self);
void http_unsent_done(struct http_call *self);

/* Continues the connection if it is suspended. With the lock held. */
void http_call_wake(struct http_call *self);
/* From now on the call notices when its caller leaves (watch.c); until http_call_unwatch(). For the worker's thread. */
void http_call_watch(struct call *call);
void http_call_unwatch(struct http_call *self);

/* The path and query of a request's target: "http://host/path" is "/path". */
const char *http_origin_form(const char *target);
/* False with ERR_INVALID for a request whose end two programs could see in different places (framing.c). */
bool http_framing_accept(const struct http_exchange *exchange, const char *version, struct err *err);
/* The length of the body by its header; 0 when there is none. */
uint64_t http_framing_body(const struct http_exchange *exchange);

/* The callbacks of libmicrohttpd (exchange.c). */
void *http_begin(void *http, const char *target, struct MHD_Connection *connection);
enum MHD_Result http_answer(void *http, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *upload, size_t *upload_size, void **state);
void http_complete(void *http, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode why);

/* A listening socket at the address (listen.c); -1 with `err` set. */
int http_listen_at(const char *option, const char *text, int *port, struct err *err);

#endif
