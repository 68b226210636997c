/* Makes the RPC's request of a path's variables, a query and a body. */
#include <stdio.h>
#include <string.h>

#include "api/json/json_message.h"
#include "api/rest/parameters.h"
#include "api/rest/query.h"
#include "base/text/distance.h"

struct making {
	const struct rest_row *row;
	ProtobufCMessage *into;
	struct arena *arena;
	struct err *err;
};

/* ---- the body ---- */

static void *at_offset(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	return (char *)message + field->offset;
}

static ProtobufCMessage *new_message(struct making *making, const ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *message = arena_alloc(making->arena, type->sizeof_message);

	protobuf_c_message_init(type, message);
	return message;
}

/* The body that is one field of the request: an error's path begins with the field's name. */
static bool read_part(struct making *making, const char *body, size_t len)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(making->into->descriptor, making->row->body);
	ProtobufCMessage *part = new_message(making, field->descriptor);

	*(ProtobufCMessage **)at_offset(making->into, field) = part;
	if (json_read_message(body, len, part, making->arena, making->err))
		return true;
	return making->err->field[0] ? err_prefix(making->err, "%s.", field->name) : false;
}

/* An empty PUT or PATCH is a mistake, such as a file that was not found: it would replace a whole tier by nothing. */
static bool read_body(struct making *making, const char *body, size_t len)
{
	const struct rest_row *row = making->row;
	char path[REST_SHOWN_MAX];

	if (!row->body)
		return !len || err_invalid(making->err, "body", "%s %s takes none", row->method, rest_shown(row, path));
	if (!len && strcmp(row->body, "*") == 0 && strcmp(row->method, "POST") == 0)
		return true;
	if (!len)
		return err_invalid(making->err, "body", "is missing: %s %s needs a JSON object", row->method,
			rest_shown(row, path));
	if (strcmp(row->body, "*") == 0)
		return json_read_message(body, len, making->into, making->arena, making->err);
	return read_part(making, body, len);
}

/* ---- the path ---- */

/* Finds the scalar field at a dotted path, and its value; NULL when a message on the way is absent. */
static const void *value_at(ProtobufCMessage *message, const char *path, const ProtobufCFieldDescriptor **field)
{
	for (;;) {
		size_t len = strcspn(path, ".");

		*field = json_field(message->descriptor, path, len);
		if (!path[len])
			return at_offset(message, *field);
		message = *(ProtobufCMessage **)at_offset(message, *field);
		if (!message)
			return NULL;
		path += len + 1;
	}
}

/* Fields of the path are strings, enums and numbers. */
static bool is_unset(const ProtobufCFieldDescriptor *field, const void *value)
{
	if (field->type == PROTOBUF_C_TYPE_STRING)
		return !(*(char *const *)value)[0];
	if (field->type == PROTOBUF_C_TYPE_INT64)
		return *(const int64_t *)value == 0;
	return *(const int *)value == 0;
}

static bool is_equal(const ProtobufCFieldDescriptor *field, const void *a, const void *b)
{
	if (field->type == PROTOBUF_C_TYPE_STRING)
		return strcmp(*(char *const *)a, *(char *const *)b) == 0;
	if (field->type == PROTOBUF_C_TYPE_INT64)
		return *(const int64_t *)a == *(const int64_t *)b;
	return *(const int *)a == *(const int *)b;
}

/* Sets the field to the text, unless the body has said something else. */
static bool bind(struct making *making, const char *path, struct rest_text text)
{
	const ProtobufCFieldDescriptor *field;
	const void *before = value_at(making->into, path, &field);
	ProtobufCMessage *other;

	if (!before || is_unset(field, before))
		return json_set_field(making->into, path, text.text, text.len, making->arena, making->err);
	other = new_message(making, making->into->descriptor);
	if (!json_set_field(other, path, text.text, text.len, making->arena, making->err))
		return false;
	return is_equal(field, before, value_at(other, path, &field)) ||
	       err_invalid(making->err, path, "the body has another value than the address");
}

static bool read_variables(struct making *making, const struct rest_match *match)
{
	const char *at = making->row->path;

	for (size_t i = 0; i < match->count; i++) {
		const struct rest_segment *segment = &match->variable[i];
		struct rest_text text;
		char path[64];

		at = strchr(at, '{') + 1;
		snprintf(path, sizeof(path), "%.*s", (int)strcspn(at, "}"), at);
		if (!rest_decode(segment->text, segment->len, false, path, making->arena, &text, making->err) ||
			!bind(making, path, text))
			return false;
	}
	return true;
}

/* ---- the query ---- */

