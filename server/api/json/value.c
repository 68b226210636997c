/* Values of fields that are not messages, from JSON or from plain text. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/json/json_message.h"
#include "api/json/reader.h"
#include "base/text/json_token.h"
#include "base/utf8.h"

enum { FAST_DIGITS = 18 }; /* that fit into 64 bits in any case */

/* A number of JSON as a whole number of 64 bits. */
struct whole {
	bool minus, fraction, too_large;
	uint64_t size;
};

static int64_t exponent(const char *p, const char *end)
{
	bool minus = p < end && *p == '-';
	int64_t value = 0;

	for (p += p < end && (*p == '-' || *p == '+'); p < end; p++)
		if (value < INT32_MAX) /* more than a text has digits */
			value = value * 10 + (*p - '0');
	return minus ? -value : value;
}

static void add_digit(struct whole *whole, unsigned digit)
{
	whole->too_large |= __builtin_mul_overflow(whole->size, 10, &whole->size) ||
			    __builtin_add_overflow(whole->size, digit, &whole->size);
}

static struct whole whole_of(const char *text, size_t len)
{
	const char *end = text + len, *e = text;
	struct whole whole = {.minus = *text == '-'};
	int64_t places; /* digits of the whole part that are still to come */

	while (e < end && *e != 'e' && *e != 'E')
		e++;
	places = e < end ? exponent(e + 1, end) : 0;
	text += whole.minus;
	for (const char *p = text; p < e && *p != '.'; p++)
		places++;
	for (const char *p = text; p < e; p++) {
		if (*p == '.')
			continue;
		if (places-- > 0)
			add_digit(&whole, (unsigned)(*p - '0'));
		else
			whole.fraction |= *p != '0';
	}
	for (; places > 0 && whole.size && !whole.too_large; places--)
		add_digit(&whole, 0);
	return whole;
}

/* Nearly all numbers are short and have digits only. */
static bool whole_fast(const struct json_value *value, uint64_t *out)
{
	uint64_t sum = 0;

	if (!value->len || value->len > FAST_DIGITS)
		return false;
	for (size_t i = 0; i < value->len; i++) {
		unsigned digit = (unsigned char)value->text[i] - (unsigned)'0';

		if (digit > 9)
			return false;
		sum = sum * 10 + digit;
	}
	*out = sum;
	return true;
}

static bool has_text(const struct json_value *value)
{
	return value->kind == JSON_IS_NUMBER || value->kind == JSON_IS_STRING || value->kind == JSON_IS_PLAIN;
}

static bool is_number(const struct json_value *value)
{
	return has_text(value) && value->len && json_number_len(value->text, value->text + value->len) == value->len;
}

static bool outside(struct json_reader *reader, const struct json_value *value, int64_t least, uint64_t most)
{
	return json_wrong(reader, "must be %" PRId64 " to %" PRIu64 ", not %.*s", least, most,
		(int)(value->len < 40 ? value->len : 40), value->text);
}

/* A whole number in its bounds, in two's complement. `number`: it may be anything else than a number as well. */
static bool read_whole(
	struct json_reader *reader, const struct json_value *value, int64_t least, uint64_t most, uint64_t *out)
{
	struct whole whole = {.fraction = true};

	if (has_text(value) && whole_fast(value, out))
		return *out <= most || outside(reader, value, least, most);
	if (is_number(value))
		whole = whole_of(value->text, value->len);
	if (whole.fraction)
		return json_wrong_kind(reader, value, "a whole number");
	if (whole.too_large || whole.size > (whole.minus ? UINT64_C(0) - (uint64_t)least : most))
		return outside(reader, value, least, most);
	*out = whole.minus ? UINT64_C(0) - whole.size : whole.size;
	return true;
}

static bool read_int32(struct json_reader *reader, const struct json_value *value, int32_t *out)
{
	uint64_t number = 0;

	if (!read_whole(reader, value, INT32_MIN, INT32_MAX, &number))
		return false;
	*out = (int32_t)(int64_t)number;
	return true;
}

static bool read_uint32(struct json_reader *reader, const struct json_value *value, uint32_t *out)
{
	uint64_t number = 0;

	if (!read_whole(reader, value, 0, UINT32_MAX, &number))
		return false;
	*out = (uint32_t)number;
	return true;
}

static bool read_int64(
	struct json_reader *reader, const ProtobufCFieldDescriptor *field, const struct json_value *value, int64_t *out)
{
	uint64_t number = 0;

