/* A gRPC call, as handlers see it. */
#ifndef BURSAR_RPC_CALL_H
#define BURSAR_RPC_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/*
 * A handler receives a call on its worker's loop thread and must end it exactly once: with call_reply or call_fail for
 * a unary call, with call_end or call_fail for a stream. Until then it may keep the call across asynchronous operations
 * on the same loop. All functions here are for that thread only. The end frees the call: neither it nor its arena,
 * request or metadata may be touched afterwards.
 */
struct call;

/* RPC_STREAMS: both sides send a stream, and neither waits for the other. */
enum rpc_kind { RPC_UNARY, RPC_SERVER_STREAM, RPC_STREAMS };

/* A row of a method table; a row of zeros ends the table. `ctx` is what worker_open returned for this worker. */
struct rpc_method {
	const char *path; /* "/package.Service/Method" */
	void (*handle)(struct call *call, void *ctx);
	enum rpc_kind kind;
	unsigned access; /* who may call it; only the server's `admit` interprets it */
};

/*
 * The bytes of the request message: contiguous, valid as long as the call, never NULL. RPC_STREAMS: none before the first
 * call_read, then those of the message that was read last.
 */
const uint8_t *call_request(const struct call *call, size_t *len);
/* Frees the request's bytes; for streams, which may last long. */
void call_forget_request(struct call *call);

/* Memory that lives as long as the call. */
struct arena *call_arena(struct call *call);

/* The method's path: "/package.Service/Method". Static storage. */
const char *call_path(const struct call *call);

/* Whether the server has methods of the service with that full name, such as "bursar.v1.Limiter". */
bool call_serves(const struct call *call, const char *service);

/* The caller's address in gRPC's notation: "ipv4:127.0.0.1:4711", "ipv6:%5B::1%5D:4711", "unix:". In the arena. */
const char *call_peer(struct call *call);

/* The value of the first metadata entry with that (lower-case) name, not NUL-terminated; false when there is none. */
bool call_metadata(const struct call *call, const char *name, const char **value, size_t *len);

/*
 * The text of the session that the caller showed in a cookie; NULL when there is none. Only HTTP has it: whatever
 * metadata a gRPC call carries, it shows no session.
 */
const char *call_session(const struct call *call);
/* Whether the caller's address proves nothing, because a browser may call on behalf of a page from anywhere. */
bool call_needs_proof(const struct call *call);

/* What the server's `admit` needs to know, and what it found out. `caller` must live as long as the call. */
struct caller;
unsigned call_access(const struct call *call);
void call_set_caller(struct call *call, struct caller *caller);
/* NULL when `admit` did not set one. */
struct caller *call_caller(const struct call *call);

/*
 * Calls `each` with the names (common name, alternative names) in the certificate that the caller presented and gRPC
 * verified, until it returns true. False when there are no names or `each` never returned true.
 */
bool call_certificate_names(struct call *call, bool (*each)(const char *name, size_t len, void *arg), void *arg);

/* The certificate that the caller presented, as PEM in the arena; NULL when there is none. */
const char *call_certificate(struct call *call);

/* When the caller stops waiting, on the clock of clock_mono_us(); INT64_MAX without a deadline. */
int64_t call_deadline_us(const struct call *call);

/*
 * Registers a callback for when the caller leaves or their deadline passes; it runs at most once and never after the
 * call's end. The handler must still end the call. Costs a batch, so short unary calls do without.
 */
void call_on_cancel(struct call *call, void (*cancelled)(struct call *call, void *ctx), void *ctx);

/*
 * Registers a callback that runs exactly once, after the call has ended. `unread` is true when the caller cannot have
 * received the answer, because the call was cancelled or its deadline passed before gRPC sent the end. The callback may
 * use nothing of the call but `ctx`. `bytes` is the size of what `ctx` holds; it counts as part of the answer while
 * that is unsent (unsent.c). A stream registers it again for each message, before the write: it is about that message then,
 * because `written` runs instead unless the call ends first. NULL: nothing is to run.
 */
void call_on_ended(struct call *call, void (*ended)(bool unread, void *ctx), void *ctx, size_t bytes);

/*
 * For auth: the caller of a stream is no longer admitted. Its handler is notified as if they had left (call_on_cancel)
 * and must still end the call; however it does, the caller receives the status of `why`. Only the first call counts.
 */
void call_expel(struct call *call, const struct err *why);

/* Registers a callback for when the server begins to drain, run at most once. For streams, which delay the stop. */
void call_on_drain(struct call *call, void (*draining)(struct call *call, void *ctx), void *ctx);

/* True once the server has begun to drain. */
bool call_draining(const struct call *call);
/* What a stream ends with then: ERR_UNAVAILABLE, DRAINING. Always returns false. */
bool call_draining_error(struct err *err);

/* Ends a unary call with OK and a message of `n` bytes, which are copied. */
void call_reply(struct call *call, const void *bytes, size_t n);

/*
 * Replies and writes without a copy: fill all `n` bytes of the room, then call call_reply_filled or call_write_filled,
 * and do nothing else with the call in between.
 */
uint8_t *call_room(struct call *call, size_t n) __attribute__((returns_nonnull));
void call_reply_filled(struct call *call);
void call_write_filled(struct call *call, void (*written)(struct call *call, bool ok, void *ctx), void *ctx);

/*
 * Ends any call with the status of `err`: code, text, and a google.rpc.Status in grpc-status-details-bin with a
 * BadRequest that names the field (if any) and a RetryInfo (if retry_after_us is above 0).
 */
void call_fail(struct call *call, const struct err *err);

/*
 * Sends one message of a stream; the bytes are copied. One at a time: the next one only after `written` has run. It
 * runs exactly once, after this returns; `ok` is false when the caller is gone. If the stream ends first, `written`
 * does not run.
 */
void call_write(struct call *call, const void *bytes, size_t n, void (*written)(struct call *call, bool ok, void *ctx),
	void *ctx);

/*
 * Reads the next message of a call of RPC_STREAMS, whether or not a write is in flight. One at a time. `got` runs once,
 * after this returns, with bytes that are valid until the next call_read or call_forget_request; NULL means no more,
 * because the caller has closed their side or left. If the stream ends first, `got` does not run. Nothing is read ahead
 * of it but what fits into the carrier's window, so a handler that does not read makes its caller wait.
 */
void call_read(struct call *call, void (*got)(struct call *call, const uint8_t *bytes, size_t n, void *ctx), void *ctx);

/* Ends a stream with OK, after any write in flight. */
void call_end(struct call *call);

#endif
