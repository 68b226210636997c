/*
 * JSON as the HTTP door reads it. The first line names a method of the API, otherwise its first byte picks one; the rest is
 * the JSON of a request, or, if it has a '=' and does not begin with '{', the path of a field and its text. jansson says
 * what JSON is, and what was read must survive being written and read again.
 */
#include <jansson.h>
#include <string.h>

#include "api/json/json_message.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "bursar/v1/admin.pb-c.h"
#include "bursar/v1/limiter.pb-c.h"
#include "fuzz/fuzz.h"

static const ProtobufCMessageDescriptor *request_of(const char *name, size_t len)
{
	const ProtobufCServiceDescriptor *services[] = {
		&bursar__v1__limiter__descriptor, &bursar__v1__admin__descriptor};
	unsigned pick = len ? (unsigned char)name[0] : 0;

	for (size_t i = 0; i < 2; i++)
		for (unsigned k = 0; k < services[i]->n_methods; k++)
			if (strlen(services[i]->methods[k].name) == len &&
				memcmp(services[i]->methods[k].name, name, len) == 0)
				return services[i]->methods[k].input;
	pick %= services[0]->n_methods + services[1]->n_methods;
	if (pick < services[0]->n_methods)
		return services[0]->methods[pick].input;
	return services[1]->methods[pick - services[0]->n_methods].input;
}

static ProtobufCMessage *make(const ProtobufCMessageDescriptor *type, struct arena *arena)
{
	ProtobufCMessage *message = arena_alloc(arena, type->sizeof_message);

	protobuf_c_message_init(type, message);
	return message;
}

static void check_error(const struct err *err)
{
	size_t len = strlen(err->field);

	HOLDS(err->code == ERR_INVALID && err->text[0] && utf8_valid(err->text, strlen(err->text)));
	if (len)
		HOLDS(strncmp(err->text, err->field, len) == 0 && err->text[len] == ':');
	else
		HOLDS(strncmp(err->text, "line ", 5) == 0 || strncmp(err->text, "the JSON ", 9) == 0);
}

#ifdef PLANTED_BUG
/* The mistake: a reader that passes every number through a float. */
static void check_numbers(const ProtobufCMessage *message)
{
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		const int64_t *number = (const void *)((const char *)message + field->offset);

		if (field->type == PROTOBUF_C_TYPE_INT64 && field->label != PROTOBUF_C_LABEL_REPEATED)
			HOLDS(*number < 0 || (uint64_t)(double)(float)*number == (uint64_t)*number);
	}
}
#endif

static void pack(const ProtobufCMessage *message, struct buf *out)
{
	size_t len = protobuf_c_message_get_packed_size(message);

	buf_reserve(out, len);
	out->len = protobuf_c_message_pack(message, (uint8_t *)out->data);
}

/* What is written is JSON, reads back as the same message, and is written the same again. */
static void check_again(const ProtobufCMessage *message, struct arena *arena)
{
	ProtobufCMessage *again = make(message->descriptor, arena);
	struct buf text[2] = {{0}, {0}}, bytes[2] = {{0}, {0}};
	struct err err;
	json_t *tree;

	json_write_message(message, &text[0]);
	tree = json_loadb(text[0].data, text[0].len, JSON_REJECT_DUPLICATES, NULL);
	HOLDS(tree);
	json_decref(tree);
	HOLDS(json_read_message(text[0].data, text[0].len, again, arena, &err));
	json_write_message(again, &text[1]);
	HOLDS(strcmp(text[0].data, text[1].data) == 0);
	pack(message, &bytes[0]);
	pack(again, &bytes[1]);
	HOLDS(bytes[0].len == bytes[1].len && memcmp(bytes[0].data, bytes[1].data, bytes[0].len) == 0);
	for (int i = 0; i < 2; i++) {
		buf_release(&text[i]);
		buf_release(&bytes[i]);
	}
}

static void read_json(const ProtobufCMessageDescriptor *type, const char *text, size_t len, struct arena *arena)
{
	ProtobufCMessage *message = make(type, arena);
	struct err err = {0};
	json_error_t why = {.line = 0};
	bool right = json_read_message(text, len, message, arena, &err);
	json_t *tree = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	/* jansson has no whole numbers above 2^63. */
	bool is_json = tree || json_error_code(&why) == json_error_numeric_overflow;

	json_decref(tree);
	if (!right) {
		check_error(&err);
		/* jansson overlooks a NUL after a number. */
		HOLDS(err.field[0] || strncmp(err.text, "line ", 5) != 0 || !tree || memchr(text, 0, len));
		return;
	}
	HOLDS(is_json);
#ifdef PLANTED_BUG
	check_numbers(message);
#endif
	check_again(message, arena);
}

static void set_field(
	const ProtobufCMessageDescriptor *type, const char *text, size_t path_len, size_t len, struct arena *arena)
{
	ProtobufCMessage *message = make(type, arena);
	const char *path = arena_strndup(arena, text, path_len);
	struct err err = {0};

	if (!json_set_field(message, path, text + path_len + 1, len - path_len - 1, arena, &err)) {
		check_error(&err);
		HOLDS(err.field[0]);
		return;
	}
	check_again(message, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *line = size ? memchr(text, '\n', size) : NULL, *equals;
	struct arena arena = {0};
	const ProtobufCMessageDescriptor *type;
	size_t len;

	if (!line)
		return 0;
	type = request_of(text, (size_t)(line - text));
	len = size - (size_t)(line + 1 - text);
	text = line + 1;
	equals = len && text[0] != '{' ? memchr(text, '=', len) : NULL;
	if (equals)
		set_field(type, text, (size_t)(equals - text), len, &arena);
	else
		read_json(type, text, len, &arena);
	arena_release(&arena);
	return 0;
}
