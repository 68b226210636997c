/* What the files of libbursar share. */
#ifndef BURSAR_CLIENT_INTERNAL_H
#define BURSAR_CLIENT_INTERNAL_H

#include <grpc/slice.h>

#include "c/bursar.h"

/* What is known of a method; one for each enum bursar_method. */
struct method {
	const char *path; /* "/bursar.v1.Limiter/Check" */
	const ProtobufCMessageDescriptor *request;
	const ProtobufCMessageDescriptor *answer;
};

extern const struct method bursar_method_table[BURSAR_METHODS];

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

#endif
