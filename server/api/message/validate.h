/*
 * What a request may hold: the limits of every field, stated in one table, and the walk that applies it. Names that are the same
 * in more than one spelling (interfaces, models with spaces around them) come out of it in one.
 */
#ifndef BURSAR_API_MESSAGE_VALIDATE_H
#define BURSAR_API_MESSAGE_VALIDATE_H

#include <stdbool.h>

#include <protobuf-c/protobuf-c.h>

#include "base/err.h"
#include "rpc/call.h"

/*
 * The call's request as a checked message of `descriptor`, in the call's arena; NULL with `err` set (ERR_INVALID with the
 * field's path, such as "items[3].input_tokens") when it does not keep to the table.
 */
void *request_read(struct call *call, const ProtobufCMessageDescriptor *descriptor, struct err *err)
	__attribute__((warn_unused_result));

/* The same for a handler that has nothing to give back yet: when it is NULL, the call has been failed. */
void *request_take(struct call *call, const ProtobufCMessageDescriptor *descriptor) __attribute__((warn_unused_result));

/* The check alone, of a message without its bytes. */
bool message_check(const ProtobufCMessage *message, struct err *err) __attribute__((warn_unused_result));

/*
 * The same, but the items of its repeated field "items" are not looked into: a batch's items fail one by one
 * (message_check of each).
 */
void *batch_read(struct call *call, const ProtobufCMessageDescriptor *descriptor, struct err *err)
	__attribute__((warn_unused_result));

/* Strings with a NUL inside would be cut short by protobuf-c: looked for in the bytes. */
bool wire_check(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t len, struct err *err)
	__attribute__((warn_unused_result));

#endif
