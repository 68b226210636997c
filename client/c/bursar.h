/*
 * libbursar: calls a Bursar server. Messages are protobuf-c's: fill a request, call, read the answer, free the answer
 * with protobuf_c_message_free_unpacked (bursar_free).
 *
 * A connection belongs to one thread. Calls may overlap: submit as many as wanted and let bursar_poll run their
 * callbacks. Every call has a deadline; what failed for want of an answer is sent again with the same request id, so a
 * repeat is never counted twice.
 */
#ifndef BURSAR_H
#define BURSAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bursar/v1/admin.pb-c.h"
#include "bursar/v1/limiter.pb-c.h"
#include "bursar/v1/types.pb-c.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BURSAR_DEFAULT_ADDRESS "127.0.0.1:7420"

/* The gRPC status codes that Bursar answers with. */
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

/*
 * Why a call failed. `field` is the path of the request's field at fault ("items[3].user"), empty when none is.
 * `from_server` tells a refusal from silence: false when no server answered (not reached, or not in time).
 */
struct bursar_error {
	int code; /* enum bursar_code */
	bool from_server;
	char field[128];
	char message[512]; /* a sentence; without the field */
	int64_t retry_after_us; /* the server's advice; 0 = none */
	char reason[32]; /* a stable name of the cause, such as WAIT_MAX; empty when there is none */
};

/* Every field of 0 means its default. */
struct bursar_options {
	int64_t timeout_us; /* of a call with all its attempts; default 10 s */
	int64_t attempt_us; /* of one attempt; default 2 s, never longer than what is left of timeout_us */
	const char *key; /* an API key ("bsk_..."), sent with every call; NULL or "": none. Copied. */
	/* PEM files. With tls_ca ("system": the machine's roots) the connection is encrypted; cert and key are the caller's own. */
	const char *tls_ca, *tls_cert, *tls_key;
	int attempts; /* at most so many are made on UNAVAILABLE and DEADLINE_EXCEEDED; default 4 */
};

struct bursar;

enum bursar_method {
#define METHOD(ENUM, name, service, rpc, Request, request, Answer, answer) BURSAR_##ENUM,
#include "c/methods.def"
	BURSAR_METHODS
};

/*
 * Makes a connection to "host:port" or "unix:/path". It connects at the first call. NULL with `error` filled when
 * the address cannot be one, or a file of TLS cannot be used. Free with bursar_close.
 */
struct bursar *bursar_open(const char *address, const struct bursar_options *options, struct bursar_error *error);

/*
 * Cancels what is in flight (each callback runs, with CANCELLED) and frees the connection. NULL is fine. Threads of gRPC may go on for a moment: a
 * program that uses TLS and may exit then says OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL) first of all, as the command does.
 */
void bursar_close(struct bursar *bursar);

/*
 * bursar_check(bursar, request, error) and so on, one function for each row of methods.def. They wait for the answer,
 * which the caller frees; NULL with `error` (may be NULL) filled on failure. An empty request id is replaced by a
 * random one: the request itself is not changed. Callbacks of other calls in flight may run meanwhile.
 */
#define METHOD(ENUM, name, service, rpc, Request, request, Answer, answer) \
	Bursar__V1__##Answer *bursar_##name( \
		struct bursar *bursar, const Bursar__V1__##Request *request, struct bursar_error *error);
#include "c/methods.def"

/* The same for a method that is known only when the program runs. The answer is of the method's answer type. */
void *bursar_call(struct bursar *bursar, enum bursar_method method, const void *request, struct bursar_error *error);

/* Frees an answer. NULL is fine. */
void bursar_free(void *answer);

/*
 * Told how a submitted call ended. `answer` is of the method's answer type and belongs to the callee (bursar_free); it
 * is NULL when the call failed, and `error` says why. Runs exactly once, inside bursar_poll, a waiting call or
 * bursar_close; it may submit further calls, but not wait for one.
 */
typedef void bursar_done(void *ctx, void *answer, const struct bursar_error *error);

/* Sends a call without waiting. `request` must be of the method's request type and is not needed after the return. */
void bursar_submit(struct bursar *bursar, enum bursar_method method, const void *request, bursar_done *done, void *ctx);

/* Waits until at least one call has ended or `timeout_us` have passed, runs the callbacks; answers how many ran. */
size_t bursar_poll(struct bursar *bursar, int64_t timeout_us);

/* Calls submitted whose callbacks have not run. */
size_t bursar_in_flight(const struct bursar *bursar);

/*
 * Streams from the server. `message` gets each message as it comes (of the method's answer type; the callee frees it with
 * bursar_free); `ended` runs once, last, with code BURSAR_OK or why. Both run inside bursar_poll, a waiting call or bursar_close, and
 * may open other streams. There is no deadline: a server that is gone is noticed within 15 s (UNAVAILABLE).
 */
