/* Fields of a message: their places in it, and setting one by its path. */
#include <string.h>

#include "api/json/json_message.h"
#include "api/json/reader.h"
#include "base/utf8.h"

enum { LIST_LEAST = 8 };

size_t json_value_size(const ProtobufCFieldDescriptor *field)
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

void *json_list_place(struct json_reader *reader, const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
	size_t count = *(size_t *)(void *)((char *)message + field->quantifier_offset);
	char **items = (void *)((char *)message + field->offset), *larger;
	size_t size = json_value_size(field);

	if (count >= JSON_ITEMS_MAX) {
		json_wrong(reader, "has more than %d items", JSON_ITEMS_MAX);
		return NULL;
	}
	/* A list has room for 8 items, and is doubled whenever it is full: then its count is a power of two. */
	if (count == 0 || (count >= LIST_LEAST && (count & (count - 1)) == 0)) {
		larger = arena_alloc(reader->arena, (count ? 2 * count : LIST_LEAST) * size);
		if (count)
			memcpy(larger, *items, count * size);
		*items = larger;
	}
	memset(*items + count * size, 0, size);
	return *items + count * size;
}

ProtobufCMessage *json_make(struct json_reader *reader, const ProtobufCFieldDescriptor *field)
{
	const ProtobufCMessageDescriptor *type = field->descriptor;
	ProtobufCMessage *message;

	if (++reader->messages > JSON_MESSAGES_MAX) {
		json_wrong(reader, "is one of more than %d objects", JSON_MESSAGES_MAX);
		return NULL;
	}
	message = arena_alloc(reader->arena, type->sizeof_message);
	protobuf_c_message_init(type, message);
	return message;
}

bool json_claim(struct json_reader *reader, const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
	uint32_t *chosen = (void *)((char *)message + field->quantifier_offset);

	if (!(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
		return true;
	if (*chosen && *chosen != field->id)
		return json_wrong(reader, "cannot be given together with %s",
			protobuf_c_message_descriptor_get_field(message->descriptor, *chosen)->name);
	*chosen = field->id;
	return true;
}

/* The text of a query parameter has not been looked at by anybody. */
static bool text_check(struct json_reader *reader, const char *text, size_t len)
{
	if (memchr(text, 0, len))
		return json_wrong(reader, "contains a NUL character");
	return utf8_valid(text, len) || json_wrong(reader, "is not valid UTF-8");
}

static bool set_last(struct json_reader *reader, const ProtobufCFieldDescriptor *field, ProtobufCMessage *message,
	const struct json_value *value)
{
	size_t *count = (void *)((char *)message + field->quantifier_offset);
	void *out;

	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return json_wrong(reader, "is an object, which needs a body");
	if (!text_check(reader, value->text, value->len))
		return false;
	if (field->label != PROTOBUF_C_LABEL_REPEATED)
		return json_claim(reader, field, message) &&
		       json_set_scalar(reader, field, value, (char *)message + field->offset);
	out = json_list_place(reader, field, message);
	if (!out || !json_set_scalar(reader, field, value, out))
		return false;
	++*count;
	return true;
}

static bool set_at(
	struct json_reader *reader, ProtobufCMessage *message, const char *path, const struct json_value *value);

/* `rest`: the path after this field; "" when it is the last one. */
static bool set_in(struct json_reader *reader, const ProtobufCFieldDescriptor *field, ProtobufCMessage *message,
	const char *rest, const struct json_value *value)
{
	ProtobufCMessage **child = (void *)((char *)message + field->offset);

	if (!*rest)
		return set_last(reader, field, message, value);
	if (field->type != PROTOBUF_C_TYPE_MESSAGE || field->label == PROTOBUF_C_LABEL_REPEATED)
		return json_wrong(reader, "has no fields of its own");
	if (!json_claim(reader, field, message))
		return false;
	if (!*child)
		*child = json_make(reader, field);
	return *child && set_at(reader, *child, rest + 1, value);
}

static bool set_at(
	struct json_reader *reader, ProtobufCMessage *message, const char *path, const struct json_value *value)
{
	struct json_place place = {.outer = reader->at};
	size_t len = strcspn(path, ".");
	const ProtobufCFieldDescriptor *field = json_field(message->descriptor, path, len);
	bool right;

	if (!field)
		return json_unknown(reader, message->descriptor, path, len);
	place.name = field->name;
	reader->at = &place;
	right = set_in(reader, field, message, path + len, value);
	reader->at = place.outer;
	return right;
}

bool json_set_field(
	ProtobufCMessage *into, const char *path, const char *text, size_t len, struct arena *arena, struct err *err)
{
	struct json_reader reader = {.arena = arena, .err = err};
	struct json_value value = {.kind = JSON_IS_PLAIN, .text = len ? text : "", .len = len};

	return set_at(&reader, into, path, &value);
}
