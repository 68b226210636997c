/* Applies the table of fields to every part of a message. */
#include "api/message/validate.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "api/auth/auth.h"
#include "api/message/wire_format.h"
#include "base/arena.h"
#include "base/utf8.h"
#include "bursar/v1/admin.pb-c.h"
#include "bursar/v1/limiter.pb-c.h"
#include "domain/limit/name.h"
#include "rpc/message.h"

enum { TEXT_MAX = 1024, ITEMS_MAX = 1000, NAME_LEN_MAX = 64 };
#define NUMBER_MAX INT64_C(9007199254740991)

enum rule_kind {
	BY_TYPE,
	ID,
	ID_OR_NONE,
	INTERFACE_OR_NONE,
	TRIMMED,
	TRIMMED_OR_NONE,
	NAME,
	NAME_OR_NONE,
	TEXT,
	NUMBER,
	TTL,
	NEEDED,
	ITEMS,
	KNOWN
};

struct rule {
	const ProtobufCMessageDescriptor *message;
	const char *field;
	enum rule_kind kind;
	int64_t least, most;
};

static const struct rule rules[] = {
#define FIELD(message_, field_, rule_, least_, most_) \
	{&bursar__v1__##message_##__descriptor, #field_, rule_, least_, most_},
#include "api/message/fields.def"
#undef FIELD
};
enum { RULES = sizeof(rules) / sizeof(rules[0]) };

/* The rules of the messages with a row in the table, by the index of the field: a table of hashed descriptors. */
enum { SHEETS_MAX = 1024 };
static struct sheet {
	const ProtobufCMessageDescriptor *message;
	const struct rule **rule; /* one for each field */
} sheets[SHEETS_MAX];
static const struct rule by_type = {.kind = BY_TYPE};
static pthread_once_t sheets_once = PTHREAD_ONCE_INIT;

/* The message's place, or the free one where it belongs. */
static struct sheet *sheet_at(const ProtobufCMessageDescriptor *message)
{
	size_t at = ((uintptr_t)message >> 4) * 0x9e3779b1u % SHEETS_MAX;

	while (sheets[at].message && sheets[at].message != message)
		at = (at + 1) % SHEETS_MAX;
	return &sheets[at];
}

static void sheets_make(void)
{
	_Static_assert(
		2 * RULES < SHEETS_MAX, "there are at most as many messages as rows, and half of the places stay free");
	for (size_t i = 0; i < RULES; i++) {
		const ProtobufCMessageDescriptor *message = rules[i].message;
		struct sheet *sheet = sheet_at(message);

		if (!sheet->message) {
			sheet->message = message;
			sheet->rule = mem_zalloc(message->n_fields, sizeof(*sheet->rule));
			for (unsigned k = 0; k < message->n_fields; k++)
				sheet->rule[k] = &by_type;
		}
		for (unsigned k = 0; k < message->n_fields; k++)
			if (sheet->rule[k] == &by_type && strcmp(message->fields[k].name, rules[i].field) == 0)
				sheet->rule[k] = &rules[i];
	}
}

static bool name_check(const char *text, const char *field, struct err *err)
{
	size_t len = strlen(text);

	if (len < 1 || len > NAME_LEN_MAX || strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") != len)
		return err_invalid(err, field, "must be 1 to 64 characters of a-z 0-9 _ -");
	return true;
}

/* Normalizes a name with several spellings, in place: the call owns the message's text. */
static bool folded_check(const struct rule *rule, char *text, const char *field, struct err *err)
{
	if (name_is_blank(text))
		return err_invalid(err, field, "contains only spaces");
	if (rule->kind == INTERFACE_OR_NONE)
		interface_fold(text);
	else
		name_trim(text);
	return (!text[0] && rule->kind != TRIMMED) || id_check(text, strlen(text), field, err);
}

static bool text_check(const struct rule *rule, char *text, const char *field, struct err *err)
{
	size_t len = strlen(text);
	int64_t most = rule->kind == TEXT ? rule->most : TEXT_MAX;

	if ((rule->kind == ID_OR_NONE || rule->kind == NAME_OR_NONE) && len == 0)
		return true;
	if (rule->kind == ID || rule->kind == ID_OR_NONE)
		return id_check(text, len, field, err);
	if (rule->kind == INTERFACE_OR_NONE || rule->kind == TRIMMED || rule->kind == TRIMMED_OR_NONE)
		return folded_check(rule, text, field, err);
	if (rule->kind == NAME || rule->kind == NAME_OR_NONE)
		return name_check(text, field, err);
	if (!utf8_valid(text, len))
		return err_invalid(err, field, "is not valid UTF-8");
	if ((int64_t)len > most || (rule->kind == TEXT && (int64_t)len < rule->least))
		return err_invalid(err, field, "must have %" PRId64 " to %" PRId64 " bytes",
			rule->kind == TEXT ? rule->least : 0, most);
	return true;
}

static bool number_check(const struct rule *rule, int64_t value, int64_t most, const char *field, struct err *err)
{
	int64_t least = 0;

	/* What is not given is 0, which only some rules refuse. */
	if (value == 0 && rule->kind != NUMBER)
		return true;
	if (rule->kind == NUMBER || rule->kind == TTL) {
		least = rule->least;
		most = rule->most;
	}
	if (value < least || value > most)
		return err_invalid(
			err, field, "%" PRId64 " is not between %" PRId64 " and %" PRId64, value, least, most);
	return true;
}

static bool enum_check(
	const struct rule *rule, const ProtobufCEnumDescriptor *type, int value, const char *field, struct err *err)
{
	if (!protobuf_c_enum_descriptor_get_value(type, value))
		return err_invalid(err, field, "%d is not a value of %s", value, type->short_name);
	if (rule->kind == KNOWN && value == 0)
		return err_invalid(err, field, "must be given");
	return true;
}

static bool fields_check(const ProtobufCMessage *message, bool into_items, struct err *err);

static bool value_check(
	const struct rule *rule, const ProtobufCFieldDescriptor *field, const void *value, struct err *err)
{
	const ProtobufCMessage *part;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return text_check(rule, *(char *const *)value, field->name, err);
	case PROTOBUF_C_TYPE_INT64:
		return number_check(rule, *(const int64_t *)value, NUMBER_MAX, field->name, err);
	case PROTOBUF_C_TYPE_INT32:
		return number_check(rule, *(const int32_t *)value, INT32_MAX, field->name, err);
	case PROTOBUF_C_TYPE_ENUM:
		return enum_check(rule, field->descriptor, *(const int *)value, field->name, err);
	case PROTOBUF_C_TYPE_MESSAGE:
		part = *(const ProtobufCMessage *const *)value;
		if (!part)
			return rule->kind == NEEDED ? err_invalid(err, field->name, "must be given") : true;
		return fields_check(part, true, err) || err_prefix(err, "%s.", field->name);
	default:
		return true;
	}
}

/* Checks item i of a list's values; the error's field starts with "[i]". */
static bool item_check(
	const struct rule *rule, const ProtobufCFieldDescriptor *field, const char *values, size_t i, struct err *err)
{
	char name[24];

	snprintf(name, sizeof(name), "[%zu]", i);
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return text_check(rule, ((char *const *)(const void *)values)[i], name, err);
	case PROTOBUF_C_TYPE_ENUM:
		return enum_check(rule, field->descriptor, ((const int *)(const void *)values)[i], name, err);
	case PROTOBUF_C_TYPE_MESSAGE:
		return fields_check(((const ProtobufCMessage *const *)(const void *)values)[i], true, err) ||
		       err_prefix(err, "%s.", name);
	default:
		return true;
	}
}

