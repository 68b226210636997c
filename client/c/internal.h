/* What the files of libbursar share. */
#ifndef BURSAR_CLIENT_INTERNAL_H
#define BURSAR_CLIENT_INTERNAL_H

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>

#include "c/bursar.h"

/* What is known of a method; one for each enum bursar_method. */
struct method {
	const char *path; /* "/bursar.v1.Limiter/Check" */
	const ProtobufCMessageDescriptor *request;
	const ProtobufCMessageDescriptor *answer;
};

extern const struct method bursar_method_table[BURSAR_METHODS];

/* The same for enum bursar_stream_method. */
extern const struct method bursar_stream_table[BURSAR_STREAMS];

/* What gRPC is given as a tag: who is told that a batch is done. Answers how many calls have ended by it. */
struct event {
	size_t (*done)(struct event *event, bool ok);
};

struct bursar {
	grpc_channel *channel;
	grpc_completion_queue *queue;
	void *registered[BURSAR_METHODS];
	void *streamed[BURSAR_STREAMS];
	char *bearer; /* "Bearer bsk_..."; NULL: no key */
	grpc_metadata key; /* sent with every call when there is one */
	int64_t timeout_us, attempt_us;
	int attempts;
	size_t in_flight;
	struct call *calls; /* all of them: sent, and waiting to be sent again */
	struct bursar_stream *streams;
	bool closing;
};

/* What the options say of TLS (release it); NULL with `error`. */
grpc_channel_credentials *credentials_of(const struct bursar_options *options, struct bursar_error *error);

/* A key goes into a header: only visible characters have a place there. NULL is right, too. */
bool key_is_right(const char *key);
void key_take(struct bursar *bursar, const char *key);
/* What opens a call: with the key as metadata, where there is one. */
grpc_op op_open(const struct bursar *bursar);

/* The monotonic clock, and a point of it as gRPC wants it. */
int64_t now_us(void);
gpr_timespec at_us(int64_t us);

/* The message in `bytes` (free with bursar_free); NULL with `error` when they are no such message. */
void *bytes_read(grpc_byte_buffer *bytes, const ProtobufCMessageDescriptor *descriptor, struct bursar_error *error);

/* Fills `error` from what gRPC says of a call's end. */
void status_read(
	struct bursar_error *error, grpc_status_code status, grpc_slice message, const grpc_metadata_array *trailing);

/* Fills `error` (which may be NULL) with a code and a sentence; nothing else is known of it. */
void error_set(struct bursar_error *error, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same for a field at fault, with INVALID_ARGUMENT. Returns false, always. */
bool error_field(struct bursar_error *error, const char *field, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Fills `error` from a call's status, its message and the bytes of grpc-status-details-bin (NULL when there were none:
 * then UNAVAILABLE and DEADLINE_EXCEEDED are the library's own words, not a server's).
 */
void error_from_status(struct bursar_error *error, int code, const char *message, const uint8_t *details, size_t len);

/* A deep copy of a message; free with bursar_free. */
ProtobufCMessage *message_copy(const ProtobufCMessage *message);

/*
 * A copy of the request whose missing request ids are random ones (and, in a record that was never checked, the missing
 * time is now); NULL when nothing is missing. Free with bursar_free.
 */
ProtobufCMessage *ids_filled(enum bursar_method method, const void *request);

/* Gives an AcquireRequest of an unpacked copy the request id that it lacks. */
void acquire_put_id(Bursar__V1__AcquireRequest *request);

#endif