static bool unknown(struct making *making, const struct rest_parameter *known, size_t count, const char *name)
{
	struct meant meant = {.typed = name};
	char shown[64], path[REST_SHOWN_MAX];

	for (size_t i = 0; i < count; i++)
		meant_try(&meant, known[i].field->name);
	for (size_t i = 0; i < rest_extras_count; i++)
		if (rest_extra_find(making->row->path, rest_extras[i].name))
			meant_try(&meant, rest_extras[i].name);
	snprintf(shown, sizeof(shown), "%.60s", name);
	if (making->row->body && json_field(making->into->descriptor, name, strlen(name)))
		err_invalid(making->err, shown, "belongs into the body");
	else if (meant.name[0])
		err_invalid(making->err, shown, "there is no such query parameter; did you mean %s?", meant.name);
	else
		err_invalid(making->err, shown, "%s %s has no such query parameter", making->row->method,
			rest_shown(making->row, path));
	return err_reason_of(making->err, "PARAMETER_NOT_FOUND", "%s", shown);
}

/* The parameter called so, also as "ref.tenant" where `ref` is lifted; `count` when there is none. */
static size_t parameter_called(
	const struct rest_row *row, const struct rest_parameter *known, size_t count, const char *name)
{
	size_t lift = row->lift ? strlen(row->lift) : 0, i = 0;
	bool dotted = lift && strncmp(name, row->lift, lift) == 0 && name[lift] == '.';
	const char *own = dotted ? name + lift + 1 : name;

	while (i < count &&
		((dotted && !known[i].lifted) || json_field(known[i].message, own, strlen(own)) != known[i].field))
		i++;
	return i;
}

/* An error about the field is one about the parameter, which may have a shorter name. */
static bool name_parameter(struct making *making, const char *path, const char *name)
{
	size_t len = strlen(path);
	char text[sizeof(making->err->text)];

	if (strncmp(making->err->text, path, len) != 0 || strcmp(path, name) == 0)
		return false;
	snprintf(text, sizeof(text), "%s", making->err->text + len + strspn(making->err->text + len, ": "));
	return err_invalid(making->err, name, "%s", text);
}

static bool set_parameter(struct making *making, const struct rest_parameter *parameter, const char *name,
	struct rest_text value, bool given)
{
	bool is_flag = parameter->field->type == PROTOBUF_C_TYPE_BOOL && !given;
	char path[128];

	snprintf(path, sizeof(path), "%s%s%s", parameter->lifted ? making->row->lift : "", parameter->lifted ? "." : "",
		parameter->field->name);
	if (is_flag) /* ?dry_run is ?dry_run=true */
		value = (struct rest_text){.text = "true", .len = 4};
	if (parameter->lifted && making->row->body && value.len)
		return bind(making, path, value) || name_parameter(making, path, name);
	return json_set_field(making->into, path, value.text, value.len, making->arena, making->err) ||
	       name_parameter(making, path, name);
}

static bool read_query(struct making *making, const char *query)
{
	struct rest_parameter known[REST_PARAMETERS_MAX];
	bool seen[REST_PARAMETERS_MAX] = {false};
	size_t count = rest_parameters(making->row, known);
	struct rest_text raw_name, raw_value, name, value;

	if (strlen(query) > REST_QUERY_MAX)
		return err_invalid(making->err, "query", "is longer than %d bytes", REST_QUERY_MAX);
	while (rest_pair_next(&query, &raw_name, &raw_value)) {
		const struct rest_extra *extra;
		size_t i;

		if (!rest_decode(raw_name.text, raw_name.len, true, "query", making->arena, &name, making->err))
			return false;
		extra = rest_extra_find(making->row->path, name.text);
		if (extra && !rest_extra_check(extra, raw_value, making->err))
			return false;
		if (extra)
			continue;
		i = parameter_called(making->row, known, count, name.text);
		if (i == count)
			return unknown(making, known, count, name.text);
		if (seen[i] && known[i].field->label != PROTOBUF_C_LABEL_REPEATED)
			return err_invalid(making->err, known[i].field->name, "is given twice");
		seen[i] = true;
		if (!rest_decode(raw_value.text, raw_value.len, true, known[i].field->name, making->arena, &value,
			    making->err) ||
			!set_parameter(making, &known[i], known[i].field->name, value, raw_value.text != NULL))
			return false;
	}
	return true;
}

bool rest_request(const struct rest_row *row, const struct rest_match *match, const char *query, const char *body,
	size_t body_len, ProtobufCMessage *into, struct arena *arena, struct err *err)
{
	struct making making = {.row = row, .into = into, .arena = arena, .err = err};

	return read_body(&making, body, body_len) && read_variables(&making, match) &&
	       (!query || read_query(&making, query));
}

bool rest_extra_value(const struct rest_row *row, const char *query, const char *name, char *out, size_t size)
{
	const struct rest_extra *extra = rest_extra_find(row->path, name);
	struct rest_text key, value;

	while (extra && query && rest_pair_next(&query, &key, &value)) {
		char called[32];

		snprintf(called, sizeof(called), "%.*s", (int)(key.len < sizeof(called) ? key.len : 0), key.text);
		if (!rest_extra_is(extra, called) || !value.text || value.len >= size)
			continue;
		memcpy(out, value.text, value.len);
		out[value.len] = '\0';
		return true;
	}
	return false;
}
