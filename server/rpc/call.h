/* One gRPC call as a handler sees it. */
#ifndef BURSAR_RPC_CALL_H
#define BURSAR_RPC_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/*
 * A handler gets a call on its worker's loop thread and owes it exactly one end: call_reply or call_fail for a unary
 * call, call_end or call_fail for a stream. It may keep the call meanwhile across anything asynchronous on the same
 * loop; every function here is for that thread only. With the end the call is gone: neither it nor its arena, request
 * or metadata may be touched afterwards.
 */
struct call;

enum rpc_kind { RPC_UNARY, RPC_SERVER_STREAM };

/* A row of a table of methods; a row of zeros ends the table. `ctx` is what the worker_open of the server's options returned for this worker. */
struct rpc_method {
	const char *path; /* "/package.Service/Method" */
	void (*handle)(struct call *call, void *ctx);
	enum rpc_kind kind;
	unsigned access; /* who may call it, in the words of the server's `admit` */
};

/* The bytes of the request message, contiguous, valid as long as the call; never NULL. */
const uint8_t *call_request(const struct call *call, size_t *len);
/* Frees them: for streams, which may last long. */
void call_forget_request(struct call *call);

/* Memory that lives as long as the call. */
struct arena *call_arena(struct call *call);

/* The method's path: "/package.Service/Method". Static storage. */
const char *call_path(const struct call *call);

/* True when the server has a method of the service of that full name ("bursar.v1.Limiter"). */
bool call_serves(const struct call *call, const char *service);

/* The caller's address as gRPC writes it: "ipv4:127.0.0.1:4711", "ipv6:%5B::1%5D:4711", "unix:". In the arena. */
const char *call_peer(struct call *call);

/* The value of the first metadata entry of that (lower case) name; false when there is none. Not terminated. */
bool call_metadata(const struct call *call, const char *name, const char **value, size_t *len);

/* What `admit` of the server's options has to know, and what it found out; the caller lives as long as the call. */
struct caller;
unsigned call_access(const struct call *call);
void call_set_caller(struct call *call, struct caller *caller);
/* NULL: he was not asked for. */
struct caller *call_caller(const struct call *call);

/*
 * Calls `each` with the names in the certificate that the caller has shown and gRPC has verified (common name, alternative names),
 * until it says true. False: none, or it never did.
 */
bool call_certificate_names(struct call *call, bool (*each)(const char *name, size_t len, void *arg), void *arg);

/* The certificate that the caller has shown, as PEM in the arena; NULL: none. */
const char *call_certificate(struct call *call);

/* When the caller stops waiting, on the clock of clock_mono_us(); INT64_MAX when he named no deadline. */
int64_t call_deadline_us(const struct call *call);

/*
 * Asks to be told, at most once and never after the call's end, when the caller has gone or his deadline has passed.
 * The call still owes its end then. Costs a batch: short unary calls do without.
 */
void call_on_cancel(struct call *call, void (*cancelled)(struct call *call, void *ctx), void *ctx);

/*
 * Asks to be told, once and whatever happens, when the call has ended: `unread` when the caller cannot have got the answer, for the call
 * was cancelled, or its deadline had passed, before gRPC sent the end of it. Nothing of the call may be used then but `ctx`, whose `bytes`
 * count as the answer's own among what callers do not take (unsent.c).
 */
void call_on_ended(struct call *call, void (*ended)(bool unread, void *ctx), void *ctx, size_t bytes);

/*
 * For the auth: the caller of a stream does not count any more. Its handler is told as if he had gone (call_on_cancel) and still owes
 * the end; whatever that is, the caller gets the status of `why`. Only the first time counts.
 */
void call_expel(struct call *call, const struct err *why);

/* Asks to be told when the server begins to drain, at most once: for streams, which would else hold it up. */
void call_on_drain(struct call *call, void (*draining)(struct call *call, void *ctx), void *ctx);

/* True once the server has begun to drain. */
bool call_draining(const struct call *call);

/* Ends a unary call with OK and a message of `n` bytes, which are copied. */
void call_reply(struct call *call, const void *bytes, size_t n);

/*
 * Replies and writes without the copy: fill all `n` bytes of the room, then call_reply_filled or call_write_filled, with
 * nothing else done to the call in between.
 */
uint8_t *call_room(struct call *call, size_t n) __attribute__((returns_nonnull));
void call_reply_filled(struct call *call);
void call_write_filled(struct call *call, void (*written)(struct call *call, bool ok, void *ctx), void *ctx);

/*
 * Ends any call with the status of `err`: code and text, and google.rpc.Status in grpc-status-details-bin with a
 * BadRequest that names the field (where there is one) and a RetryInfo (where retry_after_us is above 0).
 */
void call_fail(struct call *call, const struct err *err);

/*
 * Sends one message of a stream; the bytes are copied. One at a time: the next only after `written` has come, which
 * happens exactly once and later than this returns; `ok` is false when the caller is gone. If the stream is ended
 * meanwhile, `written` does not come.
 */
void call_write(struct call *call, const void *bytes, size_t n, void (*written)(struct call *call, bool ok, void *ctx),
	void *ctx);

/*
 * Asks for the next message of a caller who streams; the first is call_request's. One at a time. `got` comes once and later than this
 * returns, with bytes that are valid while it runs; NULL: there are no more, as the caller has closed its side or is gone. If the stream is ended
 * meanwhile, `got` does not come.
 */
void call_read(struct call *call, void (*got)(struct call *call, const uint8_t *bytes, size_t n, void *ctx), void *ctx);

/* Ends a stream with OK, after the write that is under way. */
void call_end(struct call *call);

#endif
