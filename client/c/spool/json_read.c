/*
 * Records from JSON (c/spool/private.h), as the clients of every language write them: names in camelCase or as in the
 * .proto files, numbers as text or not. A member that is not known is a later version's, and left out. The text
 * becomes the bytes of the message, which protobuf-c reads.
 */
#include "c/spool/private.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32 };

struct reader {
	const char *p; /* ends with a 0 */
	int depth;
};

static char next(struct reader *reader)
{
	while (*reader->p == ' ' || *reader->p == '\t' || *reader->p == '\n' || *reader->p == '\r')
		reader->p++;
	return *reader->p;
}

static bool next_is(struct reader *reader, char c)
{
	bool is = next(reader) == c;

	reader->p += is;
	return is;
}

static bool word_is(struct reader *reader, const char *word)
{
	bool is = strncmp(reader->p, word, strlen(word)) == 0;

	reader->p += is ? strlen(word) : 0;
	return is;
}

static bool read_hex(struct reader *reader, uint32_t *code)
{
	*code = 0;
	for (int i = 0; i < 4; i++) {
		char c = *reader->p;

		if (!isxdigit((unsigned char)c))
			return false;
		*code = *code * 16 + (uint32_t)(isdigit((unsigned char)c) ? c - '0' : (c | ' ') - 'a' + 10);
		reader->p++;
	}
	return true;
}

