/*
 * Protobuf messages as JSON, by their descriptors: the proto3 mapping (https://protobuf.dev/programming-guides/json/).
 *
 * Names are those of the .proto in what is written, and those or camelCase in what is read. An enum is written by its
 * full name and read by its full name, by the name without the type's prefix (in any case: "cost", "COST"), or by its
 * number. 64-bit numbers are written as strings and read as strings or numbers, exactly: 1e3 and 1.0 are whole numbers,
 * 1.5 is not. Bytes are base64. A point in time (json_is_time) is written as microseconds and read as microseconds or
 * as RFC 3339 text.
 */
#ifndef BURSAR_API_JSON_MESSAGE_H
#define BURSAR_API_JSON_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum {
	JSON_ITEMS_MAX = 10000, /* of one list */
	JSON_MESSAGES_MAX = 100000, /* in one text */
	JSON_DEPTH_MAX = 32
};

/*
 * Merges the JSON object in `text` (`len` bytes, not terminated) into `into`, which has been initialised: a field that
 * is there is set, the items of a list are appended, and null leaves a field as it is. What is made lives in `arena`;
 * never free the message. ERR_INVALID: the field is the path ("limits[2].amount"), or empty when the text is not JSON,
 * and the message gives line and column; a field that does not exist, is given twice, or has a value of another type is
 * refused, and so are two members of one oneof. `into` is then half filled: drop it. The bounds of api/message/fields.def
 * are checked by message_check() afterwards.
 */
bool json_read_message(const char *text, size_t len, ProtobufCMessage *into, struct arena *arena, struct err *err)
	__attribute__((warn_unused_result));

/*
 * Sets the field at a dotted path ("ref.id", in the names of the .proto or in camelCase) from the plain text of a path
 * variable or a query parameter, and makes the messages on the way. A repeated field gets one more item. The text is
 * what JSON has between the quotes, without escapes; true and false are as they are. ERR_INVALID: the field is `path`
 * in the names of the .proto. A message, a list in the middle of the path, or a map cannot be set like this.
 */
bool json_set_field(ProtobufCMessage *into, const char *path, const char *text, size_t len, struct arena *arena,
	struct err *err) __attribute__((warn_unused_result));

/*
 * Appends the message on one line. Every field is written, also one that is 0, false or empty, except absent messages,
 * members of a oneof that are not the one chosen, and the meters from the 8th on of TokenUsage and TokenChange that are
 * 0: the same fields as `bursar --json` prints. google.protobuf.Any is written with "@type", Duration as "1.5s", so that
 * a google.rpc.Status can be written with its details. Text that is not UTF-8 gets U+FFFD for each wrong byte.
 */
void json_write_message(const ProtobufCMessage *message, struct buf *out);

/*
 * Is this field a point in time? An int64 called ..._us whose word before it is at, by, end, from, now, since, to or
 * until, such as expires_at_us; all other ..._us are durations.
 */
bool json_is_time(const ProtobufCFieldDescriptor *field);

/* The field called so, in the .proto's spelling or in camelCase; NULL when there is none. */
const ProtobufCFieldDescriptor *json_field(const ProtobufCMessageDescriptor *type, const char *name, size_t len);

#endif
