/* Protobuf messages as JSON, by their descriptors: field names as in the proto, int64 as numbers, enums by name. */
#ifndef BURSAR_CLI_JSON_H
#define BURSAR_CLI_JSON_H

#include <protobuf-c/protobuf-c.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Appends the message, indented by two spaces, and a line end. Includes every field except absent messages. JSON that
 * an entry of the audit log holds as a string is written as JSON.
 */
void json_put_message(struct buf *out, const ProtobufCMessage *message);

/* The same on one line, without a line end; "null" for NULL. */
void json_put_line(struct buf *out, const ProtobufCMessage *message);

/*
 * Reads JSON into a new message of `descriptor` (free it with protobuf_c_message_free_unpacked). Enums are read by
 * name, in full or in short ("DIMENSION_COST", "cost"). NULL with ERR_INVALID: the field is the path
 * ("limits[2].amount"); if the text is not valid JSON, the message gives the line.
 */
ProtobufCMessage *json_new_message(
	const char *text, size_t len, const ProtobufCMessageDescriptor *descriptor, struct err *err);

#endif
