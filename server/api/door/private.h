/* Private to api/door: what its files share. */
#ifndef BURSAR_API_DOOR_PRIVATE_H
#define BURSAR_API_DOOR_PRIVATE_H

#include <protobuf-c/protobuf-c.h>

#include "api/door/door.h"
#include "api/rest/rest.h"
#include "api/seed/seed.h"
#include "base/buf.h"

enum door_format { FORMAT_EVENTS, FORMAT_LINES };

/* What is not an RPC of a path: the logins of the dashboard. */
enum door_login { LOGIN_NONE, LOGIN_BY_KEY, LOGIN_BY_CODE, LOGIN_SHOW };

/* What the door remembers of an exchange between its request and its answer. */
struct door_state {
	enum door_login login; /* not LOGIN_NONE: nothing else is set */
	const struct rest_row *row;
	enum door_format format; /* of a stream */
	unsigned deny_status; /* of a denied check */
	bool authorizes; /* a proxy asks (authorize.c) */
	const struct seed_call *quotas; /* the path is one of /api/quotas; else NULL */
	char headers[8]; /* which headers about limits an answer has: "legacy", "draft", "both" or "none" */
};

/* What is remembered of an exchange that calls the row's RPC, or the RPC. It becomes the exchange's state. */
struct door_state *door_state_of(struct http_exchange *exchange, const struct rest_row *row);
struct door_state *door_state_new(struct http_exchange *exchange, const char *rpc);
void door_pack(const ProtobufCMessage *message, struct buf *out);
/* Calls the RPC with the message. */
struct door_state *door_start(
	struct http_exchange *exchange, const char *rpc, const ProtobufCMessage *message, struct buf *out);

/* Paths that are not rows of paths.def: the request of /api/quotas (quotas.c), ... */
bool door_quotas(const struct door *door, struct http_exchange *exchange, struct buf *message, struct err *err)
	__attribute__((warn_unused_result));
/* ... and of /v1/authorize (authorize.c), and its answer. */
bool door_authorize(const struct door *door, struct http_exchange *exchange, struct buf *message, struct err *err)
	__attribute__((warn_unused_result));
void door_authorized(struct http_exchange *exchange, const ProtobufCMessage *message);

/* Answers with an error (status.c). */
void door_refuse(struct http_exchange *exchange, const struct err *err);
void door_failure(
	const struct http_translator *self, struct http_exchange *exchange, int code, const uint8_t *bytes, size_t n);
/* Appends a google.rpc.Status as JSON. */
void door_status(struct arena *arena, int code, const uint8_t *bytes, size_t n, struct buf *out);

/* Adds the header ETag if the message has one. True: the caller has this state already, and is told so (etag.c). */
bool door_etag(struct http_exchange *exchange, const ProtobufCMessage *message);

/* Answers with a file of the dashboard or with /openapi.json; false when the path is neither (static.c). */
bool door_static(const struct door *door, struct http_exchange *exchange);
/* Compresses the reply if it is worth it and the caller accepts it (compress.c). Call it once, last. */
void door_compress(struct http_exchange *exchange);

/* Adds the headers for pages of other sites (cors.c). True: it was a preflight, and is answered. */
bool door_cors(const struct door *door, struct http_exchange *exchange);
/* Whether a page of a configured site sent the request. */
bool door_is_friend(const struct door *door, const struct http_exchange *exchange);

/* Refuses what a browser sends on behalf of another site (guard.c). Finds the session of a request that has one. */
bool door_guard(const struct door *door, struct http_exchange *exchange, struct err *err);
/* Whether the request was sent to a name of this machine that no foreign DNS can point to it. */
bool door_named_locally(const struct http_exchange *exchange);
/* Refuses a body that a form of another site could send. */
bool door_guard_body(const struct http_exchange *exchange, struct err *err);
/* Refuses what was not sent by Bursar's own page: a form of another site, or a link. */
bool door_from_page(const struct http_exchange *exchange, struct err *err);

/* Adds the header that makes the browser keep the session until `ends_at_us`, or that makes it forget it (cookie.c). */
void door_cookie_set(struct http_exchange *exchange, const char *session, int64_t ends_at_us);
void door_cookie_clear(struct http_exchange *exchange);
/* The session in the request's cookies; NULL when there is none. */
const char *door_cookie(const struct http_exchange *exchange);

/* /login, /logout and /session (login.c). False when the request is for another path. */
bool door_login_request(const struct door *door, struct http_exchange *exchange, struct buf *message);
void door_login_reply(struct http_exchange *exchange, const uint8_t *bytes, size_t n);

/* Status and headers of a check's answer (denial.c): those of 429 for a denial. */
void door_check(struct http_exchange *exchange, const ProtobufCMessage *message);

/* The server's streams (stream.c). */
enum door_format door_format_of(const struct http_exchange *exchange);
void door_begin(const struct http_translator *self, struct http_exchange *exchange);
void door_part(const struct http_translator *self, struct http_exchange *exchange, const uint8_t *bytes, size_t n,
	struct buf *out);
void door_broken(const struct http_translator *self, struct http_exchange *exchange, int code, const uint8_t *bytes,
	size_t n, struct buf *out);
void door_idle(const struct http_translator *self, struct http_exchange *exchange, struct buf *out);

/* A message of the type, unpacked into the arena; NULL when the bytes are none. */
ProtobufCMessage *door_unpack(
	struct arena *arena, const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t n);

#endif