struct bursar_stream;
enum bursar_stream_method {
	BURSAR_ACQUIRE,
	BURSAR_WATCH_POOL,
	BURSAR_GET_REPORT,
	BURSAR_CHANGE_ACCOUNTS,
	BURSAR_WATCH,
	BURSAR_STREAMS
};
typedef void bursar_message(void *ctx, void *message);
typedef void bursar_ended(void *ctx, const struct bursar_error *error);

/* `request` (AcquireRequest, GetPoolStatsRequest, GetReportRequest) is not needed after the return. */
struct bursar_stream *bursar_stream_open(struct bursar *bursar, enum bursar_stream_method method, const void *request,
	bursar_message *message, bursar_ended *ended, void *ctx);

/* Ends it from this side; `ended` still comes, with CANCELLED. */
void bursar_stream_cancel(struct bursar_stream *stream);

/*
 * A slot of a pool, from the queue to its end, over streams that break and servers that stop: it connects again with the same
 * request id, and keeps its place and its lease. All functions of `events` run as those of streams do; each may be NULL but
 * `ended`, which comes once and last, after which the slot is gone. The messages belong to the library.
 */
struct bursar_slot;
struct bursar_slot_events {
	void (*queued)(void *ctx, const Bursar__V1__Queued *queued);
	/* Once. `check` has the reservation, for the Record. */
	void (*granted)(void *ctx, const Bursar__V1__Granted *granted, const Bursar__V1__CheckResponse *check);
	void (*draining)(void *ctx, const Bursar__V1__Draining *draining);
	/* The connection is lost and is made again; the place or the lease is not lost yet. */
	void (*reconnecting)(void *ctx, const struct bursar_error *error);
	/*
	 * Exactly one of: `denied` is not NULL (a limit refused); error->code is BURSAR_OK (closed, or released by a Record); or it
	 * says why: RESOURCE_EXHAUSTED with a time to try again, or, after `granted`, ABORTED: the lease is lost, stop working.
	 */
	void (*ended)(void *ctx, const Bursar__V1__CheckResponse *denied, const struct bursar_error *error);
};
/* `request` is copied; `patience_us`: so long a server is looked for that does not answer; 0 = 10 s. */
struct bursar_slot *bursar_slot_open(struct bursar *bursar, const Bursar__V1__AcquireRequest *request,
	const struct bursar_slot_events *events, void *ctx, int64_t patience_us);
/* Gives it back; `ended` comes inside a later poll. */
void bursar_slot_close(struct bursar_slot *slot);
/* To be called now and then beside bursar_poll: connects again when it is time, and notices a lease that has run out. */
void bursar_slot_tick(struct bursar_slot *slot);

/* A random id for a request: 32 characters of 0-9 a-f. */
void bursar_request_id(char out[33]);

/* "INVALID_ARGUMENT" and so on; "UNKNOWN" for a number that is none. */
const char *bursar_code_name(int code);

/*
 * Checks and records gathered into CheckBatch and RecordBatch: what a client with many users at once should use. Each
 * item has its own callback. An item is sent when `size` are gathered, or by bursar_batch_flush.
 */
struct bursar_batch;

/* `method` is BURSAR_CHECK or BURSAR_RECORD; `size` 1 to 1,000. Free with bursar_batch_free before the connection. */
struct bursar_batch *bursar_batch_new(struct bursar *bursar, enum bursar_method method, size_t size);

/* Adds a CheckRequest or RecordRequest (copied). `done` gets a CheckResponse or RecordResponse, or the item's error. */
void bursar_batch_add(struct bursar_batch *batch, const void *request, bursar_done *done, void *ctx);

/* Sends what is gathered. */
void bursar_batch_flush(struct bursar_batch *batch);

/*
 * What was added and not sent is dropped with CANCELLED; what was sent runs its callbacks as if nothing had happened.
 */
void bursar_batch_free(struct bursar_batch *batch);

/*
 * A provider's usage object, as it stands in its answer, to Bursar's disjoint classes. The text is the JSON object
 * itself ("usage" of OpenAI and Anthropic, "usageMetadata" of Google). Unknown members are passed over. False with
 * `error` (INVALID_ARGUMENT, `field` the member at fault) when it is no such object or its numbers contradict each
 * other.
 *
 * OpenAI, both Chat Completions (prompt_tokens) and Responses (input_tokens): input includes cached and audio tokens,
 * output includes reasoning and audio tokens. Anthropic: input_tokens include neither cache reads nor cache writes, and
 * output includes its thinking. Google: promptTokenCount includes cachedContentTokenCount and audio; tokens of tool
 * results are input; thoughtsTokenCount comes beside candidatesTokenCount.
 */
bool bursar_usage_from_openai(const char *json, size_t len, Bursar__V1__TokenUsage *usage, struct bursar_error *error);
bool bursar_usage_from_anthropic(
	const char *json, size_t len, Bursar__V1__TokenUsage *usage, struct bursar_error *error);
bool bursar_usage_from_google(const char *json, size_t len, Bursar__V1__TokenUsage *usage, struct bursar_error *error);

#ifdef __cplusplus
}
#endif

#endif