static void put_utf8(struct bytes *out, uint32_t code)
{
	uint8_t bytes[4];
	size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const uint8_t first[] = {0, 0x00, 0xc0, 0xe0, 0xf0};

	for (size_t i = len - 1; i > 0; i--) {
		bytes[i] = (uint8_t)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	bytes[0] = (uint8_t)(first[len] | code);
	bursar__bytes_put(out, bytes, len);
}

/* What follows \u. No text of ours holds a 0, with which it would end too early. */
static bool read_code(struct reader *reader, struct bytes *out)
{
	uint32_t code, low;

	if (!read_hex(reader, &code) || code == 0 || (code >= 0xdc00 && code < 0xe000))
		return false;
	if (code >= 0xd800 && code < 0xdc00) {
		if (!word_is(reader, "\\u") || !read_hex(reader, &low) || low < 0xdc00 || low >= 0xe000)
			return false;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	put_utf8(out, code);
	return true;
}

static bool read_escape(struct reader *reader, struct bytes *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found = *reader->p ? strchr(from, *reader->p) : NULL;

	if (!found)
		return word_is(reader, "u") && read_code(reader, out);
	reader->p++;
	bursar__bytes_put(out, &to[found - from], 1);
	return true;
}

/* A string, without its quotes; a 0 follows that `len` does not count. Free out->data in any case. */
static bool read_text(struct reader *reader, struct bytes *out)
{
	if (!next_is(reader, '"'))
		return false;
	while (*reader->p != '"') {
		if ((unsigned char)*reader->p < ' ')
			return false; /* the end, or a control character */
		if (*reader->p != '\\')
			bursar__bytes_put(out, reader->p++, 1);
		else if (reader->p++, !read_escape(reader, out))
			return false;
	}
	reader->p++;
	bursar__bytes_put(out, "", 1);
	out->len--;
	return true;
}

static bool skip_number(struct reader *reader)
{
	const char *start = reader->p;

	while (isalnum((unsigned char)*reader->p) || (*reader->p && strchr("+-.", *reader->p)))
		reader->p++;
	return reader->p > start;
}

/* One member of an object or item of a list, `name` being that of the member. */
typedef bool read_member(struct reader *reader, const char *name, void *ctx);

static bool read_object(struct reader *reader, read_member *member, void *ctx)
{
	bool well = next_is(reader, '{') && ++reader->depth <= DEPTH_MAX, first = true;

	while (well && !next_is(reader, '}')) {
		struct bytes name = {0};

		well = (first || next_is(reader, ',')) && read_text(reader, &name) && next_is(reader, ':') &&
		       member(reader, (const char *)name.data, ctx);
		free(name.data);
		first = false;
	}
	reader->depth--;
	return well;
}

static bool skip_value(struct reader *reader, const char *name, void *ctx);

static bool skip_list(struct reader *reader)
{
	bool well = next_is(reader, '[') && ++reader->depth <= DEPTH_MAX, first = true;

	while (well && !next_is(reader, ']')) {
		well = (first || next_is(reader, ',')) && skip_value(reader, NULL, NULL);
		first = false;
	}
	reader->depth--;
	return well;
}

static bool skip_value(struct reader *reader, const char *name, void *ctx)
{
	struct bytes text = {0};
	bool well;

	(void)name;
	(void)ctx;
	switch (next(reader)) {
	case '{':
		return read_object(reader, skip_value, NULL);
	case '[':
		return skip_list(reader);
	case '"':
		well = read_text(reader, &text);
		free(text.data);
		return well;
	default: /* a number, true, false or null */
		return skip_number(reader);
	}
}

/* A message that is being read: what its members are, and its bytes. */
struct target {
	const ProtobufCMessageDescriptor *descriptor;
	struct bytes bytes;
};

static void put_varint(struct bytes *out, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		bursar__bytes_put(out, &(uint8_t){(uint8_t)(value | 0x80)}, 1);
	bursar__bytes_put(out, &(uint8_t){(uint8_t)value}, 1);
}

static void put_number(struct bytes *out, uint32_t id, uint64_t value)
{
	put_varint(out, (uint64_t)id << 3);
	put_varint(out, value);
}

static void put_bytes(struct bytes *out, uint32_t id, const struct bytes *value)
{
	put_varint(out, (uint64_t)id << 3 | 2);
	put_varint(out, value->len);
	bursar__bytes_put(out, value->data, value->len);
}

static bool parse_number(const char *text, int64_t least, int64_t most, int64_t *out)
{
	char *end;

	if (!isdigit((unsigned char)text[text[0] == '-']))
		return false;
	errno = 0;
	*out = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0' && *out >= least && *out <= most;
}

/* A whole number, as text or not. */
static bool read_number(struct reader *reader, int64_t least, int64_t most, int64_t *out)
{
	struct bytes text = {0};
	const char *start;
	bool well;

	if (next(reader) == '"') {
		well = read_text(reader, &text);
	} else {
		start = reader->p;
		well = skip_number(reader);
		bursar__bytes_put(&text, start, (size_t)(reader->p - start));
		bursar__bytes_put(&text, "", 1);
	}
	well = well && parse_number((const char *)text.data, least, most, out);
	free(text.data);
	return well;
}

static bool read_field(struct reader *reader, const char *name, void *ctx);

static bool read_value(struct reader *reader, const ProtobufCFieldDescriptor *field, struct bytes *out)
{
	struct target inner = {.descriptor = field->descriptor};
	struct bytes text = {0};
	int64_t number = 0;
	bool well = false, is_long = field->type == PROTOBUF_C_TYPE_INT64;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		well = read_text(reader, &text);
		put_bytes(out, field->id, &text);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		well = read_object(reader, read_field, &inner);
		put_bytes(out, field->id, &inner.bytes);
		break;
	case PROTOBUF_C_TYPE_BOOL:
		number = word_is(reader, "true");
		well = number || word_is(reader, "false");
		put_number(out, field->id, (uint64_t)number);
		break;
	default: /* INT32, INT64: see json_write.c */
		well = read_number(reader, is_long ? INT64_MIN : INT32_MIN, is_long ? INT64_MAX : INT32_MAX, &number);
		put_number(out, field->id, (uint64_t)number);
	}
	free(text.data);
	free(inner.bytes.data);
	return well;
}

static bool read_field(struct reader *reader, const char *name, void *ctx)
{
	struct target *target = ctx;
	char json_name[64];

	next(reader);
	if (word_is(reader, "null"))
		return true;
	for (unsigned i = 0; i < target->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &target->descriptor->fields[i];

		bursar__json_name(field->name, json_name);
		if (strcmp(name, json_name) == 0 || strcmp(name, field->name) == 0)
			return read_value(reader, field, &target->bytes);
	}
	return skip_value(reader, name, NULL);
}

Bursar__V1__RecordRequest *bursar__record_read(const struct bytes *text)
{
	struct target target = {.descriptor = &bursar__v1__record_request__descriptor};
	struct reader reader = {.p = (const char *)text->data};
	Bursar__V1__RecordRequest *record = NULL;

	if (read_object(&reader, read_field, &target) && next(&reader) == '\0' &&
		reader.p == (const char *)text->data + text->len)
		record = bursar__v1__record_request__unpack(NULL, target.bytes.len, target.bytes.data);
	free(target.bytes.data);
	return record;
}
