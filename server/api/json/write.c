/* Writes messages as JSON (api/json/json_message.h), straight into the buffer. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json/json_message.h"
#include "api/json/reader.h"
#include "base/text/json_token.h"
#include "base/utf8.h"
#include "bursar/v1/admin.pb-c.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/rpc/error_details.pb-c.h"

enum { FIRST_METERS = 7, NUMBER_MAX = 32 };

/* The shortest decimal that reads back as the same number. */
static void put_double(double value, bool is_float, struct buf *out)
{
	char text[NUMBER_MAX];

	if (isnan(value) || isinf(value)) {
		buf_put_str(out, isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
		return;
	}
	for (int digits = is_float ? 6 : 15; digits <= (is_float ? 9 : 17); digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (is_float ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value)
			break;
	}
	buf_put_str(out, text);
}

static void put_int64(int64_t value, struct buf *out)
{
	char *to = buf_reserve(out, DEC_MAX + 2);
	size_t len = dec_put(to + 1, value);

	to[0] = to[len + 1] = '"';
	to[len + 2] = '\0';
	out->len += len + 2;
}

static void put_uint64(uint64_t value, struct buf *out)
{
	if (value <= INT64_MAX)
		put_int64((int64_t)value, out);
	else
		buf_putf(out, "\"%" PRIu64 "\"", value);
}

static void put_enum(const ProtobufCEnumDescriptor *type, int value, struct buf *out)
{
	const ProtobufCEnumValue *row = protobuf_c_enum_descriptor_get_value(type, value);

	if (!row) {
		buf_put_dec(out, value);
		return;
	}
	buf_put(out, "\"", 1);
	buf_put_str(out, row->name);
	buf_put(out, "\"", 1);
}

/* The types of the details of a google.rpc.Status. */
static const ProtobufCMessageDescriptor *const known_types[] = {&google__rpc__bad_request__descriptor,
	&google__rpc__retry_info__descriptor, &google__rpc__error_info__descriptor};

static void put_fields(const ProtobufCMessage *message, bool first, struct buf *out);

static const ProtobufCMessageDescriptor *known_type(const char *url)
{
	const char *slash = strrchr(url, '/'), *name = slash ? slash + 1 : url;

	for (size_t i = 0; i < sizeof(known_types) / sizeof(known_types[0]); i++)
		if (strcmp(known_types[i]->name, name) == 0)
			return known_types[i];
	return NULL;
}

/* {"@type": ..., and the fields}; of a type that is not known, the bytes. */
static void put_any(const Google__Protobuf__Any *any, struct buf *out)
{
	const ProtobufCMessageDescriptor *type = known_type(any->type_url);
	ProtobufCMessage *inner = type ? protobuf_c_message_unpack(type, NULL, any->value.len, any->value.data) : NULL;

	buf_put_str(out, "{\"@type\":");
	json_write_text(any->type_url, out);
	if (inner) {
		put_fields(inner, false, out);
		protobuf_c_message_free_unpacked(inner, NULL);
	} else {
		buf_put_str(out, ",\"value\":\"");
		json_base64_write(any->value.data, any->value.len, out);
		buf_put_str(out, "\"");
	}
	buf_put(out, "}", 1);
}

static void put_duration(const Google__Protobuf__Duration *duration, struct buf *out)
{
	bool minus = duration->seconds < 0 || duration->nanos < 0;
	int nanos = abs(duration->nanos);

	buf_putf(out, "\"%s%" PRIu64, minus ? "-" : "",
		minus ? UINT64_C(0) - (uint64_t)duration->seconds : (uint64_t)duration->seconds);
	if (nanos % 1000)
		buf_putf(out, ".%09d", nanos);
	else if (nanos % 1000000)
		buf_putf(out, ".%06d", nanos / 1000);
	else if (nanos)
		buf_putf(out, ".%03d", nanos / 1000000);
	buf_put_str(out, "s\"");
}

static void put_message(const ProtobufCMessage *message, struct buf *out)
{
	if (message->descriptor == &google__protobuf__any__descriptor) {
		put_any((const Google__Protobuf__Any *)message, out);
	} else if (message->descriptor == &google__protobuf__duration__descriptor) {
		put_duration((const Google__Protobuf__Duration *)message, out);
	} else {
		buf_put(out, "{", 1);
		put_fields(message, true, out);
		buf_put(out, "}", 1);
	}
}

static void put_number(const ProtobufCFieldDescriptor *field, const void *p, struct buf *out)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		put_int64(*(const int64_t *)p, out);
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		put_uint64(*(const uint64_t *)p, out);
		break;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		buf_put_dec(out, *(const uint32_t *)p);
		break;
	case PROTOBUF_C_TYPE_FLOAT:
		put_double((double)*(const float *)p, true, out);
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		put_double(*(const double *)p, false, out);
		break;
	default: /* the signed ones of 32 bits */
		buf_put_dec(out, *(const int32_t *)p);
		break;
	}
}

