/* The examples of OpenAPI: they are messages, and a request made of one is that request again. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json/json_message.h"
#include "api/openapi/private.h"
#include "api/rest/parameters.h"
#include "base/embedded.h"
#include "lib/test.h"
#include "rest_rows.h"

static struct openapi openapi;

static int open_examples(void **state)
{
	(void)state;
	openapi.examples =
		json_loadb((const char *)bursar_examples, bursar_examples_size, JSON_REJECT_DUPLICATES, NULL);
	return openapi.examples ? 0 : -1;
}

static int close_examples(void **state)
{
	(void)state;
	json_decref(openapi.examples);
	arena_release(&openapi.arena);
	return 0;
}
TEST_GROUP(open_examples, close_examples);

static void read_into(json_t *value, ProtobufCMessage *message, const struct rest_row *row)
{
	char *text = json_dumps(value, 0);
	struct err err;

	if (!json_read_message(text, strlen(text), message, &openapi.arena, &err))
		fail_msg("the example of %s: %s", row->rpc, err.text);
	free(text);
}

TEST(every_row_has_an_example_that_is_a_request_and_an_answer)
{
	for (size_t i = 0; i < rest_rows_count; i++) {
		const struct rest_row *row = &rest_rows[i];
		json_t *answer;

		if (!openapi_example(&openapi, row))
			fail_msg("server/api/openapi/examples.json has no %s", rest_rpc_name(row));
		read_into(openapi_example(&openapi, row), message_new(rest_rpc(row)->input, &openapi.arena), row);
		answer = openapi_example_answer(&openapi, row);
		if (!answer)
			fail_msg("the answer of %s is no %s", row->rpc, rest_rpc(row)->output->name);
		json_decref(answer);
	}
}

static void put_encoded(struct buf *out, const char *text)
{
	for (; *text; text++)
		if (strchr("-._~", *text) || (*text >= '0' && *text <= '9') ||
			((*text | 0x20) >= 'a' && (*text | 0x20) <= 'z'))
			buf_put_u8(out, (uint8_t)*text);
		else
			buf_putf(out, "%%%02X", (unsigned char)*text);
}

static void put_value(struct buf *out, json_t *value)
{
	char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);

	put_encoded(out, text ? text : json_string_value(value));
	free(text);
}

/* The row's path with the example's values. */
static void put_path(const struct rest_row *row, struct buf *out)
{
	for (const char *at = row->path; *at;) {
		size_t len = strcspn(at, "{"), end;
		char path[64];
		json_t *value;

		buf_put(out, at, len);
		at += len;
		if (!*at)
			return;
		end = strcspn(at, "}");
		snprintf(path, sizeof(path), "%.*s", (int)end - 1, at + 1);
		/* A word of an enum is asked for by the field, which is not at hand: `kind` is the only one. */
		value = strcmp(path, "ref.kind") == 0
				? json_string("user")
				: openapi_example_value(&openapi, row, path, &rest_rpc(row)->input->fields[0]);
		if (!value)
			fail_msg("the example of %s has no %s", row->rpc, path);
		put_value(out, value);
		json_decref(value);
		at += end + 1;
	}
}

static void put_parameter(const struct rest_row *row, const struct rest_parameter *parameter, struct buf *out)
{
	char path[128];
	json_t *value, *item;
	size_t i;

	snprintf(path, sizeof(path), "%s%s%s", parameter->lifted ? row->lift : "", parameter->lifted ? "." : "",
		parameter->field->name);
	value = openapi_example_value(&openapi, row, path, parameter->field);
	if (!value)
		return;
	json_array_foreach(value, i, item)
	{
		buf_putf(out, "&%s=", parameter->field->name);
		put_value(out, item);
	}
	if (!json_is_array(value)) {
		buf_putf(out, "&%s=", parameter->field->name);
		put_value(out, value);
	}
	json_decref(value);
}

static void put_query(const struct rest_row *row, struct buf *out)
{
	struct rest_parameter known[REST_PARAMETERS_MAX];
	size_t count = rest_parameters(row, known);

	for (size_t i = 0; i < count; i++)
		put_parameter(row, &known[i], out);
}

static char *body_of(const struct rest_row *row)
{
	json_t *body = openapi_example_body(&openapi, row);
	char *text = body ? json_dumps(body, 0) : strdup("");

	json_decref(body);
	return text;
}

static void is_the_example(const struct rest_row *row, const ProtobufCMessage *got)
{
	ProtobufCMessage *want = message_new(got->descriptor, &openapi.arena);
	struct buf got_text = {0}, want_text = {0};

	read_into(openapi_example(&openapi, row), want, row);
	json_write_message(got, &got_text);
	json_write_message(want, &want_text);
	assert_string_equal(buf_str(&got_text), buf_str(&want_text));
	buf_release(&got_text);
	buf_release(&want_text);
}

TEST(an_example_sent_as_http_is_read_as_itself)
{
	for (size_t i = 0; i < rest_rows_count; i++) {
		const struct rest_row *row = &rest_rows[i];
		ProtobufCMessage *message = message_new(rest_rpc(row)->input, &openapi.arena);
		struct buf path = {0}, query = {0};
		struct rest_match match;
		struct err err = {0};
		char *body = body_of(row);

		put_path(row, &path);
		put_query(row, &query);
		assert_ptr_equal(rest_find(row->method, buf_str(&path), path.len, &match, &err), row);
		if (!rest_request(row, &match, buf_str(&query), body, strlen(body), message, &openapi.arena, &err))
			fail_msg("%s %s?%s: %s", row->method, buf_str(&path), buf_str(&query), err.text);
		is_the_example(row, message);
		free(body);
		buf_release(&path);
		buf_release(&query);
	}
}
