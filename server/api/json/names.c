/* Names of fields and of values of enums, and what was meant by those that do not exist. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/json/json_message.h"
#include "api/json/reader.h"
#include "base/text/distance.h"

enum { TYPED_MAX = 63 };

/* Is `name` what protobuf makes of the field's name: without underscores, and the letter after each is upper case? */
static bool is_camel(const char *field, const char *name, size_t len)
{
	size_t i = 0;

	for (; *field; field++) {
		char c = *field;

		if (c == '_') {
			c = *++field;
			if (!c)
				break;
			if (c >= 'a' && c <= 'z')
				c = (char)(c - 'a' + 'A');
		}
		if (i == len || name[i++] != c)
			return false;
	}
	return i == len;
}

const ProtobufCFieldDescriptor *json_field(const ProtobufCMessageDescriptor *type, const char *name, size_t len)
{
	unsigned from = 0, to = type->n_fields;

	while (from < to) {
		unsigned mid = from + (to - from) / 2;
		const ProtobufCFieldDescriptor *field = &type->fields[type->fields_sorted_by_name[mid]];
		int order = strncmp(name, field->name, len);

		if (order == 0 && !field->name[len])
			return field;
		if (order <= 0)
			to = mid;
		else
			from = mid + 1;
	}
	for (unsigned i = 0; i < type->n_fields; i++)
		if (is_camel(type->fields[i].name, name, len))
			return &type->fields[i];
	return NULL;
}

/* A name as it was typed, cut, in snake_case: what the names that exist are compared with. */
static void typed(const char *name, size_t len, char out[TYPED_MAX + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < len && n < TYPED_MAX; i++) {
		bool upper = name[i] >= 'A' && name[i] <= 'Z';

		if (upper && i > 0 && name[i - 1] >= 'a' && name[i - 1] <= 'z' && n + 1 < TYPED_MAX)
			out[n++] = '_';
		out[n++] = (char)(upper ? name[i] | 0x20 : name[i]);
	}
	out[n] = '\0';
}

bool json_unknown(struct json_reader *reader, const ProtobufCMessageDescriptor *type, const char *name, size_t len)
{
	char text[TYPED_MAX + 1], shown[TYPED_MAX + 1];
	struct meant meant = {.typed = text};
	struct json_place place = {.outer = reader->at, .name = shown};

	typed(name, len, text);
	for (unsigned i = 0; i < type->n_fields; i++)
		meant_try(&meant, type->fields[i].name);
	snprintf(shown, sizeof(shown), "%.*s", len == 0 ? 2 : (int)(len < TYPED_MAX ? len : TYPED_MAX),
		len ? name : "\"\"");
	reader->at = &place;
	if (meant.name[0])
		json_wrong(reader, "no such field of %s; did you mean '%s'?", type->short_name, meant.name);
	else
		json_wrong(reader, "no such field of %s", type->short_name);
	reader->at = place.outer;
	return false;
}

/* The length of the prefix that the names of an enum have in common: of DIMENSION_ for DIMENSION_UNSPECIFIED. */
static size_t prefix_len(const ProtobufCEnumDescriptor *type)
{
	static const char last[] = "UNSPECIFIED";
	const ProtobufCEnumValue *zero = protobuf_c_enum_descriptor_get_value(type, 0);
	size_t len = zero ? strlen(zero->name) : 0;

	if (len < sizeof(last) || strcmp(zero->name + len - strlen(last), last) != 0)
		return 0;
	return len - strlen(last);
}

static const char *without_prefix(const ProtobufCEnumDescriptor *type, size_t prefix, const char *name)
{
	const ProtobufCEnumValue *zero = protobuf_c_enum_descriptor_get_value(type, 0);

	return prefix && strncmp(name, zero->name, prefix) == 0 ? name + prefix : name;
}

const ProtobufCEnumValue *json_enum_value(const ProtobufCEnumDescriptor *type, const char *name, size_t len)
{
	size_t prefix = prefix_len(type);

	for (unsigned i = 0; len && i < type->n_values; i++) {
		const char *full = type->values[i].name, *rest = without_prefix(type, prefix, full);

		if ((strncasecmp(full, name, len) == 0 && !full[len]) ||
			(strncasecmp(rest, name, len) == 0 && !rest[len]))
			return &type->values[i];
	}
	return NULL;
}

bool json_unknown_enum(struct json_reader *reader, const ProtobufCEnumDescriptor *type, const struct json_value *value)
{
	char text[TYPED_MAX + 1], name[TYPED_MAX + 1], room[256];
	struct meant meant = {.typed = text};
	struct buf list = buf_on(room, sizeof(room));
	size_t prefix = prefix_len(type);

	typed(value->text, value->len, text);
	for (unsigned i = 0; i < type->n_values; i++) {
		const char *rest = without_prefix(type, prefix, type->values[i].name);

		typed(rest, strlen(rest), name);
		meant_try(&meant, name);
		if (type->values[i].value && list.len + strlen(name) + 2 < sizeof(room))
			buf_putf(&list, "%s%s", list.len ? ", " : "", name);
	}
	if (meant.name[0])
		return json_wrong(
			reader, "'%s' is not a name of %s; did you mean '%s'?", text, type->short_name, meant.name);
	return json_wrong(reader, "'%s' is not a name of %s: %s", text, type->short_name, buf_str(&list));
}

bool json_is_time(const ProtobufCFieldDescriptor *field)
{
	static const char *const words[] = {"at", "by", "end", "from", "now", "since", "start", "to", "until"};
	size_t len = strlen(field->name), n;

	if (field->type != PROTOBUF_C_TYPE_INT64 || len < 4 || strcmp(field->name + len - 3, "_us") != 0)
		return false;
	len -= 3;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		n = strlen(words[i]);
		if (len >= n && memcmp(field->name + len - n, words[i], n) == 0 &&
			(len == n || field->name[len - n - 1] == '_'))
			return true;
	}
	return false;
}
