/* The operations of the OpenAPI document, one a row of the table of paths. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/openapi/private.h"
#include "api/rest/parameters.h"

static bool is_check(const struct rest_row *row)
{
	return strcmp(rest_rpc_name(row), "Check") == 0;
}

/* ---- names ---- */

/* Whether an earlier row has the same RPC. */
static bool is_second(const struct rest_row *row)
{
	for (const struct rest_row *other = rest_rows; other < row; other++)
		if (strcmp(other->rpc, row->rpc) == 0)
			return true;
	return false;
}

/* "putTier"; another way to an RPC is called by its last variable: "getReservationByRequestId". */
static json_t *operation_id(const struct rest_row *row)
{
	const char *last = strrchr(row->path, '{');
	struct buf name = {0};
	json_t *text;

	buf_put_str(&name, rest_rpc_name(row));
	name.data[0] = (char)(name.data[0] | 0x20);
	if (is_second(row)) {
		const char *dot = strchr(last, '.');
		bool upper = true;

		buf_put_str(&name, "By");
		for (const char *c = dot ? dot + 1 : last + 1; *c != '}'; c++) {
			if (*c != '_')
				buf_put_u8(&name, (uint8_t)(upper ? *c & ~0x20 : *c));
			upper = *c == '_';
		}
	}
	text = json_string(buf_str(&name));
	buf_release(&name);
	return text;
}

/* "Put tier" of PutTier. */
static json_t *summary(const struct rest_row *row)
{
	struct buf text = {0};
	json_t *value;

	for (const char *name = rest_rpc_name(row), *c = name; *c; c++) {
		bool upper = *c >= 'A' && *c <= 'Z' && c > name;

		if (upper)
			buf_put_u8(&text, ' ');
		buf_put_u8(&text, (uint8_t)(upper ? *c | 0x20 : *c));
	}
	value = json_string(buf_str(&text));
	buf_release(&text);
	return value;
}

static json_t *tag(const struct rest_row *row)
{
	const char *word = row->path + strlen("/v1/");

	return strstr(row->rpc, ".Limiter/") ? json_string("limiter") : json_stringn(word, strcspn(word, "/"));
}

static void describe(struct openapi *openapi, json_t *operation, const struct rest_row *row)
{
	struct buf text = {0}, request = {0};

	comments_put(openapi->comments, strstr(row->rpc, ".Limiter/") ? "bursar.v1.Limiter" : "bursar.v1.Admin",
		rest_rpc_name(row), &text);
	comments_put(openapi->comments, rest_rpc(row)->input->name, NULL, &request);
	if (request.len)
		buf_putf(&text, "%s%s", text.len ? "\n\n" : "", buf_str(&request));
	openapi_describe(operation, &text);
	buf_release(&request);
}

/* ---- parameters ---- */

json_t *openapi_parameter(struct openapi *openapi, const char *in, const ProtobufCMessageDescriptor *message,
	const ProtobufCFieldDescriptor *field, json_t *example)
{
	json_t *schema = openapi_field(openapi, message, field, IN_ADDRESS);
	json_t *parameter = json_pack("{s:s, s:s, s:o}", "name", field->name, "in", in, "schema", schema);
	json_t *description = json_object_get(schema, "description");

	if (description)
		json_object_set(parameter, "description", description);
	json_object_del(schema, "description");
	if (strcmp(in, "path") == 0) {
		json_object_set_new(parameter, "required", json_true());
		/* An empty segment is no path. */
		if (field->type == PROTOBUF_C_TYPE_STRING)
			json_object_set_new(schema, "minLength", json_integer(1));
	}
	if (example)
		json_object_set_new(parameter, "example", example);
	return parameter;
}

static void add_variables(struct openapi *openapi, json_t *list, const struct rest_row *row)
{
	for (const char *at = strchr(row->path, '{'); at; at = strchr(at + 1, '{')) {
		const ProtobufCMessageDescriptor *message = rest_rpc(row)->input;
		const ProtobufCFieldDescriptor *field;
		char path[64], name[64];
		const char *dot;

		snprintf(path, sizeof(path), "%.*s", (int)strcspn(at + 1, "}"), at + 1);
		dot = strchr(path, '.');
		if (dot) {
			snprintf(name, sizeof(name), "%.*s", (int)(dot - path), path);
			message = protobuf_c_message_descriptor_get_field_by_name(message, name)->descriptor;
		}
		field = protobuf_c_message_descriptor_get_field_by_name(message, dot ? dot + 1 : path);
		json_array_append_new(list, openapi_parameter(openapi, "path", message, field,
						    openapi_example_value(openapi, row, path, field)));
	}
}

static void add_query(struct openapi *openapi, json_t *list, const struct rest_row *row)
{
	struct rest_parameter known[REST_PARAMETERS_MAX];
	size_t count = rest_parameters(row, known);

	for (size_t i = 0; i < count; i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s%s%s", known[i].lifted ? row->lift : "", known[i].lifted ? "." : "",
			known[i].field->name);
		json_array_append_new(list, openapi_parameter(openapi, "query", known[i].message, known[i].field,
						    openapi_example_value(openapi, row, path, known[i].field)));
	}
}

/* A word, or a number if it looks like one: a generated client calls 429 better than "429". */
static json_t *extra_value(const char *value)
{
	return value[strspn(value, "0123456789")] ? json_string(value) : json_integer(atoi(value));
}

