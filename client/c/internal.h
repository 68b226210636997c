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

struct bursar__server {
	grpc_channel *channel;
	void *registered[BURSAR_METHODS];
	void *registered_streams[BURSAR_STREAMS];
	int64_t down_until_us; /* on the monotonic clock; it did not answer, and others come first until then */
};

/* What a renewer looks after (kept.c). */
struct bursar__kept;

struct bursar {
	struct bursar__server *servers;
	size_t server_count, next_server;
	grpc_completion_queue *queue;
	char *bearer; /* "Bearer bsk_..."; NULL: no key */
	grpc_metadata key; /* sent with every call when there is one */
	int64_t timeout_us, attempt_us;
	int attempts;
	enum bursar_fail fail;
	int64_t fail_after_us;
	struct bursar__shares *shares; /* NULL unless `fail` is BURSAR_FAIL_SHARE */
	size_t in_flight;
	struct bursar__call *calls; /* those sent, and those that wait to be sent again */
	struct bursar_stream *streams;
	struct bursar_batch *batches;
	/* batch.c, once a batch may leave by itself: sends those that are due. Returns when the next is, at most `until`. */
	int64_t (*batches_due)(struct bursar *bursar, int64_t until);
	struct bursar__kept *kept; /* NULL unless there is a renewer */
	bool is_line; /* the servers and the key are another connection's */
	bool closing;
};

/*
 * connection.c: another queue to the same servers, with the same key, for another thread. Its calls take at most two
 * attempts' time. bursar_close frees it, before the connection.
 */
struct bursar *bursar__line_open(const struct bursar *bursar);

/* tls.c: the credentials that the options ask for (release them); NULL with `error`. */
grpc_channel_credentials *bursar__credentials(const struct bursar_options *options, struct bursar_error *error);

/* servers.c: makes the channels; cuts `addresses`, which bursar_addresses made, and takes over the credentials. */
void bursar__servers_open(struct bursar *bursar, char *addresses, grpc_channel_credentials *credentials);
/* The same channels, for a line. */
void bursar__servers_share(struct bursar *line, const struct bursar *bursar);
void bursar__servers_close(struct bursar *bursar);
/* The server for the next call: in turn, those that are down only when all are. */
struct bursar__server *bursar__server_next(struct bursar *bursar);
/* The server was not reached, or was silent: others are asked for a second. */
void bursar__server_down(struct bursar__server *server);
/* Is one of them not down? */
bool bursar__server_up(const struct bursar *bursar);

/* fail.c: the client's policy for checks that no server answers; bursar_close frees `shares`. */
void bursar__fail_set(struct bursar *bursar, const struct bursar_options *options);
/* How long a call of this method may take. */
int64_t bursar__fail_timeout_us(const struct bursar *bursar, enum bursar_method method);
/* The policy's answer to a check or a batch of checks; free it with bursar_free. NULL when the error is the answer. */
void *bursar__fail_answer(struct bursar *bursar, enum bursar_method method, grpc_byte_buffer *request);

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

/* kept.c: what a renewer looks after. bursar__kept_free (kept_due.c) frees it. */
struct bursar__kept *bursar__kept_new(int64_t orphan_us, bursar_lost *lost, void *ctx);
/* For how long a check holds its reservation at first, which asks for `asked_us` (0: the default). */
int64_t bursar__kept_first_us(const struct bursar__kept *kept, int64_t asked_us);
/*
 * A call is sent: forgets what it ends. If it begins something, returns the request with a short time, which is
 * `filled` unless that is NULL, and sets `asked` to a copy of what the caller asked for, for bursar__kept_answered.
 * Otherwise returns `filled`.
 */
ProtobufCMessage *bursar__kept_submit(struct bursar__kept *kept, enum bursar_method method, const void *request,
	ProtobufCMessage *filled, ProtobufCMessage **asked);
/* It was answered, or failed (NULL). `again`: it had been sent before, so that a repeat may be its own. */
void bursar__kept_answered(
	struct bursar__kept *kept, enum bursar_method method, void *asked, const void *answer, bool again);
/* A slot was granted, whose check had asked for `asked_us`. */
void bursar__kept_granted(struct bursar__kept *kept, const Bursar__V1__CheckRequest *check, int64_t asked_us,
	const Bursar__V1__CheckResponse *answer);
/* Anything else: a lease of `us`, or a reservation that may be held for `us`. False when there is no room. */
bool bursar__kept_add(struct bursar__kept *kept, const char *handle, bool lease, int64_t us);
void bursar__kept_drop(struct bursar__kept *kept, const char *handle);

/* kept_due.c: one that is to be renewed. */
struct bursar__renewal {
	char *handle; /* the taker's */
	bool lease, last; /* `last`: the renewer closes */
	int64_t ttl_us, sent_us;
};

void bursar__kept_free(struct bursar__kept *kept);
/* Takes at most `max` that are due; `next_us`: when there is more, INT64_MAX if never. Finds what has ended. */
size_t bursar__kept_take(struct bursar__kept *kept, struct bursar__renewal *due, size_t max, int64_t *next_us);
/* What became of it; `error` is NULL when it was renewed. */
void bursar__kept_renewed(
	struct bursar__kept *kept, const struct bursar__renewal *renewal, const struct bursar_error *error);
/* Waits until then, or until something is due before. False when the renewer closes. */
bool bursar__kept_wait(struct bursar__kept *kept, int64_t until_us);
/* The renewer closes: reservations are extended once more, as far as they may be. */
void bursar__kept_close(struct bursar__kept *kept);
/* Runs the caller's callback for what was lost. Returns how often. */
size_t bursar__kept_tell(struct bursar__kept *kept);

/*
 * ids.c: a copy of the request in which missing request ids are random ones (and the start of a record that was never
 * checked, if missing, is now); NULL when nothing is missing. Free it with bursar_free.
 */
ProtobufCMessage *bursar__ids_filled(enum bursar_method method, const void *request);
/* Gives an AcquireRequest, which must be a copy, the request id that it lacks. */
void bursar__acquire_put_id(Bursar__V1__AcquireRequest *request);

#endif
