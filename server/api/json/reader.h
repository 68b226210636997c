/* Between the files of this room: the text being read, its tokens, and values of fields that are not messages. */
#ifndef BURSAR_API_JSON_READER_H
#define BURSAR_API_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Where a value is, as a list from the inside to the outside: kept on the stack, and read only for an error. */
struct json_place {
	const struct json_place *outer;
	const char *name; /* of the field; NULL: an item of the list */
	size_t index;
};

struct json_reader {
	const char *start, *p, *end;
	struct arena *arena;
	struct err *err;
	const struct json_place *at; /* NULL: the whole text */
	int depth;
	int messages; /* made so far */
};

enum json_kind {
	JSON_IS_NULL,
	JSON_IS_FALSE,
	JSON_IS_TRUE,
	JSON_IS_NUMBER,
	JSON_IS_STRING,
	JSON_IS_LIST,
	JSON_IS_OBJECT,
	JSON_IS_PLAIN /* not JSON: the text of a query parameter, which may be anything that fits the field */
};

struct json_value {
	enum json_kind kind;
	const char *text; /* of a number, a string (without escapes) or plain text; not terminated */
	size_t len;
};

/* ERR_INVALID for the value at reader->at. Always false. */
bool json_wrong(struct json_reader *reader, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "must be <wanted>, not <value>". Always false. */
bool json_wrong_kind(struct json_reader *reader, const struct json_value *value, const char *wanted);
/* ERR_INVALID for text that is not JSON at reader->p, with line and column. Always false. */
bool json_not_json(struct json_reader *reader, const char *what);

/* Skips blanks, and `c` if it follows. */
bool json_next_is(struct json_reader *reader, char c);
/* The name of a member and its colon; not terminated. */
bool json_scan_name(struct json_reader *reader, const char **name, size_t *len);
/* The next value; of a list or an object only its bracket. */
bool json_scan_value(struct json_reader *reader, struct json_value *out);

/* Sets a field that is not a message: `out` has the field's type. */
bool json_set_scalar(
	struct json_reader *reader, const ProtobufCFieldDescriptor *field, const struct json_value *value, void *out);

/* How many bytes a value of the field takes. */
size_t json_value_size(const ProtobufCFieldDescriptor *field);
/* The next free place of a repeated field, zeroed; NULL with the error set when it is full. Count it once it is set. */
void *json_list_place(struct json_reader *reader, const ProtobufCFieldDescriptor *field, ProtobufCMessage *message);
/* A new message of the field's type; NULL with the error set when there are too many. */
ProtobufCMessage *json_make(struct json_reader *reader, const ProtobufCFieldDescriptor *field);
/* Before a field is set: chooses it in its oneof, if it is in one, which must not have another member. */
bool json_claim(struct json_reader *reader, const ProtobufCFieldDescriptor *field, ProtobufCMessage *message);
/* ERR_INVALID for a name that is not a field of `type`. Always false. */
bool json_unknown(struct json_reader *reader, const ProtobufCMessageDescriptor *type, const char *name, size_t len);

/* The value of an enum called so; NULL when there is none. */
const ProtobufCEnumValue *json_enum_value(const ProtobufCEnumDescriptor *type, const char *name, size_t len);
/* ERR_INVALID for a name that is not one of the enum. Always false. */
bool json_unknown_enum(struct json_reader *reader, const ProtobufCEnumDescriptor *type, const struct json_value *value);

/* RFC 3339 ("2026-11-23T17:00:00.5+01:00") as microseconds since 1970; false when it is not such a text. */
bool json_time_parse(const char *text, size_t len, int64_t *us);

/* Standard or url-safe base64, with or without padding. `out` has room for len / 4 * 3 + 2 bytes; false when it is not base64. */
bool json_base64_read(const char *text, size_t len, uint8_t *out, size_t *out_len);
void json_base64_write(const uint8_t *bytes, size_t len, struct buf *out);

#endif
