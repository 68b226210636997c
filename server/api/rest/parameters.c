/* The query parameters of the rows. */
#include "api/rest/parameters.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const struct rest_extra rest_extras[] = {
	{.path = "/v1/check",
		.name = "headers",
		.also = "limit_headers",
		.values = {"legacy", "draft", "both", "none"},
		.initial = "both",
		.doc = "Which headers about limits an answer has: `legacy` X-RateLimit-*, `draft` RateLimit and "
		       "RateLimit-Policy. A denial has Retry-After in any case."},
	{.path = "/v1/check",
		.name = "deny_status",
		.values = {"429", "403"},
		.initial = "429",
		.doc = "The status of a denial, for proxies that do not know 429."},
};
const size_t rest_extras_count = sizeof(rest_extras) / sizeof(rest_extras[0]);

bool rest_in_path(const struct rest_row *row, const char *path)
{
	size_t len = strlen(path);

	for (const char *at = strchr(row->path, '{'); at; at = strchr(at + 1, '{'))
		if (strncmp(at + 1, path, len) == 0 && at[1 + len] == '}')
			return true;
	return false;
}

static bool is_there(const struct rest_parameter *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].field->name, name) == 0)
			return true;
	return false;
}

/* Whether a row with a body takes the field from the query: with the body "*" only `tenant`, beside a path of it. */
static bool beside_body(const struct rest_row *row, const ProtobufCFieldDescriptor *field, bool lifted)
{
	if (!row->body)
		return true;
	return lifted ? strcmp(field->name, "tenant") == 0 : strcmp(row->body, "*") != 0;
}

static size_t add(const struct rest_row *row, const ProtobufCMessageDescriptor *message, bool lifted,
	struct rest_parameter out[REST_PARAMETERS_MAX], size_t count)
{
	for (unsigned i = 0; i < message->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->fields[i];
		char path[128];

		snprintf(path, sizeof(path), "%s%s%s", lifted ? row->lift : "", lifted ? "." : "", field->name);
		if (field->type == PROTOBUF_C_TYPE_MESSAGE || rest_in_path(row, path) ||
			!beside_body(row, field, lifted) || is_there(out, count, field->name))
			continue;
		assert(count < REST_PARAMETERS_MAX);
		out[count++] = (struct rest_parameter){.field = field, .message = message, .lifted = lifted};
	}
	return count;
}

size_t rest_parameters(const struct rest_row *row, struct rest_parameter out[REST_PARAMETERS_MAX])
{
	const ProtobufCMessageDescriptor *request = rest_rpc(row)->input;
	size_t count = add(row, request, false, out, 0);

	if (row->lift)
		count = add(row, protobuf_c_message_descriptor_get_field_by_name(request, row->lift)->descriptor, true,
			out, count);
	return count;
}