	if (!is_number(value) && json_is_time(field)) {
		if ((value->kind == JSON_IS_STRING || value->kind == JSON_IS_PLAIN) &&
			json_time_parse(value->text, value->len, out))
			return true;
		return json_wrong_kind(
			reader, value, "microseconds since 1970, or a time such as 2026-11-23T17:00:00Z");
	}
	if (!read_whole(reader, value, INT64_MIN, INT64_MAX, &number))
		return false;
	*out = (int64_t)number;
	return true;
}

static bool is_text(const struct json_value *value, const char *text)
{
	return has_text(value) && value->len == strlen(text) && memcmp(value->text, text, value->len) == 0;
}

/* `single`: of a float, which the text is rounded to once. */
static bool read_double(struct json_reader *reader, const struct json_value *value, bool single, double *out)
{
	char *copy;

	if (is_text(value, "NaN") || is_text(value, "Infinity") || is_text(value, "-Infinity")) {
		*out = value->text[0] == 'N' ? NAN : value->text[0] == '-' ? -INFINITY : INFINITY;
		return true;
	}
	if (!is_number(value))
		return json_wrong_kind(reader, value, "a number");
	copy = arena_strndup(reader->arena, value->text, value->len);
	*out = single ? (double)strtof(copy, NULL) : strtod(copy, NULL);
	return !isinf(*out) ||
	       json_wrong_kind(reader, value, single ? "a number that a float holds" : "a number that a double holds");
}

static bool read_bool(struct json_reader *reader, const struct json_value *value, protobuf_c_boolean *out)
{
	bool plain = value->kind == JSON_IS_PLAIN;
	bool yes = value->kind == JSON_IS_TRUE || (plain && is_text(value, "true"));

	if (!yes && value->kind != JSON_IS_FALSE && !(plain && is_text(value, "false")))
		return json_wrong_kind(reader, value, "true or false");
	*out = yes;
	return true;
}

static bool read_enum(
	struct json_reader *reader, const ProtobufCEnumDescriptor *type, const struct json_value *value, int32_t *out)
{
	const ProtobufCEnumValue *row = NULL;

	if (is_number(value))
		return read_int32(reader, value, out);
	if (!has_text(value))
		return json_wrong_kind(reader, value, "a name in quotes");
	row = json_enum_value(type, value->text, value->len);
	if (!row)
		return json_unknown_enum(reader, type, value);
	*out = row->value;
	return true;
}

static bool read_string(struct json_reader *reader, const struct json_value *value, char **out)
{
	if (value->kind != JSON_IS_STRING && value->kind != JSON_IS_PLAIN)
		return json_wrong_kind(reader, value, "a string in quotes");
	*out = arena_strndup(reader->arena, value->text, value->len);
	return true;
}

static bool read_bytes(struct json_reader *reader, const struct json_value *value, ProtobufCBinaryData *out)
{
	ProtobufCBinaryData bytes;

	if (value->kind != JSON_IS_STRING && value->kind != JSON_IS_PLAIN)
		return json_wrong_kind(reader, value, "base64 in quotes");
	bytes.data = arena_alloc(reader->arena, value->len / 4 * 3 + 2);
	if (!json_base64_read(value->text, value->len, bytes.data, &bytes.len))
		return json_wrong_kind(reader, value, "base64");
	*out = bytes;
	return true;
}

static bool read_float(struct json_reader *reader, const struct json_value *value, float *out)
{
	double number = 0;

	if (!read_double(reader, value, true, &number))
		return false;
	*out = (float)number;
	return true;
}

bool json_set_scalar(
	struct json_reader *reader, const ProtobufCFieldDescriptor *field, const struct json_value *value, void *out)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return read_int32(reader, value, out);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return read_uint32(reader, value, out);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return read_int64(reader, field, value, out);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return read_whole(reader, value, 0, UINT64_MAX, out);
	case PROTOBUF_C_TYPE_FLOAT:
		return read_float(reader, value, out);
	case PROTOBUF_C_TYPE_DOUBLE:
		return read_double(reader, value, false, out);
	case PROTOBUF_C_TYPE_BOOL:
		return read_bool(reader, value, out);
	case PROTOBUF_C_TYPE_ENUM:
		return read_enum(reader, field->descriptor, value, out);
	case PROTOBUF_C_TYPE_STRING:
		return read_string(reader, value, out);
	case PROTOBUF_C_TYPE_BYTES:
		return read_bytes(reader, value, out);
	case PROTOBUF_C_TYPE_MESSAGE:
		break; /* the caller reads it */
	}
	return json_wrong(reader, "cannot be set from a single value");
}
