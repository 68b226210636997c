/* The examples of the OpenAPI document, out of examples.json. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json/json_message.h"
#include "api/openapi/private.h"
#include "api/rest/parameters.h"

/* "@account" is the account below the key "": one thing is the answer of many RPCs. */
static json_t *expand(struct openapi *openapi, json_t *value)
{
	const char *text = json_string_value(value), *key;
	json_t *copy, *member;
	size_t i;

	if (text)
		return json_incref(
			text[0] == '@' ? json_object_get(json_object_get(openapi->examples, ""), text + 1) : value);
	copy = json_copy(value);
	json_object_foreach(value, key, member)
	{
		json_object_set_new(copy, key, expand(openapi, member));
	}
	json_array_foreach(value, i, member)
	{
		json_array_set_new(copy, i, expand(openapi, member));
	}
	return copy;
}

static json_t *part(struct openapi *openapi, const struct rest_row *row, const char *name)
{
	return json_object_get(json_object_get(openapi->examples, rest_rpc_name(row)), name);
}

json_t *openapi_example(struct openapi *openapi, const struct rest_row *row)
{
	json_t *by_handle = strstr(row->path, "{reservation.handle}") ? part(openapi, row, "handle") : NULL;

	return by_handle ? by_handle : part(openapi, row, "request");
}

json_t *openapi_example_answer(struct openapi *openapi, const struct rest_row *row)
{
	const ProtobufCMessageDescriptor *type = rest_rpc(row)->output;
	ProtobufCMessage *message = arena_alloc(&openapi->arena, type->sizeof_message);
	json_t *given = part(openapi, row, "answer"), *answer = NULL;
	struct buf text = {0};
	struct err err;
	char *json;

	if (!given)
		return NULL;
	given = expand(openapi, given);
	json = json_dumps(given, 0);
	protobuf_c_message_init(type, message);
	if (json_read_message(json, strlen(json), message, &openapi->arena, &err)) {
		json_write_message(message, &text);
		answer = json_loads(buf_str(&text), 0, NULL);
	}
	free(json);
	json_decref(given);
	buf_release(&text);
	return answer;
}

/* Drops from the copy of a body what the row's path gives. */
static void drop_given(const struct rest_row *row, json_t *body, const char *prefix, size_t prefix_len)
{
	for (const char *at = strchr(row->path, '{'); at; at = strchr(at + 1, '{')) {
		const char *name = at + 1;
		size_t len;

		if (strncmp(name, prefix, prefix_len) != 0)
			continue;
		name += prefix_len;
		len = strcspn(name, ".}");
		json_object_deln(body, name, len);
	}
}

json_t *openapi_example_body(struct openapi *openapi, const struct rest_row *row)
{
	json_t *example = openapi_example(openapi, row), *body;
	bool whole = row->body && strcmp(row->body, "*") == 0;
	char prefix[64];

	if (!row->body || !example)
		return NULL;
	body = json_copy(whole ? example : json_object_get(example, row->body));
	if (whole && row->lift)
		json_object_del(body, row->lift);
	snprintf(prefix, sizeof(prefix), "%s%s", whole ? "" : row->body, whole ? "" : ".");
	drop_given(row, body, prefix, strlen(prefix));
	return body;
}

/* An enum's name is a word in an address. */
static json_t *address_value(json_t *value, const ProtobufCFieldDescriptor *field)
{
	json_t *list, *item;
	size_t i;

	if (field->type != PROTOBUF_C_TYPE_ENUM)
		return json_incref(value);
	if (json_is_string(value))
		return openapi_word(field->descriptor, json_string_value(value));
	list = json_array();
	json_array_foreach(value, i, item)
	{
		json_array_append_new(list, openapi_word(field->descriptor, json_string_value(item)));
	}
	return list;
}

json_t *openapi_example_value(
	struct openapi *openapi, const struct rest_row *row, const char *path, const ProtobufCFieldDescriptor *field)
{
	json_t *value = openapi_example(openapi, row);

	while (value && *path) {
		size_t len = strcspn(path, ".");

		value = json_object_getn(value, path, len);
		path += len + (path[len] == '.');
	}
	return value ? address_value(value, field) : NULL;
}
