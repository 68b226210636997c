/* --meter NAME=N (meters.h). */
#include "cli/common/meters.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT_FIELDS = 7, NAME_MAX_BYTES = 40 }; /* the first fields of both messages have options of their own */
static const char suffix[] = "_tokens";

static int64_t *value_at(ProtobufCMessage *usage, const ProtobufCFieldDescriptor *field)
{
	return (int64_t *)(void *)((char *)usage + field->offset);
}

/* "web_searches" and "image_input", whose field is image_input_tokens. */
static const ProtobufCFieldDescriptor *field_of(const ProtobufCMessage *usage, const char *name)
{
	char longer[NAME_MAX_BYTES + sizeof(suffix)];
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(usage->descriptor, name);

	snprintf(longer, sizeof(longer), "%.*s%s", NAME_MAX_BYTES, name, suffix);
	if (!field)
		field = protobuf_c_message_descriptor_get_field_by_name(usage->descriptor, longer);
	if (!field && strcmp(name, "cache_storage") == 0)
		field = protobuf_c_message_descriptor_get_field_by_name(usage->descriptor, "cache_storage_token_hours");
	return field;
}

/* What people type for it. */
static void name_of(const ProtobufCFieldDescriptor *field, char out[NAME_MAX_BYTES])
{
	size_t len = strlen(field->name), cut = strlen(suffix);

	if (strcmp(field->name, "cache_storage_token_hours") == 0)
		len = strlen("cache_storage");
	else if (len > cut && strcmp(field->name + len - cut, suffix) == 0)
		len -= cut;
	snprintf(out, NAME_MAX_BYTES, "%.*s", (int)len, field->name);
}

static bool refuse(struct cli *cli, const ProtobufCMessage *usage, const char *text)
{
	struct buf names = {0};
	char name[NAME_MAX_BYTES];

	for (unsigned i = KEPT_FIELDS; i < usage->descriptor->n_fields; i++) {
		name_of(&usage->descriptor->fields[i], name);
		buf_putf(&names, "%s%s", names.len ? ", " : "", name);
	}
	err_set(&cli->err, ERR_INVALID, "--meter: '%s' must look like web_searches=2; meters are %s", text,
		buf_str(&names));
	buf_release(&names);
	return false;
}

static bool one_read(struct cli *cli, const char *text, ProtobufCMessage *usage)
{
	const char *equals = strchr(text, '=');
	const ProtobufCFieldDescriptor *field;
	char name[NAME_MAX_BYTES], *end;
	long long count;

	if (!equals || equals == text || !equals[1] || strspn(equals + 1, "+-0123456789") != strlen(equals + 1))
		return refuse(cli, usage, text);
	snprintf(name, sizeof(name), "%.*s", (int)(equals - text), text);
	field = field_of(usage, name);
	count = strtoll(equals + 1, &end, 10);
	if (!field || *end)
		return refuse(cli, usage, text);
	*value_at(usage, field) = count;
	return true;
}

bool meters_read(struct cli *cli, ProtobufCMessage *usage)
{
	size_t count;
	const char *const *texts = option_list(cli, "meter", &count);

	for (size_t i = 0; i < count; i++)
		if (!one_read(cli, texts[i], usage))
			return false;
	return true;
}

void meters_for_each(const ProtobufCMessage *usage, meters_each *each, void *ctx)
{
	char name[NAME_MAX_BYTES];

	for (unsigned i = KEPT_FIELDS; usage && i < usage->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &usage->descriptor->fields[i];
		int64_t count = meters_count(usage, field->name);

		if (!count)
			continue;
		name_of(field, name);
		each(name, field->name, count, ctx);
	}
}

int64_t meters_count(const ProtobufCMessage *usage, const char *field)
{
	const ProtobufCFieldDescriptor *found =
		usage ? protobuf_c_message_descriptor_get_field_by_name(usage->descriptor, field) : NULL;

	return found ? *(const int64_t *)(const void *)((const char *)usage + found->offset) : 0;
}

static void count_one(const char *name, const char *field, int64_t count, void *ctx)
{
	(void)name;
	(void)field;
	(void)count;
	*(bool *)ctx = true;
}

bool meters_any(const ProtobufCMessage *usage)
{
	bool any = false;

	meters_for_each(usage, count_one, &any);
	return any;
}

static void put_one(const char *name, const char *field, int64_t count, void *ctx)
{
	struct buf *out = ctx;

	(void)field;
	buf_putf(out, "%s%s=%" PRId64, out->len ? " " : "", name, count);
}

void put_meters(struct buf *out, const ProtobufCMessage *usage)
{
	struct buf text = {0};

	meters_for_each(usage, put_one, &text);
	buf_put_str(out, buf_str(&text));
	buf_release(&text);
}
