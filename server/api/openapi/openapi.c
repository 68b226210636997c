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

static json_t *failure(struct openapi *openapi, const char *description)
{
	static const char *const groups[] = {"retry", NULL};
	json_t *answer = json_pack("{s:s, s:{s:{s:{s:s}}}}", "description", description, "content", "application/json",
		"schema", "$ref", "#/components/schemas/Status");

	openapi_add_headers(openapi, answer, groups);
	return answer;
}

/* A denial of a check: docs/api.md explains the headers. */
static json_t *denied(struct openapi *openapi)
{
	static const char *const groups[] = {"retry", "denial", "limits", NULL};
	json_t *answer = json_pack("{s:s, s:{s:{s:{s:[{s:s}, {s:s}]}}}}", "description",
		"Denied: the answer says by which limit. Wait for Retry-After; with `x-should-retry: false` do not repeat "
		"it. Or refused, as any call can be: a Status.",
		"content", "application/json", "schema", "anyOf", "$ref", "#/components/schemas/CheckResponse", "$ref",
		"#/components/schemas/Status");

	openapi_add_headers(openapi, answer, groups);
	return answer;
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

static void add_path(json_t *paths, json_t *tags, const struct rest_row *row, json_t *operation)
{
	const char *verb = rest_verbs[rest_verb_of(row->method)];
	char path[REST_SHOWN_MAX], lower[8] = "";
	json_t *item;

	for (size_t k = 0; verb[k]; k++)
		lower[k] = (char)(verb[k] | 0x20);
	rest_shown(row, path);
	item = json_object_get(paths, path);
	if (!item) {
		item = json_object();
		json_object_set_new(paths, path, item);
	}
	json_object_set_new(item, lower, operation);
	add_tag(tags, json_array_get(json_object_get(operation, "tags"), 0));
}

static void add_paths(struct openapi *openapi)
{
	json_t *paths = json_object(), *tags = json_array();

	for (size_t i = 0; i < rest_rows_count; i++)
		add_path(paths, tags, &rest_rows[i], openapi_operation(openapi, &rest_rows[i]));
	for (size_t i = 0; i < REST_OTHERS; i++)
		add_path(paths, tags, &rest_others[i].row, openapi_other(openapi, &rest_others[i]));
	json_object_set_new(openapi->document, "tags", tags);
	json_object_set_new(openapi->document, "paths", paths);
}

/* Answers first: what a request shares with them is called ...Input. */
static void add_answers(struct openapi *openapi)
{
	json_object_set(openapi->schemas, "Status", json_object_get(openapi->parts, "status"));
	for (size_t i = 0; i < rest_rows_count; i++)
		json_decref(openapi_message(openapi, rest_rpc(&rest_rows[i])->output, IN_ANSWER));
	json_object_update(openapi->schemas, json_object_get(openapi->parts, "schemas"));
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
			failure(openapi,
				"The request is refused: it is not valid (400), has no key (401) or not the rights (403), what it "
				"names does not exist (404) or is in the way (409), or there is too much at once (429)."),
			"Failed",
			failure(openapi, "Bursar or a store of it cannot answer. 503 has Retry-After: repeat it then."),
			"Changed",
			failure(openapi,
				"Somebody else has changed it since the etag was read, and nothing is changed: read it again."),
			"Denied", denied(openapi), "schemas", openapi->schemas));
	return openapi->document;
}

static char *document;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_once(void)
{
	struct openapi openapi = {.comments = comments_read(),
		.examples = json_loadb((const char *)bursar_examples, bursar_examples_size, 0, NULL),
		.parts = json_loadb((const char *)bursar_parts, bursar_parts_size, 0, NULL)};
	json_t *made = make(&openapi);

	document = json_dumps(made, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
	json_decref(made);
	json_decref(openapi.examples);
	json_decref(openapi.parts);
	comments_free(openapi.comments);
	arena_release(&openapi.arena);
}

void rest_openapi(struct buf *out)
{
	pthread_once(&once, make_once);
	buf_put_str(out, document);
}
