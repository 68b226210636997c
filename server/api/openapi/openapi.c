/* The OpenAPI document as a whole. */
#include "api/openapi/openapi.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/openapi/private.h"
#include "api/rest/tree.h"
#include "base/embedded.h"

static const char about[] =
	"Bursar decides for each request of a bot whether it may run now, and computes what it cost.\n\n"
	"Every operation is the RPC of the same name of `bursar.v1`, with the same rights and the same answers. Times are "
	"microseconds since 1970-01-01 UTC (`_us`; RFC 3339 is accepted for points in time), money is nano-USD "
	"(1 USD = 1,000,000,000). Whole numbers of 64 bits are text in answers; requests may have text or numbers. Names "
	"are accepted in camelCase too, and enums without the name of their type. An id in a path is percent-encoded: "
	"`a%2Fb` is the id `a/b`.";

/* What follows a denial of a check: docs/api.md explains the headers. */
static const char denied[] =
	"{\"description\": \"Denied: the answer says by which limit. Wait for Retry-After; with `x-should-retry: false` do not repeat it. Or refused, as any call can be: a Status.\","
	"\"headers\": {"
	"\"Retry-After\": {\"description\": \"Seconds until it may pass; absent if waiting does not help.\", \"schema\": "
	"{\"type\": \"integer\", \"minimum\": 1, \"maximum\": 2147483}},"
	"\"retry-after-ms\": {\"description\": \"The same in milliseconds, if it is a few seconds.\", \"schema\": {\"type\": "
	"\"integer\", \"minimum\": 0}},"
	"\"x-should-retry\": {\"description\": \"`false` if it is more than a minute.\", \"schema\": {\"type\": \"string\", "
	"\"enum\": [\"false\"]}},"
	"\"RateLimit\": {\"description\": \"The limits, in the format of the IETF draft.\", \"schema\": {\"type\": \"string\"}},"
	"\"RateLimit-Policy\": {\"description\": \"Their amounts and windows.\", \"schema\": {\"type\": \"string\"}},"
	"\"X-RateLimit-Limit\": {\"description\": \"Of the limit that denied.\", \"schema\": {\"type\": \"integer\"}},"
	"\"X-RateLimit-Remaining\": {\"description\": \"Likewise.\", \"schema\": {\"type\": \"integer\"}},"
	"\"X-RateLimit-Reset\": {\"description\": \"Seconds from now.\", \"schema\": {\"type\": \"integer\"}},"
	"\"X-Bursar-Reason\": {\"description\": \"quota, budget, request_rate, ...\", \"schema\": {\"type\": \"string\"}},"
	"\"X-Bursar-Limit\": {\"description\": \"The name of the limit that denied.\", \"schema\": {\"type\": \"string\"}}},"
	"\"content\": {\"application/json\": {\"schema\": {\"anyOf\": [{\"$ref\": "
	"\"#/components/schemas/CheckResponse\"}, {\"$ref\": \"#/components/schemas/Status\"}]}}}}";

static const char status[] =
	"{\"type\": \"object\", \"description\": \"google.rpc.Status: what is wrong.\", \"required\": [\"code\", \"message\", "
	"\"details\"], \"properties\": {"
	"\"code\": {\"type\": \"integer\", \"format\": \"int32\", \"description\": \"A gRPC status code: 3 is "
	"INVALID_ARGUMENT.\"},"
	"\"message\": {\"type\": \"string\", \"description\": \"For people. It begins with the field, if one is to blame.\"},"
	"\"details\": {\"type\": \"array\", \"description\": \"google.rpc.BadRequest, ErrorInfo, RetryInfo.\", \"items\": "
	"{\"type\": \"object\", \"required\": [\"@type\"], \"properties\": {\"@type\": {\"type\": \"string\"}}}}},"
	"\"example\": {\"code\": 3, \"message\": \"user: must have 1 to 128 bytes\", \"details\": []}}";

/* Made by us, so it is valid. */
static json_t *json_of(const char *text)
{
	json_t *value = json_loads(text, 0, NULL);

	return value ? value : (abort(), NULL);
}

