/*
 * Validates requests: one table (fields.def) states the bounds of every field. Names with several spellings
 * (interfaces, models with spaces around them) are normalized on the way.
 */
#ifndef BURSAR_API_MESSAGE_VALIDATE_H
#define BURSAR_API_MESSAGE_VALIDATE_H

#include <stdbool.h>

#include <protobuf-c/protobuf-c.h>

#include "base/err.h"
#include "rpc/call.h"

/*
 * The call's request as a validated message of `descriptor`, in the call's arena. NULL with `err` set when it does not
 * conform to the table: ERR_INVALID with the field's path, such as "items[3].input_tokens".
 */
void *request_read(struct call *call, const ProtobufCMessageDescriptor *descriptor, struct err *err)
	__attribute__((warn_unused_result));

/* The same for a handler that has nothing to release yet; NULL when the call has already been failed. */
void *request_take(struct call *call, const ProtobufCMessageDescriptor *descriptor) __attribute__((warn_unused_result));

/* Applies the table alone, to a message whose bytes are not at hand. */
bool message_check(const ProtobufCMessage *message, struct err *err) __attribute__((warn_unused_result));

/* Its lists' lengths and its fields, but not the items of its lists, which need not be there. */
bool list_lengths_check(const ProtobufCMessage *message, struct err *err) __attribute__((warn_unused_result));

/* Like request_read(), but skips the items of its lists: a batch's items fail one by one (message_check() on each). */
void *batch_read(struct call *call, const ProtobufCMessageDescriptor *descriptor, struct err *err)
	__attribute__((warn_unused_result));

/* Rejects strings that contain a NUL. Looks at the bytes, because protobuf-c's strings would appear cut short. */
bool wire_check(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t len, struct err *err)
	__attribute__((warn_unused_result));

#endif
