/* Writes protobuf messages as JSON (json.h). */
#include "cli/encoding/json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_METERS = 7 }; /* of TokenUsage and TokenChange: always written */

static json_t *message_json(const ProtobufCMessage *message);

static json_t *enum_json(const ProtobufCFieldDescriptor *field, int value)
{
	const ProtobufCEnumValue *row = protobuf_c_enum_descriptor_get_value(field->descriptor, value);

	return row ? json_string(row->name) : json_integer(value); /* a name from a newer server */
}

/* The value at `p`, which has the field's type. */
static json_t *value_json(const ProtobufCFieldDescriptor *field, const void *p)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return json_integer(*(const int32_t *)p);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return json_integer(*(const uint32_t *)p);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return json_integer(*(const int64_t *)p);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return json_integer((json_int_t) * (const uint64_t *)p);
	case PROTOBUF_C_TYPE_FLOAT:
		return json_real((double)*(const float *)p);
	case PROTOBUF_C_TYPE_DOUBLE:
		return json_real(*(const double *)p);
	case PROTOBUF_C_TYPE_BOOL:
		return json_boolean(*(const protobuf_c_boolean *)p);
	case PROTOBUF_C_TYPE_ENUM:
		return enum_json(field, *(const int *)p);
	case PROTOBUF_C_TYPE_STRING:
		return json_string(*(const char *const *)p ? *(const char *const *)p : "");
	case PROTOBUF_C_TYPE_MESSAGE:
		return message_json(*(const ProtobufCMessage *const *)p);
	case PROTOBUF_C_TYPE_BYTES:
		break; /* the API does not use it */
	}
	return json_null();
}

static size_t value_size(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	default:
		return 4;
	}
}

static json_t *list_json(const ProtobufCFieldDescriptor *field, const char *values, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, value_json(field, values + i * value_size(field)));
	return list;
}

/* One of the many meters that nearly no request uses: written only if it is not 0. */
static bool is_unused_meter(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
	const char *name = message->descriptor->name;

	return field->id > FIRST_METERS && field->type == PROTOBUF_C_TYPE_INT64 &&
	       (strcmp(name, "bursar.v1.TokenUsage") == 0 || strcmp(name, "bursar.v1.TokenChange") == 0) &&
	       *(const int64_t *)(const void *)((const char *)message + field->offset) == 0;
}

/* A oneof's member is present when its case says so, a message when it is not NULL, everything else always. */
static bool is_present(const ProtobufCFieldDescriptor *field, const char *base)
{
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return *(const uint32_t *)(base + field->quantifier_offset) == field->id;
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return *(const void *const *)(base + field->offset) != NULL;
	return true;
}

/* Strings of the API that contain JSON: written as that JSON. */
static bool holds_json(const ProtobufCMessageDescriptor *message, const ProtobufCFieldDescriptor *field)
{
	return strcmp(message->name, "bursar.v1.AuditEntry") == 0 &&
	       (strcmp(field->name, "details") == 0 || strcmp(field->name, "before") == 0);
}

static json_t *json_within(const char *text)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

	return value ? value : json_string(text);
}

static json_t *message_json(const ProtobufCMessage *message)
{
	const char *base = (const char *)message;
	json_t *object = json_object();

	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		const char *p = base + field->offset;
		json_t *value;

		if (is_unused_meter(field, message))
			continue;
		if (field->label == PROTOBUF_C_LABEL_REPEATED)
			value = list_json(
				field, *(const char *const *)p, *(const size_t *)(base + field->quantifier_offset));
		else if (holds_json(message->descriptor, field))
			value = json_within(*(const char *const *)p);
		else if (is_present(field, base))
			value = value_json(field, p);
		else
			continue;
		json_object_set_new(object, field->name, value);
	}
	return object;
}

static void put(struct buf *out, const ProtobufCMessage *message, size_t flags)
{
	json_t *object = message ? message_json(message) : json_null();
	char *text = json_dumps(object, flags | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);

	if (!text)
		abort();
	buf_put_str(out, text);
	free(text);
	json_decref(object);
}

void json_put_message(struct buf *out, const ProtobufCMessage *message)
{
	put(out, message, JSON_INDENT(2));
	buf_put_str(out, "\n");
}

void json_put_line(struct buf *out, const ProtobufCMessage *message)
{
	put(out, message, 0);
}
