/*
 * Records as JSON, the form in which every language's client keeps them (c/spool/private.h): names in camelCase,
 * 64-bit numbers as text, and nothing that has its default. RecordRequest has fields of these types only, none of
 * them repeated: tests/unit/client/test_spool_json.c looks whether that is still so.
 */
#include "c/spool/private.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void bursar__json_name(const char *name, char out[64])
{
	size_t len = 0;

	for (const char *p = name; *p && len < 63; p++) {
		bool raised = p[0] == '_' && p[1];

		p += raised;
		out[len++] = raised ? (char)toupper((unsigned char)*p) : *p;
	}
	out[len] = '\0';
}

static void put_text(struct bytes *out, const char *text)
{
	char escape[8];

	bursar__bytes_put(out, "\"", 1);
	for (const char *p = text; *p; p++) {
		if (*p == '"' || *p == '\\')
			bursar__bytes_put(out, "\\", 1);
		if ((unsigned char)*p >= ' ') {
			bursar__bytes_put(out, p, 1);
			continue;
		}
		snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)*p);
		bursar__bytes_put_text(out, escape);
	}
	bursar__bytes_put(out, "\"", 1);
}

static void put_message(struct bytes *out, const ProtobufCMessage *message);

/* The value of a field; false, and nothing, when it is the default. */
static bool put_value(struct bytes *out, const ProtobufCFieldDescriptor *field, const char *at)
{
	char number[24] = "";

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		if (!**(const char *const *)at)
			return false;
		put_text(out, *(const char *const *)at);
		return true;
	case PROTOBUF_C_TYPE_MESSAGE:
		if (!*(const ProtobufCMessage *const *)at)
			return false;
		put_message(out, *(const ProtobufCMessage *const *)at);
		return true;
	case PROTOBUF_C_TYPE_BOOL:
		bursar__bytes_put_text(out, "true");
		return *(const protobuf_c_boolean *)at;
	case PROTOBUF_C_TYPE_INT32:
		snprintf(number, sizeof(number), "%" PRId32, *(const int32_t *)at);
		break;
	case PROTOBUF_C_TYPE_INT64:
		snprintf(number, sizeof(number), "\"%" PRId64 "\"", *(const int64_t *)at);
		break;
	default:
		assert(false);
	}
	bursar__bytes_put_text(out, number);
	return strcmp(number, "0") != 0 && strcmp(number, "\"0\"") != 0;
}

static void put_message(struct bytes *out, const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;
	const char *comma = "";
	char name[64];

	bursar__bytes_put_text(out, "{");
	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
		size_t before = out->len;

		bursar__json_name(field->name, name);
		bursar__bytes_put_text(out, comma);
		put_text(out, name);
		bursar__bytes_put_text(out, ":");
		if (put_value(out, field, (const char *)message + field->offset))
			comma = ",";
		else
			out->len = before;
	}
	bursar__bytes_put_text(out, "}");
}

void bursar__record_write(struct bytes *out, const Bursar__V1__RecordRequest *record)
{
	put_message(out, &record->base);
	bursar__bytes_put_text(out, "\n");
}
