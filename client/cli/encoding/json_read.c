/* Reads protobuf messages from JSON (json.h). */
#include "cli/encoding/json.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"

static bool read_object(const json_t *object, ProtobufCMessage *message, struct err *err);

static bool read_integer(const json_t *value, int64_t min, int64_t max, int64_t *out, struct err *err)
{
	if (!json_is_integer(value))
		return err_set(err, ERR_INVALID, "must be a whole number");
	*out = json_integer_value(value);
	if (*out < min || *out > max)
		return err_set(err, ERR_INVALID, "%lld is out of range", (long long)*out);
	return true;
}

/* Whether they are equal apart from case; `given` may lack the common prefix of the names. */
static bool enum_name_matches(const char *name, const char *given)
{
	size_t len = strlen(name), short_len = strlen(given);

	if (short_len > len || (short_len < len && name[len - short_len - 1] != '_'))
		return false;
	return short_len > 0 && strcasecmp(name + len - short_len, given) == 0;
}

static bool read_enum(const ProtobufCFieldDescriptor *field, const json_t *value, int *out, struct err *err)
{
	const ProtobufCEnumDescriptor *names = field->descriptor;
	const ProtobufCEnumValue *best = NULL;
	const char *given = json_string_value(value);

	/* The shortest match: "tokens" is DIMENSION_TOKENS, not DIMENSION_INPUT_TOKENS. */
	for (unsigned i = 0; given && i < names->n_values; i++)
		if (enum_name_matches(names->values[i].name, given))
			if (!best || strlen(names->values[i].name) < strlen(best->name))
				best = &names->values[i];
	if (!best)
		return err_set(err, ERR_INVALID, "'%s' is not a name of %s, such as %s", given ? given : "(no text)",
			names->short_name, names->values[names->n_values > 1 ? 1 : 0].name);
	*out = best->value;
	return true;
}

static bool read_text(const json_t *value, char **out, struct err *err)
{
	if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
		return err_set(err, ERR_INVALID, "must be a string in quotes");
	*out = strdup(json_string_value(value));
	if (!*out)
		mem_exhausted(strlen(json_string_value(value)) + 1);
	return true;
}

static bool read_child(const ProtobufCFieldDescriptor *field, const json_t *value, void **out, struct err *err)
{
	const ProtobufCMessageDescriptor *descriptor = field->descriptor;

	if (!json_is_object(value))
		return err_set(err, ERR_INVALID, "must be an object {...}");
	*out = mem_zalloc(1, descriptor->sizeof_message);
	protobuf_c_message_init(descriptor, *out);
	return read_object(value, *out, err);
}

static bool read_value(const ProtobufCFieldDescriptor *field, const json_t *value, void *out, struct err *err)
{
	int64_t number = 0;

	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
		if (!read_integer(value, INT32_MIN, INT32_MAX, &number, err))
			return false;
		*(int32_t *)out = (int32_t)number;
		return true;
	case PROTOBUF_C_TYPE_INT64:
		return read_integer(value, INT64_MIN, INT64_MAX, out, err);
	case PROTOBUF_C_TYPE_BOOL:
		if (!json_is_boolean(value))
			return err_set(err, ERR_INVALID, "must be true or false");
		*(protobuf_c_boolean *)out = json_is_true(value);
		return true;
	case PROTOBUF_C_TYPE_ENUM:
		return read_enum(field, value, out, err);
	case PROTOBUF_C_TYPE_STRING:
		return read_text(value, out, err);
	case PROTOBUF_C_TYPE_MESSAGE:
		return read_child(field, value, out, err);
	default:
		return err_set(err, ERR_INVALID, "cannot be written as JSON");
	}
}

/* The API has only repeated strings and messages: both are pointers. */
static bool read_list(const ProtobufCFieldDescriptor *field, const json_t *list, char *base, struct err *err)
{
	size_t *count = (size_t *)(base + field->quantifier_offset);
	void ***items = (void ***)(base + field->offset);

	if (!json_is_array(list))
		return err_set(err, ERR_INVALID, "must be a list [...]");
	if (field->type != PROTOBUF_C_TYPE_MESSAGE && field->type != PROTOBUF_C_TYPE_STRING)
		return err_set(err, ERR_INVALID, "cannot be written as JSON");
	if (json_array_size(list) == 0)
		return true;
	*items = mem_zalloc(json_array_size(list), sizeof(void *));
	for (size_t i = 0; i < json_array_size(list); i++) {
		bool right = read_value(field, json_array_get(list, i), &(*items)[i], err);

		/* Counts unfinished items too, so that freeing the message frees them. */
		*count = (*items)[i] ? i + 1 : i;
		if (!right) {
			char inner[sizeof(err->field)];

			snprintf(inner, sizeof(inner), "%s", err->field);
			snprintf(err->field, sizeof(err->field), "[%zu]%s%.70s", i, inner[0] ? "." : "", inner);
			return false;
		}
	}
	return true;
}

/* Puts the field's name before the path from the inner readers. */
static bool name_field(const char *name, struct err *err)
{
	char inner[sizeof(err->field)];

	snprintf(inner, sizeof(inner), "%s", err->field);
	snprintf(err->field, sizeof(err->field), "%.40s%s%.50s", name, inner[0] && inner[0] != '[' ? "." : "", inner);
	return false;
}

static bool read_field(const ProtobufCFieldDescriptor *field, const json_t *value, char *base, struct err *err)
{
	err->field[0] = '\0';
	if (json_is_null(value))
		return true;
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return read_list(field, value, base, err) || name_field(field->name, err);
	return read_value(field, value, base + field->offset, err) || name_field(field->name, err);
}

static bool read_object(const json_t *object, ProtobufCMessage *message, struct err *err)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value)
	{
		const ProtobufCFieldDescriptor *field =
			protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);

		if (!field) {
			err_set(err, ERR_INVALID, "is not a field of %s", message->descriptor->short_name);
			return name_field(name, err);
		}
		if (!read_field(field, value, (char *)message, err))
			return false;
	}
	return true;
}

ProtobufCMessage *json_new_message(
	const char *text, size_t len, const ProtobufCMessageDescriptor *descriptor, struct err *err)
{
	json_error_t why;
	json_t *object = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	ProtobufCMessage *message;
	bool right;

	if (!json_is_object(object)) {
		if (object)
			err_set(err, ERR_INVALID, "the JSON must be an object {...}");
		else
			err_set(err, ERR_INVALID, "line %d, column %d: not valid JSON: %s", why.line, why.column,
				why.text);
		json_decref(object);
		return NULL;
	}
	message = mem_zalloc(1, descriptor->sizeof_message);
	protobuf_c_message_init(descriptor, message);
	right = read_object(object, message, err);
	json_decref(object);
	if (right)
		return message;
	protobuf_c_message_free_unpacked(message, NULL);
	return NULL;
}