static bool list_check(const struct rule *rule, const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message,
	bool into_items, struct err *err)
{
	size_t count = *(const size_t *)(const void *)((const char *)message + field->quantifier_offset);
	const char *values = *(const char *const *)(const void *)((const char *)message + field->offset);
	int64_t least = rule->kind == ITEMS ? rule->least : 0;
	int64_t most = rule->kind == ITEMS ? rule->most : ITEMS_MAX;

	if ((int64_t)count < least || (int64_t)count > most)
		return err_invalid(
			err, field->name, "must have %" PRId64 " to %" PRId64 " items, not %zu", least, most, count);
	for (size_t i = 0; into_items && i < count; i++)
		if (!item_check(rule, field, values, i, err))
			return err_prefix(err, "%s", field->name);
	return true;
}

static bool fields_check(const ProtobufCMessage *message, bool into_items, struct err *err)
{
	const struct sheet *sheet;

	pthread_once(&sheets_once, sheets_make);
	sheet = sheet_at(message->descriptor);
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		const struct rule *rule = sheet->message ? sheet->rule[i] : &by_type;

		if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			if (!list_check(rule, field, message, into_items, err))
				return false;
		} else if (!value_check(rule, field, (const char *)message + field->offset, err)) {
			return false;
		}
	}
	return true;
}

bool message_check(const ProtobufCMessage *message, struct err *err)
{
	return fields_check(message, true, err);
}

bool list_lengths_check(const ProtobufCMessage *message, struct err *err)
{
	return fields_check(message, false, err);
}

static bool part_check(const ProtobufCMessageDescriptor *descriptor, const struct wire_field *part, struct err *err)
{
	const ProtobufCFieldDescriptor *field =
		part->number <= UINT32_MAX ? protobuf_c_message_descriptor_get_field(descriptor, (unsigned)part->number)
					   : NULL;

	if (!field || !part->counted || !part->len)
		return true;
	if (field->type == PROTOBUF_C_TYPE_STRING && memchr(part->bytes, 0, part->len))
		return err_invalid(err, field->name, "contains a NUL character");
	if (field->type == PROTOBUF_C_TYPE_MESSAGE && !wire_check(field->descriptor, part->bytes, part->len, err))
		return err_prefix(err, "%s.", field->name);
	return true;
}

/* protobuf-c has already parsed these bytes, so malformed ones cannot occur; the walk just stops there. */
bool wire_check(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t len, struct err *err)
{
	struct wire wire = {.at = bytes, .end = bytes + len};
	struct wire_field part;

	if (!len || !memchr(bytes, 0, len))
		return true;
	while (wire_next(&wire, &part))
		if (!part_check(descriptor, &part, err))
			return false;
	return true;
}

static void *read(struct call *call, const ProtobufCMessageDescriptor *descriptor, bool into_items, struct err *err)
{
	ProtobufCMessage *message = call_message(call, descriptor, err);
	size_t len;
	const uint8_t *bytes = call_request(call, &len);

	if (!message || !wire_check(descriptor, bytes, len, err) || !auth_scope(call, message, call_arena(call), err) ||
		!fields_check(message, into_items, err))
		return NULL;
	return message;
}

void *request_read(struct call *call, const ProtobufCMessageDescriptor *descriptor, struct err *err)
{
	return read(call, descriptor, true, err);
}

void *request_take(struct call *call, const ProtobufCMessageDescriptor *descriptor)
{
	struct err err;
	void *request = request_read(call, descriptor, &err);

	if (!request)
		call_fail(call, &err);
	return request;
}

void *batch_read(struct call *call, const ProtobufCMessageDescriptor *descriptor, struct err *err)
{
	return read(call, descriptor, false, err);
}
