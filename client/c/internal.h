/* What the files of libbursar share with each other. Names that begin with bursar__ do not leave the library. */
#ifndef BURSAR_CLIENT_INTERNAL_H
#define BURSAR_CLIENT_INTERNAL_H

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>

#include "c/bursar.h"

/* One RPC. */
struct bursar__method {
	const char *path; /* "/bursar.v1.Limiter/Check" */
	const ProtobufCMessageDescriptor *request;
	const ProtobufCMessageDescriptor *answer;
};

extern const struct bursar__method bursar__methods[BURSAR_METHODS];
extern const struct bursar__method bursar__stream_methods[BURSAR_STREAMS];

/* The tag of a batch of gRPC operations: what to call when it is done. Returns how many things the user was told. */
struct bursar__event {
	size_t (*done)(struct bursar__event *event, bool ok);
};

struct bursar {
	grpc_channel *channel;
	grpc_completion_queue *queue;
	void *registered[BURSAR_METHODS];
	void *registered_streams[BURSAR_STREAMS];
	char *bearer; /* "Bearer bsk_..."; NULL: no key */
	grpc_metadata key; /* sent with every call when there is one */
	int64_t timeout_us, attempt_us;
	int attempts;
	size_t in_flight;
	struct bursar__call *calls; /* those sent, and those that wait to be sent again */
	struct bursar_stream *streams;
	bool closing;
};

/* tls.c: the credentials that the options ask for (release them); NULL with `error`. */
grpc_channel_credentials *bursar__credentials(const struct bursar_options *options, struct bursar_error *error);

/* key.c: can `key` be sent in a header? Only visible characters can. NULL is valid. */
bool bursar__key_valid(const char *key);
/* Makes the key part of every call of the connection; copied. NULL or "" is no key. */
void bursar__key_set(struct bursar *bursar, const char *key);
/* The operation that opens a call, with the key as metadata. */
grpc_op bursar__op_open(const struct bursar *bursar);
/* The same of a call that was sent before. `metadata` must outlive the start of the batch. */
grpc_op bursar__op_open_again(const struct bursar *bursar, grpc_metadata metadata[2]);

/* time.c: the monotonic clock, and a point on it for gRPC. */
int64_t bursar__now_us(void);
gpr_timespec bursar__at_us(int64_t us);

/* message.c: a deep copy; free it with bursar_free. */
ProtobufCMessage *bursar__message_copy(const ProtobufCMessage *message);
/* The bytes of a message, for one call; destroy them. */
grpc_byte_buffer *bursar__message_bytes(const ProtobufCMessage *message);
/* The message in `bytes`, which may be NULL; free it with bursar_free. NULL with `error` when they are not one. */
void *bursar__message_read(
	grpc_byte_buffer *bytes, const ProtobufCMessageDescriptor *descriptor, struct bursar_error *error);

/* error.c: fills `error` (which may be NULL) with a code and a sentence. */
void bursar__error_set(struct bursar_error *error, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with INVALID_ARGUMENT, for a field that is wrong. Returns false, always. */
bool bursar__error_field(struct bursar_error *error, const char *field, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Fills `error` from how gRPC says that a call ended. */
void bursar__error_from_status(
	struct bursar_error *error, grpc_status_code status, grpc_slice message, const grpc_metadata_array *trailing);

/*
 * ids.c: a copy of the request in which missing request ids are random ones (and the start of a record that was never
 * checked, if missing, is now); NULL when nothing is missing. Free it with bursar_free.
 */
ProtobufCMessage *bursar__ids_filled(enum bursar_method method, const void *request);
/* Gives an AcquireRequest, which must be a copy, the request id that it lacks. */
void bursar__acquire_put_id(Bursar__V1__AcquireRequest *request);

#endif