static void put_bytes(const ProtobufCBinaryData *bytes, struct buf *out)
{
	buf_put(out, "\"", 1);
	json_base64_write(bytes->data, bytes->len, out);
	buf_put(out, "\"", 1);
}

/* The value at `p`, which has the field's type. */
static void put_value(const ProtobufCFieldDescriptor *field, const void *p, struct buf *out)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_BOOL:
		buf_put_str(out, *(const protobuf_c_boolean *)p ? "true" : "false");
		break;
	case PROTOBUF_C_TYPE_ENUM:
		put_enum(field->descriptor, *(const int *)p, out);
		break;
	case PROTOBUF_C_TYPE_STRING:
		json_write_text(*(const char *const *)p, out);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		put_bytes(p, out);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		put_message(*(const ProtobufCMessage *const *)p, out);
		break;
	default:
		put_number(field, p, out);
		break;
	}
}

static void put_list(const ProtobufCFieldDescriptor *field, const char *items, size_t count, struct buf *out)
{
	size_t size = json_value_size(field);

	buf_put(out, "[", 1);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_put(out, ",", 1);
		put_value(field, items + i * size, out);
	}
	buf_put(out, "]", 1);
}

/* A map is a list of messages that protoc has made inside of the message. Those of the API have text as keys. */
static bool is_map(const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *field)
{
	const ProtobufCMessageDescriptor *entry = field->descriptor;
	size_t len = strlen(type->name);

	return field->type == PROTOBUF_C_TYPE_MESSAGE && entry->n_fields == 2 &&
	       strcmp(entry->fields[0].name, "key") == 0 && entry->fields[0].type == PROTOBUF_C_TYPE_STRING &&
	       strcmp(entry->fields[1].name, "value") == 0 && strncmp(entry->name, type->name, len) == 0 &&
	       entry->name[len] == '.';
}

static void put_map(const ProtobufCMessageDescriptor *entry, const char *const *entries, size_t count, struct buf *out)
{
	const ProtobufCFieldDescriptor *key = &entry->fields[0], *value = &entry->fields[1];

	buf_put(out, "{", 1);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_put(out, ",", 1);
		put_value(key, entries[i] + key->offset, out);
		buf_put(out, ":", 1);
		put_value(value, entries[i] + value->offset, out);
	}
	buf_put(out, "}", 1);
}

static bool is_meters(const ProtobufCMessageDescriptor *type)
{
	return type == &bursar__v1__token_usage__descriptor || type == &bursar__v1__token_change__descriptor;
}

static bool is_written(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	const char *base = (const char *)message;

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return true;
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return *(const uint32_t *)(const void *)(base + field->quantifier_offset) == field->id;
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return *(const void *const *)(const void *)(base + field->offset) != NULL;
	/* Nearly no request uses most of the many meters. */
	if (field->id > FIRST_METERS && is_meters(message->descriptor))
		return *(const int64_t *)(const void *)(base + field->offset) != 0;
	return true;
}

static void put_name(const char *name, bool comma, struct buf *out)
{
	size_t len = strlen(name);
	char *to = buf_reserve(out, len + 4);

	*to = ',';
	to += comma;
	*to++ = '"';
	memcpy(to, name, len);
	memcpy(to + len, "\":", 3);
	out->len += len + 3 + comma;
}

static void put_fields(const ProtobufCMessage *message, bool first, struct buf *out)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	const char *base = (const char *)message;

	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		const void *p = base + field->offset;

		if (!is_written(message, field))
			continue;
		put_name(field->name, !first, out);
		first = false;
		if (field->label != PROTOBUF_C_LABEL_REPEATED)
			put_value(field, p, out);
		else if (is_map(type, field))
			put_map(field->descriptor, *(const char *const *const *)p,
				*(const size_t *)(const void *)(base + field->quantifier_offset), out);
		else
			put_list(field, *(const char *const *)p,
				*(const size_t *)(const void *)(base + field->quantifier_offset), out);
	}
}

void json_write_message(const ProtobufCMessage *message, struct buf *out)
{
	put_message(message, out);
}