void openapi_add_extras(json_t *list, const char *path)
{
	for (size_t i = 0; i < rest_extras_count; i++) {
		const struct rest_extra *extra = &rest_extras[i];
		json_t *values = json_array(), *initial = extra_value(extra->initial);

		for (size_t k = 0; k < REST_EXTRA_VALUES && extra->values[k]; k++)
			json_array_append_new(values, extra_value(extra->values[k]));
		if (strcmp(extra->path, path) == 0)
			json_array_append_new(list,
				json_pack("{s:s, s:s, s:s, s:{s:s, s:O, s:O}}", "name",
					extra->also ? extra->also : extra->name, "in", "query", "description",
					extra->doc, "schema", "type", json_is_string(initial) ? "string" : "integer",
					"enum", values, "default", initial));
		json_decref(values);
		json_decref(initial);
	}
}

/* ---- bodies and answers ---- */

static json_t *content(json_t *schema, json_t *example)
{
	json_t *media = json_pack("{s:o}", "schema", schema);

	if (example)
		json_object_set_new(media, "example", example);
	return json_pack("{s:o}", "application/json", media);
}

/* Each event of a stream is one message; with Accept: application/x-ndjson each line is. */
static json_t *stream_content(json_t *schema)
{
	return json_pack(
		"{s:{s:O}, s:{s:o}}", "text/event-stream", "schema", schema, "application/x-ndjson", "schema", schema);
}

static json_t *answers(struct openapi *openapi, const struct rest_row *row)
{
	static const char *const limits[] = {"limits", NULL};
	json_t *schema = openapi_message(openapi, rest_rpc(row)->output, IN_ANSWER), *list, *done;

	if (row->stream)
		done = json_pack("{s:s, s:o}", "description",
			"A stream of messages, until it is over or the caller closes it.", "content",
			stream_content(schema));
	else
		done = json_pack("{s:s, s:o}", "description", is_check(row) ? "It may run." : "Done.", "content",
			content(schema, openapi_example_answer(openapi, row)));
	list = json_pack("{s:o}", "200", done);
	openapi_add_errors(list);
	if (is_check(row)) {
		openapi_add_headers(openapi, done, limits);
		json_object_set_new(list, "403", json_pack("{s:s}", "$ref", "#/components/responses/Denied"));
		json_object_set_new(list, "429", json_pack("{s:s}", "$ref", "#/components/responses/Denied"));
	}
	return list;
}

static void add_body(struct openapi *openapi, json_t *operation, const struct rest_row *row)
{
	bool needed;
	json_t *schema;

	if (!row->body)
		return;
	schema = openapi_body(openapi, row, &needed);
	json_object_set_new(operation, "requestBody",
		json_pack("{s:b, s:o}", "required", needed, "content",
			content(schema, openapi_example_body(openapi, row))));
}

/* ---- etags ---- */

/* Those whose answer is not the thing itself, but which compare its state all the same. */
static bool compares(const struct rest_row *row)
{
	static const char *const names[] = {"DeleteTier", "DeleteAlertRule", "PutAlertChannel", "DeleteAlertChannel"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(rest_rpc_name(row), names[i]) == 0)
			return true;
	return false;
}

static void add_etags(json_t *operation, const struct rest_row *row)
{
	json_t *parameters = json_object_get(operation, "parameters"), *list = json_object_get(operation, "responses");
	bool shows = protobuf_c_message_descriptor_get_field_by_name(rest_rpc(row)->output, "etag");
	bool reads = strcmp(row->method, "GET") == 0;

	if (!shows && !compares(row))
		return;
	if (shows)
		json_object_set_new(json_object_get(list, "200"), "headers",
			json_pack("{s:{s:s, s:{s:s}}}", "ETag", "description", "Of this state: the etag, in quotes.",
				"schema", "type", "string"));
	json_array_append_new(parameters,
		json_pack("{s:s, s:s, s:s, s:{s:s}}", "name", reads ? "If-None-Match" : "If-Match", "in", "header",
			"description",
			reads ? "Etags that the caller has: 304 if the state has one of them."
			      : "The etag of the state that may be changed, or `*`; any other state is refused.",
			"schema", "type", "string"));
	if (reads)
		json_object_set_new(list, "304", json_pack("{s:s}", "description", "The caller has this state."));
	else
		json_object_set_new(list, "412", json_pack("{s:s}", "$ref", "#/components/responses/Changed"));
}

json_t *openapi_operation(struct openapi *openapi, const struct rest_row *row)
{
	json_t *operation = json_object(), *parameters = json_array();

	json_object_set_new(operation, "operationId", operation_id(row));
	json_object_set_new(operation, "summary", summary(row));
	describe(openapi, operation, row);
	json_object_set_new(operation, "tags", json_pack("[o]", tag(row)));
	add_variables(openapi, parameters, row);
	add_query(openapi, parameters, row);
	openapi_add_extras(parameters, row->path);
	if (rest_idempotency_field(row))
		json_array_append(parameters, json_object_get(openapi->parts, "idempotency"));
	if (rest_cursor_field(row))
		json_array_append(parameters, json_object_get(openapi->parts, "last_event_id"));
	json_object_set_new(operation, "parameters", parameters);
	add_body(openapi, operation, row);
	json_object_set_new(operation, "responses", answers(openapi, row));
	add_etags(operation, row);
	json_object_set_new(operation, "x-bursar-rpc", json_string(row->rpc + 1));
	return operation;
}
