/*
 * Requests of HTTP: "METHOD /path?query", a newline, the body. The row is compared with a search through the table, and
 * the texts of the path with a decoder of a few lines.
 */
#include <string.h>

#include "api/rest/rest.h"
#include "base/utf8.h"
#include "fuzz/fuzz.h"

static char text[16384], body[4096];

/* Whether the path has the shape of the row's, segment by segment. */
static bool fits(const char *path, const char *row)
{
	while (*path == '/' && *row == '/') {
		size_t len = strcspn(++path, "/"), row_len = strcspn(++row, "/");

#ifdef PLANTED_BUG
		/* The mistake: an empty segment is taken for a variable. */
		if (*row != '{' && (len != row_len || memcmp(path, row, len) != 0))
#else
		if (*row == '{' ? !len : len != row_len || memcmp(path, row, len) != 0)
#endif
			return false;
		path += len;
		row += row_len;
	}
	return !*path && !*row;
}

static const struct rest_row *search(const char *method, const char *path, bool *other_method)
{
	const struct rest_row *found = NULL;

	*other_method = false;
	for (size_t i = 0; i < rest_rows_count; i++) {
		bool is_head = strcmp(method, "HEAD") == 0 && strcmp(rest_rows[i].method, "GET") == 0;

		if (!fits(path, rest_rows[i].path))
			continue;
		if (!is_head && strcmp(method, rest_rows[i].method) != 0) {
			*other_method = true;
			continue;
		}
		HOLDS(!found);
		found = &rest_rows[i];
	}
	return found;
}

static void decode(const struct rest_segment *segment, char out[sizeof(text)])
{
	size_t n = 0;

	for (size_t i = 0; i < segment->len; i++) {
		char hex[3] = {segment->text[i], 0, 0};

		if (segment->text[i] == '%') {
			hex[0] = segment->text[i + 1];
			hex[1] = segment->text[i + 2];
			hex[0] = (char)strtol(hex, NULL, 16);
			i += 2;
		}
		out[n++] = hex[0];
	}
	out[n] = '\0';
}

/* The text field at a dotted path; NULL when it is no text. */
static const char *text_at(const ProtobufCMessage *message, const char *path, size_t len)
{
	char name[64];

	HOLDS(len < sizeof(name));
	memcpy(name, path, len);
	name[len] = '\0';
	for (char *rest = name, *part; (part = strsep(&rest, ".")) != NULL;) {
		const ProtobufCFieldDescriptor *field =
			protobuf_c_message_descriptor_get_field_by_name(message->descriptor, part);
		const void *value = (const char *)message + field->offset;

		if (field->type == PROTOBUF_C_TYPE_STRING)
			return *(const char *const *)value;
		if (field->type != PROTOBUF_C_TYPE_MESSAGE)
			return NULL;
		message = *(const ProtobufCMessage *const *)value;
		HOLDS(message);
	}
	return NULL;
}

static void check_variables(const struct rest_row *row, const struct rest_match *match, const ProtobufCMessage *message)
{
	const char *at = row->path;

	for (size_t i = 0; i < match->count; i++) {
		static char expected[sizeof(text)];
		const char *value;

		at = strchr(at, '{') + 1;
		value = text_at(message, at, strcspn(at, "}"));
		decode(&match->variable[i], expected);
		HOLDS(!value || strcmp(value, expected) == 0);
	}
}

static void read_request(const struct rest_row *row, const struct rest_match *match, const char *query)
{
	const ProtobufCMessageDescriptor *type = rest_rpc(row)->input;
	struct arena arena = {0};
	ProtobufCMessage *message = arena_alloc(&arena, type->sizeof_message);
	struct err err = {0};

	protobuf_c_message_init(type, message);
	if (rest_request(row, match, query, body, strlen(body), message, &arena, &err)) {
		check_variables(row, match, message);
		HOLDS(row->body || !body[0]);
		HOLDS(protobuf_c_message_get_packed_size(message) <= 2 * sizeof(text) + 2 * sizeof(body));
	} else {
		HOLDS(err.code == ERR_INVALID && err.text[0] && utf8_valid(err.text, strlen(err.text)));
	}
	arena_release(&arena);
}

/* Splits "METHOD target" in place. */
static void request(char *line)
{
	char *path = strchr(line, ' '), *query;
	const struct rest_row *row, *expected;
	struct rest_match match;
	struct err err = {0};
	bool other_method;

	if (!path)
		return;
	*path++ = '\0';
	query = strchr(path, '?');
	if (query)
		*query++ = '\0';
	expected = search(line, path, &other_method);
	row = rest_find(line, path, strlen(path), &match, &err);
	HOLDS(row == expected || strlen(path) > REST_PATH_MAX);
	if (row)
		read_request(row, &match, query);
	else
		HOLDS(err.code == (match.allow[0] ? ERR_UNIMPLEMENTED : ERR_NOT_FOUND) &&
			(other_method == (match.allow[0] != '\0') || strlen(path) > REST_PATH_MAX) &&
			utf8_valid(err.text, strlen(err.text)) && utf8_valid(err.name, strlen(err.name)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line_end = memchr(data, '\n', size);
	size_t len = line_end ? (size_t)(line_end - data) : size, rest = line_end ? size - len - 1 : 0;

	if (len >= sizeof(text) || rest >= sizeof(body))
		return 0;
	memcpy(text, data, len);
	text[len] = '\0';
	if (rest)
		memcpy(body, line_end + 1, rest);
	body[rest] = '\0';
	request(text);
	return 0;
}