static json_t *failure(const char *description)
{
	return json_pack("{s:s, s:{s:{s:{s:s}}}}", "description", description, "content", "application/json", "schema",
		"$ref", "#/components/schemas/Status");
}

static void add_tag(json_t *tags, json_t *name)
{
	json_t *tag;
	size_t i;

	json_array_foreach(tags, i, tag)
	{
		if (json_equal(json_object_get(tag, "name"), name))
			return;
	}
	json_array_append_new(tags, json_pack("{s:O}", "name", name));
}

static void add_paths(struct openapi *openapi)
{
	json_t *paths = json_object(), *tags = json_array();

	for (size_t i = 0; i < rest_rows_count; i++) {
		const char *verb = rest_verbs[rest_verb_of(rest_rows[i].method)];
		json_t *operation = openapi_operation(openapi, &rest_rows[i]), *item;
		char path[REST_SHOWN_MAX];
		char lower[8] = "";

		for (size_t k = 0; verb[k]; k++)
			lower[k] = (char)(verb[k] | 0x20);
		rest_shown(&rest_rows[i], path);
		item = json_object_get(paths, path);
		if (!item) {
			item = json_object();
			json_object_set_new(paths, path, item);
		}
		json_object_set_new(item, lower, operation);
		add_tag(tags, json_array_get(json_object_get(operation, "tags"), 0));
	}
	json_object_set_new(openapi->document, "tags", tags);
	json_object_set_new(openapi->document, "paths", paths);
}

/* Answers first: what a request shares with them is called ...Input. */
static void add_answers(struct openapi *openapi)
{
	json_object_set_new(openapi->schemas, "Status", json_of(status));
	for (size_t i = 0; i < rest_rows_count; i++)
		json_decref(openapi_message(openapi, rest_rpc(&rest_rows[i])->output, IN_ANSWER));
}

static json_t *make(struct openapi *openapi)
{
	openapi->document = json_pack("{s:s, s:{s:s, s:s, s:s, s:{s:s, s:s}}, s:[{s:s}], s:[{s:[]}, {}]}", "openapi",
		"3.1.0", "info", "title", "Bursar", "version", BURSAR_VERSION, "description", about, "license", "name",
		"Apache-2.0", "identifier", "Apache-2.0", "servers", "url", "/", "security", "key");
	openapi->schemas = json_object();
	add_answers(openapi);
	add_paths(openapi);
	json_object_set_new(openapi->document, "components",
		json_pack("{s:{s:{s:s, s:s, s:s, s:s}}, s:{s:o, s:o, s:o, s:o}, s:o}", "securitySchemes", "key", "type",
			"http", "scheme", "bearer", "bearerFormat", "bsk_...", "description",
			"A key made by POST /v1/keys, in `Authorization: Bearer bsk_...`: the same header as gRPC's metadata "
			"has. Until the first key exists, callers on the same machine need none.",
			"responses", "Refused",
			failure("The request is refused: it is not valid (400), has no key (401) or not the rights (403), what it "
				"names does not exist (404) or is in the way (409), or there is too much at once (429)."),
			"Failed",
			failure("Bursar or a store of it cannot answer. 503 has Retry-After: repeat it then."),
			"Changed",
			failure("Somebody else has changed it since the etag was read, and nothing is changed: read it again."),
			"Denied", json_of(denied), "schemas", openapi->schemas));
	return openapi->document;
}

static char *document;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_once(void)
{
	struct openapi openapi = {.comments = comments_read(),
		.examples = json_loadb((const char *)bursar_examples, bursar_examples_size, 0, NULL)};
	json_t *made = make(&openapi);

	document = json_dumps(made, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
	json_decref(made);
	json_decref(openapi.examples);
	comments_free(openapi.comments);
	arena_release(&openapi.arena);
}

void rest_openapi(struct buf *out)
{
	pthread_once(&once, make_once);
	buf_put_str(out, document);
}
