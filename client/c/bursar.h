/*
 * libbursar, the C client of Bursar: asks whether a request may run, says what it used, and administers.
 *
 * Compile and link with `cc $(pkg-config --cflags --libs bursar)`. In Bursar's source, client/c/examples has a whole
 * program, docs/api.md says what each call does, and proto/bursar/v1 describes every field of the messages.
 *
 * MESSAGES   Are structs of protobuf-c (Bursar__V1__CheckRequest and so on). Initialise a request with its macro
 *            (BURSAR__V1__CHECK_REQUEST__INIT), set fields, make the call. The library copies what it needs: the request
 *            and everything it points to belong to you, and may be changed or freed as soon as the function returns.
 *            Answers belong to you unless stated otherwise; free them with bursar_free, which frees all that they point
 *            to. In an answer a string that is not set is "", never NULL; a message that is not set is NULL.
 * UNITS      Names say them: _us is microseconds (times since 1970 UTC, or durations), _nano_usd is billionths of a US
 *            dollar. Every size is in bytes.
 * ERRORS     A function that can fail fills a struct bursar_error, which you may leave out (NULL), and returns NULL or
 *            false. That a limit refuses a request is not an error: the answer of a check says `allowed`.
 * THREADS    A connection, and every stream, slot, batch, spool and renewer on it, is used by one thread at a time.
 *            Different threads can use different connections. Functions that take no connection can be called from any
 *            thread. gRPC has threads of its own, and so has a renewer: after bursar_open, fork only to exec.
 * CALLBACKS  Run only inside bursar_poll, bursar_slot_tick, bursar_spool_*, bursar_batch_free, bursar_close or a call that
 *            waits, in the thread that called it. They may submit calls and open streams, but not wait for a call, poll or
 *            close.
 * MEMORY     When the system has none left, the library aborts the process.
 * ABI        The soname has the first two numbers of the version (libbursar.so.0.1). While they stay the same, symbols,
 *            structs and constants stay the same. When they change, fields may have been added to messages and structs
 *            and constants may have other values: compile your program again. Names that begin with bursar__ and are not
 *            in this header or the headers it includes are internal.
 */
#ifndef BURSAR_H
#define BURSAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

/* The library shows what is declared from here to the end, and hides everything else in it. */
#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

