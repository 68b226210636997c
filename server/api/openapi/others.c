/* The operations of others.def: parts.json describes them, the tables of api/rest have their parameters. */
#include <string.h>

#include "api/openapi/private.h"
#include "api/rest/parameters.h"

static const ProtobufCFieldDescriptor *field_of(const struct rest_row *row, const char *name)
{
	return protobuf_c_message_descriptor_get_field_by_name(rest_rpc(row)->input, name);
}

static void add_field(struct openapi *openapi, json_t *list, const struct rest_row *row, const char *name)
{
	json_array_append_new(
		list, openapi_parameter(openapi, "query", rest_rpc(row)->input, field_of(row, name), NULL));
}

/* What a proxy configures, and the one header that it sets unless it is configured otherwise. */
static void add_authorize(struct openapi *openapi, json_t *list, const struct rest_row *row)
{
	for (int i = 0; i < REST_AUTHORIZE_PARTS; i++) {
		const struct rest_part *part = &rest_authorize_parts[i];
		json_t *schema = json_pack("{s:s}", "type", "string");

		if (part->header[0])
			json_object_set_new(schema, "default", json_string(part->header));
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o}", "name", part->parameter, "in", "query",
						    "description", part->doc, "schema", schema));
	}
	for (const char *const *field = rest_authorize_fields; *field; field++)
		add_field(openapi, list, row, *field);
	json_array_append(list, json_object_get(openapi->parts, "user"));
}

/* parts.json names fields of the RPC's request that are parameters by their own names, and says where a key repeats. */
static void add_parameters(struct openapi *openapi, json_t *operation, const struct rest_other *other)
{
	json_t *list = json_copy(json_object_get(operation, "parameters")), *name;
	size_t i;

	if (!list)
		list = json_array();
	json_array_foreach(json_object_get(operation, "fields"), i, name)
	{
		add_field(openapi, list, &other->row, json_string_value(name));
	}
	if (other->kind == REST_AUTHORIZE)
		add_authorize(openapi, list, &other->row);
	openapi_add_extras(list, other->row.path);
	if (json_is_true(json_object_get(operation, "idempotent")))
		json_array_append(list, json_object_get(openapi->parts, "idempotency"));
	json_object_set_new(operation, "parameters", list);
	json_object_del(operation, "fields");
	json_object_del(operation, "idempotent");
}

static void add_headers_of_authorize(struct openapi *openapi, json_t *responses)
{
	static const char *const allowed[] = {"limits", "authorized", NULL};
	static const char *const denied[] = {"retry", "denial", "limits", "authorized", NULL};

	openapi_add_headers(openapi, json_object_get(responses, "200"), allowed);
	openapi_add_headers(openapi, json_object_get(responses, "403"), denied);
	openapi_add_headers(openapi, json_object_get(responses, "429"), denied);
}

json_t *openapi_other(struct openapi *openapi, const struct rest_other *other)
{
	json_t *described = json_object_get(json_object_get(openapi->parts, "operations"), other->operation);
	json_t *copy = json_deep_copy(described);
	json_t *operation = json_pack("{s:s}", "operationId", other->operation), *responses;

	json_object_update(operation, copy);
	json_decref(copy);
	responses = json_object_get(operation, "responses");
	add_parameters(openapi, operation, other);
	if (other->kind == REST_AUTHORIZE)
		add_headers_of_authorize(openapi, responses);
	openapi_add_errors(responses);
	json_object_set_new(operation, "x-bursar-rpc", json_string(other->row.rpc + 1));
	return operation;
}
