/* The query parameters of the rows. */
#include "api/rest/parameters.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "bursar/v1/limiter.pb-c.h"

#define CHECK "/v1/check"
#define AUTHORIZE "/v1/authorize"
#define HEADERS(path_) \
	{ \
		.path = path_, .name = "headers", .also = "limit_headers", \
		.values = {"legacy", "draft", "both", "none"}, .initial = "both", \
		.doc = "Which headers about limits an answer has: `legacy` X-RateLimit-*, `draft` RateLimit and " \
		       "RateLimit-Policy. A denial has Retry-After in any case." \
	}
#define DENY_STATUS(path_) \
	{ \
		.path = path_, .name = "deny_status", .values = {"429", "403"}, .initial = "429", \
		.doc = "The status of a denial, for proxies that do not know 429." \
	}

const struct rest_extra rest_extras[] = {
	HEADERS(CHECK),
	DENY_STATUS(CHECK),
	HEADERS(AUTHORIZE),
	DENY_STATUS(AUTHORIZE),
	{.path = AUTHORIZE,
		.name = "hold",
		.values = {"true", "false"},
		.initial = "false",
		.doc = "`true`: the reservation stays open, and X-Bursar-Reservation is its handle. `false`: the request is "
		       "recorded at once, with the tokens that it announces."},
};
const size_t rest_extras_count = sizeof(rest_extras) / sizeof(rest_extras[0]);

bool rest_extra_is(const struct rest_extra *extra, const char *name)
{
	return strcmp(extra->name, name) == 0 || (extra->also && strcmp(extra->also, name) == 0);
}

const struct rest_extra *rest_extra_find(const char *path, const char *name)
{
	for (size_t i = 0; i < rest_extras_count; i++)
		if (strcmp(rest_extras[i].path, path) == 0 && rest_extra_is(&rest_extras[i], name))
			return &rest_extras[i];
	return NULL;
}

bool rest_extra_check(const struct rest_extra *extra, struct rest_text value, struct err *err)
{
	char list[64] = "";
	size_t len = 0;

	for (size_t i = 0; i < REST_EXTRA_VALUES && extra->values[i]; i++) {
		if (strlen(extra->values[i]) == value.len && memcmp(extra->values[i], value.text, value.len) == 0)
			return true;
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", len ? ", " : "", extra->values[i]);
	}
	return err_invalid(err, extra->name, "is none of %s", list);
}

const struct rest_part rest_authorize_parts[] = {
	{"user_header", "x-bursar-user", "user", "The header with the user's id."},
	{"model_header", "", "model", "The header with the model."},
	{"interface_header", "", "interface", "The header with the interface."},
	{"input_tokens_header", "", "input_tokens", "The header with the estimated tokens of input."},
	{"max_output_tokens_header", "", "max_output_tokens", "The header with the most tokens of output."},
	{"request_id_header", "", "request_id",
		"The header with the request's id. Only for ids that the proxy makes: a second request with the same id is "
		"allowed without being counted."},
};
_Static_assert(sizeof(rest_authorize_parts) / sizeof(rest_authorize_parts[0]) == REST_AUTHORIZE_PARTS, "count them");

const char *const rest_authorize_fields[] = {"tenant", "user", "model", "interface", "input_tokens",
	"max_output_tokens", "language", "reservation_ttl_us", NULL};

const char *rest_idempotency_field(const struct rest_row *row)
{
	const ProtobufCMessageDescriptor *request = rest_rpc(row)->input;

	if (!row->body)
		return NULL;
	if (protobuf_c_message_descriptor_get_field_by_name(request, "request_id"))
		return "request_id";
	return request == &bursar__v1__acquire_request__descriptor ? "check.request_id" : NULL;
}

const char *rest_cursor_field(const struct rest_row *row)
{
	return rest_rpc(row)->input == &bursar__v1__events_request__descriptor ? "after" : NULL;
}

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