/* protoc-c calls a member `export`, which is a keyword in C++. */
#ifdef __cplusplus
#define export export_
#endif
#include "bursar/v1/admin.pb-c.h"
#include "bursar/v1/limiter.pb-c.h"
#include "bursar/v1/types.pb-c.h"
#ifdef __cplusplus
#undef export
extern "C" {
#endif

/* Where a server listens unless it was configured otherwise. */
#define BURSAR_DEFAULT_ADDRESS "127.0.0.1:7420"

/* How a call ended: gRPC's status codes. docs/api.md says when Bursar answers with which. */
enum bursar_code {
	BURSAR_OK = 0,
	BURSAR_CANCELLED = 1,
	BURSAR_UNKNOWN = 2,
	BURSAR_INVALID_ARGUMENT = 3,
	BURSAR_DEADLINE_EXCEEDED = 4,
	BURSAR_NOT_FOUND = 5,
	BURSAR_ALREADY_EXISTS = 6,
	BURSAR_PERMISSION_DENIED = 7,
	BURSAR_RESOURCE_EXHAUSTED = 8,
	BURSAR_FAILED_PRECONDITION = 9,
	BURSAR_ABORTED = 10,
	BURSAR_OUT_OF_RANGE = 11,
	BURSAR_UNIMPLEMENTED = 12,
	BURSAR_INTERNAL = 13,
	BURSAR_UNAVAILABLE = 14,
	BURSAR_DATA_LOSS = 15,
	BURSAR_UNAUTHENTICATED = 16,
};

/* The name of a code: "INVALID_ARGUMENT". "UNKNOWN" for a number that is not a code. The string is static. */
const char *bursar_code_name(int code);

/* Why something failed. Texts are terminated, and cut if they are too long. */
struct bursar_error {
	int code; /* enum bursar_code */
	bool from_server; /* a server answered; false: it was not reached, was silent, or was not asked */
	char field[128]; /* the path of the request's field that is wrong ("items[3].user"); "" when none is */
	char message[512]; /* one sentence, for a person; does not repeat the field */
	int64_t retry_after_us; /* when the server suggests to try again; 0 when it does not say */
	char reason[32]; /* the cause by a name that stays the same, such as WAIT_MAX; "" when there is none */
	char name[132]; /* with a reason such as TIER_NOT_FOUND: what was not found; "" when the server does not say */
};

/* What a check answers when no server did. What a server answers, UNAVAILABLE too, counts as it is. */
enum bursar_fail {
	BURSAR_FAIL_CLOSED = 0, /* the error */
	BURSAR_FAIL_OPEN = 1, /* allowed */
	BURSAR_FAIL_SHARE = 2, /* allowed as long as the user stays within a share of their own in this connection */
};

/* A field that is 0 or NULL has its default. The strings are needed only until bursar_open returns. */
struct bursar_options {
	int64_t timeout_us; /* how long a call may take with all its attempts; default 10 s */
	int64_t attempt_us; /* how long one attempt may take; default 2 s */
	const char *key; /* an API key ("bsk_..."), sent with every call; default: none */
	/*
	 * Paths of PEM files. With tls_ca ("system": the roots that the machine trusts) the connection is encrypted.
	 * tls_cert and tls_key are the client's own certificate and its key: both or neither.
	 */
	const char *tls_ca, *tls_cert, *tls_key;
	int attempts; /* how often a call is sent that ends with UNAVAILABLE, DEADLINE_EXCEEDED or CANCELLED; default 4 */
	/*
	 * An answer by this policy has the quality BLIND, a `cause` and no reservation handle: record the request with
	 * the reservation that bursar_reservation_of makes.
	 */
	enum bursar_fail fail;
	int64_t fail_after_us; /* with OPEN and SHARE: how long a check looks for a server; default 2 s */
	int fail_share_per_minute; /* with SHARE: requests of a user in a minute; default 5 */
};

/* A connection to a server, or to several of one fleet. */
struct bursar;

/*
 * The address that bursar_open connects to: `address` with the default port wherever a host has none. "a, [::1]" is
 * "a:7420,[::1]:7420". Free it with free(). NULL with INVALID_ARGUMENT and the field "address" when it is not one.
 */
char *bursar_addresses(const char *address, struct bursar_error *error);

/*
 * Makes a connection to "host:port", "host", "[IPv6]:port", "[IPv6]" or "unix:/path", or to at most 64 of them with
 * commas between; without a port, the default one. Servers are contacted
 * at the first call, not before; if a connection breaks, the next call makes it again. Calls go to the servers in turn.
 * One that is not reached or does not answer in `attempt_us` is passed over for a second, and its calls are sent to the
 * next one at once. `options` may be NULL. Free the connection with bursar_close.
 *
 * NULL with INVALID_ARGUMENT when the address, the key or a TLS file cannot be used; `field` is "address" or the name of
 * the option.
 */
struct bursar *bursar_open(const char *address, const struct bursar_options *options, struct bursar_error *error);

/*
 * Ends the connection and frees it. Calls and streams that are still open are cancelled, and their callbacks run, with
 * CANCELLED. Free batches, and close slots and wait for their `ended`, before. NULL is fine.
 *
 * A program that uses TLS and exits soon afterwards calls OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL) before
 * anything else: threads of gRPC may still be using OpenSSL when its exit handler frees it.
 */
void bursar_close(struct bursar *bursar);

/*
 * enum bursar_method, enum bursar_stream_method, and for each unary RPC a function that makes the call and waits for the
 * answer, such as
 *
 *	Bursar__V1__CheckResponse *bursar_check(
 *		struct bursar *bursar, const Bursar__V1__CheckRequest *request, struct bursar_error *error);
 *
 * The answer belongs to you (bursar_free). NULL with `error` filled when the call failed. While one waits, the callbacks
 * of other calls on the connection may run.
 *
 * A call that gets no answer is sent again with the same request id until it has one, or `attempts` or `timeout_us` are
 * used up. A repeat is never counted twice. If a check, record or reset has no request id, the library sends a random
 * one; your request is not changed.
 */
#include "bursar/methods.h"

/* The same for a method that is chosen when the program runs: request and answer are of the method's types. */
void *bursar_call(struct bursar *bursar, enum bursar_method method, const void *request, struct bursar_error *error);

/* Frees an answer or a message of a stream with all that it points to. NULL is fine. */
void bursar_free(void *answer);

/*
 * Called exactly once when a submitted call has ended. `answer` is of the method's answer type and belongs to you
 * (bursar_free). It is NULL when the call failed; then `error`, valid during the callback, says why. `error` is never
 * NULL.
 */
typedef void bursar_done(void *ctx, void *answer, const struct bursar_error *error);

/*
 * Sends a call and returns at once. `request` is of the method's request type. Any number of calls may be in flight;
 * they end in any order. Never fails: what goes wrong is told to `done`.
 */
void bursar_submit(struct bursar *bursar, enum bursar_method method, const void *request, bursar_done *done, void *ctx);

/*
 * Waits until a call ends, a stream has a message or ends, or `timeout_us` have passed (0: does not wait), and runs the
 * callbacks. Also sends again what is due. Returns how many calls, messages and streams it has handled.
 */
size_t bursar_poll(struct bursar *bursar, int64_t timeout_us);

/* How many submitted calls have not ended. Streams do not count. */
size_t bursar_in_flight(const struct bursar *bursar);

/* A stream of messages from the server. There is no deadline, and a stream that breaks is not made again. */
struct bursar_stream;

/* Called for each message. It is of the method's answer type and belongs to you (bursar_free). */
typedef void bursar_message(void *ctx, void *message);

/*
 * Called exactly once, last, after which the stream no longer exists. `error` is valid during the callback; its code is
 * BURSAR_OK when the server has sent everything. A server that is gone is noticed within 15 s (UNAVAILABLE).
 */
typedef void bursar_ended(void *ctx, const struct bursar_error *error);

/* Opens a stream; `request` is of the method's request type. Never fails: what goes wrong is told to `ended`. */
struct bursar_stream *bursar_stream_open(struct bursar *bursar, enum bursar_stream_method method, const void *request,
	bursar_message *message, bursar_ended *ended, void *ctx);

/* Ends a stream from this side. Messages that have already arrived may follow, then `ended`, with CANCELLED. */
void bursar_stream_cancel(struct bursar_stream *stream);

/*
 * A slot of a pool, from the queue to its end. When the stream under it breaks or the server stops, the slot connects
 * again with the same request id and keeps its place in the queue or its lease.
 */
struct bursar_slot;

/* What happens to a slot. Only `ended` must be set. The messages belong to the library and are valid in the callback. */
struct bursar_slot_events {
	/* The place in the queue; again whenever it changes. */
	void (*queued)(void *ctx, const Bursar__V1__Queued *queued);
	/* The slot is yours. Called once at most. `check` has the reservation, which Record needs. */
	void (*granted)(void *ctx, const Bursar__V1__Granted *granted, const Bursar__V1__CheckResponse *check);
	/* The server will stop soon. When it does, the slot connects again by itself. */
	void (*draining)(void *ctx, const Bursar__V1__Draining *draining);
	/* The connection is lost and will be made again. The place or the lease is not lost yet. */
	void (*reconnecting)(void *ctx, const struct bursar_error *error);
	/*
	 * Called exactly once, last, after which the slot no longer exists. A limit refused: `denied` is not NULL.
	 * Otherwise error->code is BURSAR_OK (closed, or released by a Record), or says why: RESOURCE_EXHAUSTED when
	 * the pool has no room, with a time to try again; ABORTED when the lease is lost: stop working at once.
	 */
	void (*ended)(void *ctx, const Bursar__V1__CheckResponse *denied, const struct bursar_error *error);
};

/*
 * Queues for a slot. `request` and `events` are copied. `patience_us` is how long a slot that is not granted yet looks
 * for a server that answers; 0 means 10 s. Never fails: what goes wrong is told to `ended`.
 */
struct bursar_slot *bursar_slot_open(struct bursar *bursar, const Bursar__V1__AcquireRequest *request,
	const struct bursar_slot_events *events, void *ctx, int64_t patience_us);

/* Gives the slot or the place back. `ended` follows, in a later bursar_poll or bursar_slot_tick: go on calling both. */
void bursar_slot_close(struct bursar_slot *slot);

/* Call it at least once a second beside bursar_poll: connects again when it is time, and ends a lease that ran out. */
void bursar_slot_tick(struct bursar_slot *slot);

/*
 * Fills `reservation` for the Record, Cancel or Renew of a checked request: with its handle or, when there is none because
 * no server answered the check, with its other fields. Points into both messages and owns nothing.
 */
void bursar_reservation_of(const Bursar__V1__CheckRequest *request, const Bursar__V1__CheckResponse *answer,
	Bursar__V1__ReservationRef *reservation);

/*
 * How many tokens a text of `len` bytes of UTF-8 has, about: within 25% of OpenAI's o200k for prose in twelve languages,
 * code and JSON. For `input_tokens` of a check, when the model's tokenizer is not at hand.
 */
int64_t bursar_estimate_tokens(const char *text, size_t len);

/* Writes a random request id: 32 characters of 0-9 a-f, and a terminating 0. */
void bursar_request_id(char out[33]);

/*
 * Gathers checks, or records, and sends them as one CheckBatch or RecordBatch: the efficient way for a program that
 * serves many users at once. Each item has a callback of its own.
 */
struct bursar_batch;

/*
 * `method` is BURSAR_CHECK or BURSAR_RECORD, `size` 1 to 1,000 (both asserted). Free the batch with bursar_batch_free,
 * before the connection.
 */
struct bursar_batch *bursar_batch_new(struct bursar *bursar, enum bursar_method method, size_t size);

/*
 * Adds a CheckRequest or RecordRequest (copied), and sends the batch when it has `size` items. `done` gets the item's
 * own answer or error.
 */
void bursar_batch_add(struct bursar_batch *batch, const void *request, bursar_done *done, void *ctx);

/*
 * From now on bursar_poll sends the batch when its first item has waited for `delay_us`. 1,000 gathers what many users
 * ask in the same millisecond; a negative value ends it: only bursar_batch_flush and a full batch send then.
 */
void bursar_batch_within(struct bursar_batch *batch, int64_t delay_us);

/* Sends what was added since the last time. */
void bursar_batch_flush(struct bursar_batch *batch);

/*
 * Frees the batch. Items that were not sent end now, with CANCELLED; those that were sent still get their answers. NULL
 * is fine.
 */
void bursar_batch_free(struct bursar_batch *batch);

/* Renewals while this process lives. */
#include "bursar/renewer.h"

/* Records on disk until they have arrived. */
#include "bursar/spool.h"

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
