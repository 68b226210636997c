/* Reads a message from JSON (api/json/json_message.h), in one pass and without a tree. */
#include <string.h>

#include "api/json/json_message.h"
#include "api/json/reader.h"

enum { FIELDS_MAX = 256, WORD = 64 }; /* of one message */

/* The fields of one object that have been given so far. */
struct seen {
	uint64_t bits[FIELDS_MAX / WORD];
};

static bool read_object(struct json_reader *reader, ProtobufCMessage *into);

static bool read_child(struct json_reader *reader, const ProtobufCFieldDescriptor *field,
	const struct json_value *value, ProtobufCMessage **child)
{
	if (value->kind != JSON_IS_OBJECT)
		return json_wrong_kind(reader, value, "an object {...}");
	if (!*child)
		*child = json_make(reader, field);
	return *child && read_object(reader, *child);
}

static bool read_value(
	struct json_reader *reader, const ProtobufCFieldDescriptor *field, const struct json_value *value, void *out)
{
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return read_child(reader, field, value, out);
	return json_set_scalar(reader, field, value, out);
}

static bool read_item_into(struct json_reader *reader, const ProtobufCFieldDescriptor *field, void *out)
{
	struct json_value value;

	if (!json_scan_value(reader, &value))
		return false;
	if (value.kind == JSON_IS_NULL)
		return json_wrong(reader, "null is not an item of a list");
	return read_value(reader, field, &value, out);
}

static bool read_item(struct json_reader *reader, const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
	size_t *count = (void *)((char *)message + field->quantifier_offset);
	struct json_place place = {.outer = reader->at, .index = *count};
	void *out = json_list_place(reader, field, message);
	bool right;

	if (!out)
		return false;
	reader->at = &place;
	right = read_item_into(reader, field, out);
	reader->at = place.outer;
	*count += right;
	return right;
}

static bool read_list(struct json_reader *reader, const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
	if (json_next_is(reader, ']'))
		return true;
	do
		if (!read_item(reader, field, message))
			return false;
	while (json_next_is(reader, ','));
	return json_next_is(reader, ']') || json_not_json(reader, "a comma or ] is missing");
}

static bool read_field(struct json_reader *reader, const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
	struct json_value value;

	if (!json_scan_value(reader, &value))
		return false;
	if (value.kind == JSON_IS_NULL)
		return true;
	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		if (value.kind != JSON_IS_LIST)
			return json_wrong_kind(reader, &value, "a list [...]");
		return read_list(reader, field, message);
	}
	return json_claim(reader, field, message) && read_value(reader, field, &value, (char *)message + field->offset);
}

static bool given_twice(struct seen *seen, size_t field)
{
	uint64_t bit = UINT64_C(1) << field % WORD, *bits = &seen->bits[field / WORD % (FIELDS_MAX / WORD)];
	bool twice = *bits & bit;

	*bits |= bit;
	return twice;
}

static bool read_member(struct json_reader *reader, ProtobufCMessage *message, struct seen *seen)
{
	const ProtobufCFieldDescriptor *field;
	struct json_place place = {.outer = reader->at};
	const char *name;
	size_t len;
	bool right;

	if (!json_scan_name(reader, &name, &len))
		return false;
	field = json_field(message->descriptor, name, len);
	if (!field)
		return json_unknown(reader, message->descriptor, name, len);
	place.name = field->name;
	reader->at = &place;
	if (given_twice(seen, (size_t)(field - message->descriptor->fields)))
		right = json_wrong(reader, "given twice");
	else
		right = read_field(reader, field, message);
	reader->at = place.outer;
	return right;
}

/* After the opening brace. */
static bool read_object(struct json_reader *reader, ProtobufCMessage *into)
{
	struct seen seen = {{0}};

	if (json_next_is(reader, '}'))
		return true;
	if (++reader->depth > JSON_DEPTH_MAX)
		return json_wrong(reader, "is nested more deeply than %d levels", JSON_DEPTH_MAX);
	do
		if (!read_member(reader, into, &seen))
			return false;
	while (json_next_is(reader, ','));
	reader->depth--;
	return json_next_is(reader, '}') || json_not_json(reader, "a comma or } is missing");
}

bool json_read_message(const char *text, size_t len, ProtobufCMessage *into, struct arena *arena, struct err *err)
{
	const char *start = len ? text : ""; /* a body that never came has no address */
	struct json_reader reader = {.start = start, .p = start, .end = start + len, .arena = arena, .err = err};
	struct json_value value;

	if (!json_scan_value(&reader, &value))
		return false;
	if (value.kind != JSON_IS_OBJECT)
		return json_wrong_kind(&reader, &value, "an object {...}");
	if (!read_object(&reader, into))
		return false;
	json_next_is(&reader, ' ');
	return reader.p == reader.end || json_not_json(&reader, "something follows the object");
}
