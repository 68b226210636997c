/* Reads the table of fields (api/message/fields.def) for OpenAPI. */
#include "api/openapi/limits.h"

#include <string.h>

#include "bursar/v1/admin.pb-c.h"
#include "bursar/v1/limiter.pb-c.h"

/* As server/api/message/validate.c has them for fields without a row. */
enum { TEXT_MAX = 1024, ITEMS_MAX = 1000, ID_LEN_MAX = 128, NAME_LEN_MAX = 64 };
#define NUMBER_MAX INT64_C(9007199254740991)
#define NO_CONTROLS "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"

static const struct rule {
	const ProtobufCMessageDescriptor *message;
	const char *field, *kind;
	int64_t least, most;
} rules[] = {
#define FIELD(message_, field_, rule_, least_, most_) \
	{&bursar__v1__##message_##__descriptor, #field_, #rule_, least_, most_},
#include "api/message/fields.def"
#undef FIELD
};

static const struct rule *rule_of(const ProtobufCMessageDescriptor *message, const ProtobufCFieldDescriptor *field)
{
	static const struct rule by_type = {.kind = ""};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].message == message && strcmp(rules[i].field, field->name) == 0)
			return &rules[i];
	return &by_type;
}

static bool is(const struct rule *rule, const char *kind)
{
	return strcmp(rule->kind, kind) == 0;
}

static bool begins(const struct rule *rule, const char *kind)
{
	return strncmp(rule->kind, kind, strlen(kind)) == 0;
}

static void put(json_t *schema, const char *keyword, int64_t value)
{
	json_object_set_new(schema, keyword, json_integer(value));
}

static void put_text(json_t *schema, const struct rule *rule)
{
	bool empty = strstr(rule->kind, "_OR_NONE") != NULL || !rule->kind[0];

	if (begins(rule, "NAME")) {
		json_object_set_new(schema, "pattern", json_string("^[a-z0-9_-]*$"));
		put(schema, "maxLength", NAME_LEN_MAX);
	} else if (begins(rule, "ID") || begins(rule, "TRIMMED") || begins(rule, "INTERFACE")) {
		json_object_set_new(schema, "pattern", json_string(NO_CONTROLS));
		put(schema, "maxLength", ID_LEN_MAX);
	} else {
		put(schema, "maxLength", is(rule, "TEXT") ? rule->most : TEXT_MAX);
		empty = !is(rule, "TEXT") || !rule->least;
	}
	if (!empty)
		put(schema, "minLength", is(rule, "TEXT") ? rule->least : 1);
}

static void put_number(json_t *schema, const struct rule *rule, int64_t most)
{
	bool bounded = is(rule, "NUMBER") || is(rule, "TTL");

	/* 0 is the default of those that have a least value (TTL), so it is allowed. */
	put(schema, "minimum", is(rule, "NUMBER") ? rule->least : 0);
	put(schema, "maximum", bounded ? rule->most : most);
}

void limits_put(json_t *schema, const ProtobufCMessageDescriptor *message, const ProtobufCFieldDescriptor *field)
{
	const struct rule *rule = rule_of(message, field);

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		put(schema, "maxItems", is(rule, "ITEMS") ? rule->most : ITEMS_MAX);
		if (is(rule, "ITEMS") && rule->least)
			put(schema, "minItems", rule->least);
	} else if (field->type == PROTOBUF_C_TYPE_STRING) {
		put_text(schema, rule);
	} else if (field->type == PROTOBUF_C_TYPE_INT64) {
		put_number(schema, rule, NUMBER_MAX);
	} else if (field->type == PROTOBUF_C_TYPE_INT32) {
		put_number(schema, rule, INT32_MAX);
	}
}

bool limits_required(const ProtobufCMessageDescriptor *message, const ProtobufCFieldDescriptor *field)
{
	const struct rule *rule = rule_of(message, field);

	return is(rule, "ID") || is(rule, "NAME") || is(rule, "TRIMMED") || is(rule, "NEEDED") || is(rule, "KNOWN") ||
	       (rule->kind[0] && !is(rule, "TTL") && rule->least > 0);
}
