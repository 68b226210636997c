/* Writes lists of plain values of a document's entries (private.h). */
#include "cli/fleet/private.h"

#include "cli/text/format.h"

static json_t *word_json(const ProtobufCEnumDescriptor *names, int value, const char *prefix)
{
	struct buf text = {0};

	put_enum(&text, names, value, prefix);
	json_t *json = json_string(buf_str(&text));
	buf_release(&text);
	return json;
}

json_t *fleet_list_json(
	const struct fleet_field *row, const ProtobufCFieldDescriptor *field, const ProtobufCMessage *entry)
{
	const char *base = (const char *)entry;
	const void *items = *(void *const *)(const void *)(base + field->offset);
	size_t count = *(const size_t *)(const void *)(base + field->quantifier_offset);
	json_t *list = count ? json_array() : NULL;

	for (size_t i = 0; i < count; i++) {
		json_t *item;

		if (row->kind == FLEET_NAMES)
			item = json_string(((char *const *)items)[i]);
		else if (row->kind == FLEET_WORDS)
			item = word_json(field->descriptor, ((const int *)items)[i], row->prefix);
		else if (field->type == PROTOBUF_C_TYPE_INT64)
			item = json_integer(((const int64_t *)items)[i]);
		else
			item = json_integer(((const int32_t *)items)[i]);
		json_array_append_new(list, item);
	}
	return list;
}
