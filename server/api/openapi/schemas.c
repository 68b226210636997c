/* The schemas of messages and enums, from protobuf-c's descriptors. */
#include <stdio.h>
#include <string.h>

#include "api/openapi/limits.h"
#include "api/openapi/private.h"
#include "api/rest/parameters.h"

enum { FIRST_METERS = 7 }; /* of TokenUsage and TokenChange: always written */

void openapi_describe(json_t *object, struct buf *text)
{
	if (text->len)
		json_object_set_new(object, "description", json_string(buf_str(text)));
	buf_release(text);
}

static void describe(struct openapi *openapi, json_t *object, const char *type, const char *member)
{
	struct buf text = {0};

	comments_put(openapi->comments, type, member, &text);
	openapi_describe(object, &text);
}

/* ---- enums ---- */

/* Its values begin with the type's name: ACCOUNT_KIND_USER of AccountKind. */
static size_t prefix_len(const ProtobufCEnumDescriptor *type)
{
	size_t len = strlen(type->short_name) + 1;

	for (const char *c = type->short_name + 1; *c; c++)
		len += *c >= 'A' && *c <= 'Z';
	return len;
}

json_t *openapi_word(const ProtobufCEnumDescriptor *type, const char *name)
{
	char word[64];
	size_t n = 0;

	for (name += prefix_len(type); *name && n < sizeof(word) - 1; name++)
		word[n++] = (char)(*name >= 'A' && *name <= 'Z' ? *name + 32 : *name);
	return json_stringn(word, n);
}

static json_t *words(const ProtobufCEnumDescriptor *type)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < type->n_values; i++)
		if (type->values[i].value != 0) /* UNSPECIFIED: leave the parameter out */
			json_array_append_new(list, openapi_word(type, type->values[i].name));
	return json_pack("{s:s, s:o}", "type", "string", "enum", list);
}

static json_t *names(struct openapi *openapi, const ProtobufCEnumDescriptor *type)
{
	json_t *list = json_array(), *schema = json_pack("{s:s, s:o}", "type", "string", "enum", list);
	struct buf text = {0};

	comments_put(openapi->comments, type->name, NULL, &text);
	for (unsigned i = 0; i < type->n_values; i++) {
		struct buf comment = {0};

		json_array_append_new(list, json_string(type->values[i].name));
		comments_put(openapi->comments, type->name, type->values[i].name, &comment);
		if (comment.len)
			buf_putf(&text, "%s- `%s`: %s", text.len ? "\n" : "", type->values[i].name, buf_str(&comment));
		buf_release(&comment);
	}
	openapi_describe(schema, &text);
	return schema;
}

static json_t *reference(const char *name, const char *suffix)
{
	return json_pack("{s:o}", "$ref", json_sprintf("#/components/schemas/%s%s", name, suffix));
}

static json_t *enum_schema(struct openapi *openapi, const ProtobufCEnumDescriptor *type, enum openapi_place place)
{
	if (place == IN_ADDRESS)
		return words(type);
	if (!json_object_get(openapi->schemas, type->short_name))
		json_object_set_new(openapi->schemas, type->short_name, names(openapi, type));
	return reference(type->short_name, "");
}

/* ---- fields ---- */

/* Answers have 64 bits as text, because JavaScript's numbers lose them; requests may have either. */
static json_t *long_schema(const ProtobufCFieldDescriptor *field, enum openapi_place place)
{
	const char *format = field->type == PROTOBUF_C_TYPE_UINT64 ? "uint64" : "int64";

	if (place == IN_ADDRESS)
		return json_pack("{s:s, s:s}", "type", "integer", "format", format);
	if (place == IN_BODY)
		return json_pack("{s:[s, s], s:s, s:s}", "type", "integer", "string", "format", format, "pattern",
			"^-?[0-9]{1,19}$");
	return json_pack("{s:s, s:s, s:s}", "type", "string", "format", format, "pattern", "^-?[0-9]{1,20}$");
}

static json_t *value_schema(struct openapi *openapi, const ProtobufCFieldDescriptor *field, enum openapi_place place)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
		return json_pack("{s:s, s:s}", "type", "integer", "format", "int32");
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64:
		return long_schema(field, place);
	case PROTOBUF_C_TYPE_DOUBLE:
		return json_pack("{s:s, s:s}", "type", "number", "format", "double");
	case PROTOBUF_C_TYPE_BOOL:
		return json_pack("{s:s}", "type", "boolean");
	case PROTOBUF_C_TYPE_ENUM:
		return enum_schema(openapi, field->descriptor, place);
	case PROTOBUF_C_TYPE_BYTES:
		return json_pack("{s:s, s:s}", "type", "string", "contentEncoding", "base64");
	case PROTOBUF_C_TYPE_MESSAGE:
		return openapi_message(openapi, field->descriptor, place);
	default:
		return json_pack("{s:s}", "type", "string");
	}
}

json_t *openapi_field(struct openapi *openapi, const ProtobufCMessageDescriptor *message,
	const ProtobufCFieldDescriptor *field, enum openapi_place place)
{
	json_t *schema = value_schema(openapi, field, place);

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		schema = json_pack("{s:s, s:o}", "type", "array", "items", schema);
	if (place != IN_ANSWER)
		limits_put(schema, message, field);
	describe(openapi, schema, message->name, field->name);
	return schema;
}

/* ---- messages ---- */

/* A name that some path gives need not be in the body of that path, so no schema of a body can require it. */
static bool is_in_a_path(const ProtobufCMessageDescriptor *message, const ProtobufCFieldDescriptor *field)
{
	for (size_t i = 0; i < rest_rows_count; i++) {
		const struct rest_row *row = &rest_rows[i];
		const ProtobufCMessageDescriptor *request = rest_rpc(row)->input;
		char path[128];

		for (unsigned k = 0; k < request->n_fields; k++)
			if (request->fields[k].descriptor == message) {
				snprintf(path, sizeof(path), "%s.%s", request->fields[k].name, field->name);
				if (rest_in_path(row, path))
					return true;
			}
	}
	return false;
}

/* Answers have every field but absent messages, the oneof's other members, and meters that are not used. */
static bool is_always_written(const ProtobufCMessageDescriptor *message, const ProtobufCFieldDescriptor *field)
{
	bool meter = strcmp(message->short_name, "TokenUsage") == 0 || strcmp(message->short_name, "TokenChange") == 0;

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return true;
	return field->type != PROTOBUF_C_TYPE_MESSAGE && !(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
	       !(meter && field->id > FIRST_METERS);
}

static bool is_required(
	const ProtobufCMessageDescriptor *message, const ProtobufCFieldDescriptor *field, enum openapi_place place)
{
	if (place == IN_ANSWER)
		return is_always_written(message, field);
	return limits_required(message, field) && !is_in_a_path(message, field);
}

/* Fills a schema that is already in the document, because messages may contain themselves. `without`: fields to leave out. */
static void fill(struct openapi *openapi, json_t *schema, const ProtobufCMessageDescriptor *message,
	enum openapi_place place, bool (*without)(const ProtobufCFieldDescriptor *field, const void *arg),
	const void *arg)
{
	json_t *properties = json_object(), *required = json_array();

	json_object_set_new(schema, "type", json_string("object"));
	describe(openapi, schema, message->name, NULL);
	for (unsigned i = 0; i < message->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->fields[i];

		if (without && without(field, arg))
			continue;
		json_object_set_new(properties, field->name, openapi_field(openapi, message, field, place));
		if (is_required(message, field, place))
			json_array_append_new(required, json_string(field->name));
	}
	json_object_set_new(schema, "properties", properties);
	if (json_array_size(required))
		json_object_set(schema, "required", required);
	json_decref(required);
	if (place == IN_BODY)
		json_object_set_new(schema, "additionalProperties", json_false());
}

/* Is the message part of an answer too? Their schemas are made first. */
static bool is_in_answers(struct openapi *openapi, const char *name)
{
	json_t *schema = json_object_get(openapi->schemas, name);

	return schema && !json_object_get(schema, "additionalProperties");
}

json_t *openapi_message(struct openapi *openapi, const ProtobufCMessageDescriptor *message, enum openapi_place place)
{
	const char *suffix = place == IN_BODY && is_in_answers(openapi, message->short_name) ? "Input" : "";
	char name[128];

	snprintf(name, sizeof(name), "%s%s", message->short_name, suffix);
	if (!json_object_get(openapi->schemas, name)) {
		json_t *schema = json_object();

		/* Marks it as a request's before its own fields ask. */
		if (place == IN_BODY)
			json_object_set_new(schema, "additionalProperties", json_false());
		json_object_set_new(openapi->schemas, name, schema);
		fill(openapi, schema, message, place, NULL, NULL);
	}
	return reference(message->short_name, suffix);
}

/* ---- bodies ---- */

/* Does the path give the field, or a part of it? */
static bool is_given_by_path(const ProtobufCFieldDescriptor *field, const void *arg)
{
	const struct rest_row *row = arg;
	size_t len = strlen(field->name);

	if (row->lift && strcmp(row->lift, field->name) == 0)
		return true;
	for (const char *at = strchr(row->path, '{'); at; at = strchr(at + 1, '{'))
		if (strncmp(at + 1, field->name, len) == 0 && (at[1 + len] == '}' || at[1 + len] == '.'))
			return true;
	return false;
}

json_t *openapi_body(struct openapi *openapi, const struct rest_row *row, bool *needed)
{
	const ProtobufCMessageDescriptor *request = rest_rpc(row)->input;
	json_t *schema;
	char name[128];

	*needed = true;
	if (strcmp(row->body, "*") != 0)
		return openapi_message(openapi,
			protobuf_c_message_descriptor_get_field_by_name(request, row->body)->descriptor, IN_BODY);
	if (!strchr(row->path, '{'))
		return openapi_message(openapi, request, IN_BODY);
	snprintf(name, sizeof(name), "%sBody", rest_rpc_name(row));
	schema = json_object_get(openapi->schemas, name);
	if (!schema) {
		schema = json_object();
		json_object_set_new(openapi->schemas, name, schema);
		fill(openapi, schema, request, IN_BODY, is_given_by_path, row);
	}
	*needed = strcmp(row->method, "POST") != 0 || json_object_get(schema, "required");
	return reference(name, "");
}
