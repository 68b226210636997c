/* Reads the values of a document's entries with the tables (private.h). */
#include "cli/fleet/private.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/text/distance.h"
#include "base/units.h"
#include "cli/text/limit_spec.h"
#include "cli/text/parse.h"

void *fleet_message(const ProtobufCMessageDescriptor *descriptor)
{
	void *message = mem_zalloc(1, descriptor->sizeof_message);

	protobuf_c_message_init(descriptor, message);
	return message;
}

char *fleet_copy(const char *text)
{
	char *out = strdup(text);

	if (!out)
		mem_exhausted(strlen(text) + 1);
	return out;
}

/* Appends to the list of pointers at `items`. */
void fleet_list_add(void *items, size_t *count, void *item)
{
	void ***list = items;

	*list = mem_realloc(*list, (*count + 1) * sizeof(void *));
	(*list)[(*count)++] = item;
}

void fleet_note(struct reading *r, const struct path *path, const struct yaml *at)
{
	struct fleet *fleet = r->fleet;

	if (fleet->places % 64 == 0)
		fleet->place = mem_realloc(fleet->place, (fleet->places + 64) * sizeof(*fleet->place));
	fleet->place[fleet->places++] = (struct fleet_place){.field = fleet_copy(path->field),
		.path = fleet_copy(path->shown),
		.line = at->line,
		.column = at->column};
}

bool fleet_wrong(struct reading *r, const struct path *path, const struct yaml *at, const char *fmt, ...)
{
	char sentence[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	return yaml_wrong(at, r->err, "%s%s%s", path->shown, path->shown[0] ? ": " : "", sentence);
}

struct path fleet_path_key(const struct path *path, const char *field, const char *key)
{
	struct path inner;

	snprintf(inner.field, sizeof(inner.field), "%.60s.%.30s", path->field, field);
	snprintf(inner.shown, sizeof(inner.shown), "%.120s%s%.100s", path->shown, path->shown[0] ? "." : "", key);
	return inner;
}

static struct path path_item(const struct path *path, size_t i)
{
	struct path inner;

	snprintf(inner.field, sizeof(inner.field), "%.70s[%zu]", path->field, i);
	snprintf(inner.shown, sizeof(inner.shown), "%.200s[%zu]", path->shown, i);
	return inner;
}

/* Reports an unknown key and suggests a similar one. */
bool fleet_unknown_key(struct reading *r, const struct path *path, const struct yaml *key, const char *nearest)
{
	if (nearest)
		return fleet_wrong(r, path, key, "'%.64s' is not known here; did you mean '%s'?", key->text, nearest);
	return fleet_wrong(r, path, key, "'%.64s' is not known here", key->text);
}

void nearest_try(struct nearest *nearest, const char *word)
{
	size_t len = strnlen(nearest->text, 64), distance = text_distance(nearest->text, len, word);

	if (distance < (nearest->word ? nearest->least : text_distance_limit(len))) {
		nearest->least = distance;
		nearest->word = word;
	}
}

bool fleet_read_text(struct reading *r, const struct path *path, const struct yaml *at, char **out)
{
	if (at->kind != YAML_TEXT)
		return fleet_wrong(r, path, at, "must be a string");
	*out = fleet_copy(at->text);
	return true;
}

static bool read_count(struct reading *r, const struct path *path, const struct yaml *at,
	const ProtobufCFieldDescriptor *field, void *out)
{
	struct err inner;
	int64_t n;

	if (at->kind != YAML_TEXT || !parse_count(at->text, strlen(at->text), &n, &inner))
		return fleet_wrong(r, path, at, "must be a whole number such as 1500 or 200k");
	if (field->type == PROTOBUF_C_TYPE_INT64) {
		*(int64_t *)out = n;
		return true;
	}
	if (n > INT32_MAX)
		return fleet_wrong(r, path, at, "%" PRId64 " is too large", n);
	*(int32_t *)out = (int32_t)n;
	return true;
}

static bool read_truth(struct reading *r, const struct path *path, const struct yaml *at, protobuf_c_boolean *out)
{
	bool yes = at->kind == YAML_TEXT && !at->quoted && strcmp(at->text, "true") == 0;
	bool no = at->kind == YAML_TEXT && !at->quoted && strcmp(at->text, "false") == 0;

	*out = yes;
	return yes || no || fleet_wrong(r, path, at, "must be true or false");
}

static bool read_word(struct reading *r, const struct path *path, const struct yaml *at,
	const ProtobufCEnumDescriptor *names, const char *prefix, int *out)
{
	struct buf words = {0};

	*out = at->kind == YAML_TEXT && strlen(at->text) < 32 ? cli_enum(names, prefix, at->text) : 0;
	if (*out)
		return true;
	for (unsigned i = 0; i < names->n_values; i++)
		if (names->values[i].value) {
			buf_put_str(&words, words.len ? ", " : "");
			for (const char *p = names->values[i].name + strlen(prefix); *p; p++)
				buf_put_u8(&words, (uint8_t)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p));
		}
	fleet_wrong(r, path, at, "must be one of %s", buf_str(&words));
	buf_release(&words);
	return false;
}

static bool read_duration(struct reading *r, const struct path *path, const struct yaml *at, int64_t *out)
{
	struct err inner;

	return (at->kind == YAML_TEXT && parse_duration(at->text, strlen(at->text), out, &inner)) ||
	       fleet_wrong(r, path, at, "must be a duration such as 500ms, 30s or 15min");
}

static bool read_seconds(struct reading *r, const struct path *path, const struct yaml *at, int64_t *out)
{
	int64_t us = 0;

	if (!read_duration(r, path, at, &us))
		return false;
	*out = us / SECOND_US;
	return us % SECOND_US == 0 || fleet_wrong(r, path, at, "must be whole seconds");
}

static bool read_minute(struct reading *r, const struct path *path, const struct yaml *at, int32_t *out)
{
	struct err inner;

	return (at->kind == YAML_TEXT && parse_minute(at->text, strlen(at->text), out, &inner)) ||
	       fleet_wrong(r, path, at, "must be a time of the day such as \"22:00\"");
}

static bool read_slots(struct reading *r, const struct path *path, const struct yaml *at, Bursar__V1__Pool *pool,
	const ProtobufCFieldDescriptor *field)
{
	pool->slots_from_option = at->kind == YAML_TEXT && strcmp(at->text, "option") == 0;
	return pool->slots_from_option || read_count(r, path, at, field, &pool->slots);
}

static void *read_item(struct reading *r, const struct path *path, const struct yaml *at, const struct fleet_field *row)
{
	struct err inner;
	void *item;

	fleet_note(r, path, at);
	if (row->kind == FLEET_LEVELS) {
		item = fleet_message(fleet_level.message);
		if (fleet_read_entry(r, path, at, &fleet_level, item))
			return item;
		bursar_free(item);
		return NULL;
	}
	if (at->kind != YAML_TEXT) {
		fleet_wrong(r, path, at, "must be a limit such as requests=60/min");
		return NULL;
	}
	item = limit_spec_parse(at->text, &inner);
	if (!item)
		fleet_wrong(r, path, at, "%s", inner.text);
	return item;
}

static bool read_list(struct reading *r, const struct path *path, const struct yaml *at, const struct fleet_field *row,
	void *items, size_t *count)
{
	if (yaml_is_nothing(at))
		return true;
	if (at->kind != YAML_LIST)
		return fleet_wrong(r, path, at, "must be a list");
	for (size_t i = 0; i < at->count; i++) {
		struct path inner = path_item(path, i);
		void *item = read_item(r, &inner, at->items[i], row);

		if (!item)
			return false;
		fleet_list_add(items, count, item);
	}
	return true;
}

/* The list's pointer and count in the message. */
struct place {
	void **items;
	size_t *count;
};

static struct place place_of(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *entry)
{
	char *base = (char *)(uintptr_t)entry;

	return (struct place){
		(void **)(void *)(base + field->offset), (size_t *)(void *)(base + field->quantifier_offset)};
}

static bool read_list_number(struct reading *r, const struct path *path, const struct yaml *at,
	const ProtobufCFieldDescriptor *field, const struct place *place)
{
	bool wide = field->type == PROTOBUF_C_TYPE_INT64;
	struct err inner;
	int64_t n;

	if (at->kind != YAML_TEXT || !parse_count(at->text, strlen(at->text), &n, &inner) || (!wide && n > INT32_MAX))
		return fleet_wrong(r, path, at, "must be a whole number such as 80");
	*place->items = mem_realloc(*place->items, (*place->count + 1) * (wide ? sizeof(int64_t) : sizeof(int32_t)));
	if (wide)
		((int64_t *)*place->items)[(*place->count)++] = n;
	else
		((int32_t *)*place->items)[(*place->count)++] = (int32_t)n;
	return true;
}

static bool read_list_word(struct reading *r, const struct path *path, const struct yaml *at,
	const struct fleet_field *row, const ProtobufCFieldDescriptor *field, const struct place *place)
{
	int value;

	if (!read_word(r, path, at, field->descriptor, row->prefix, &value))
		return false;
	*place->items = mem_realloc(*place->items, (*place->count + 1) * sizeof(int));
	((int *)*place->items)[(*place->count)++] = value;
	return true;
}

static bool read_values(struct reading *r, const struct path *path, const struct yaml *at,
	const struct fleet_field *row, const ProtobufCFieldDescriptor *field, ProtobufCMessage *entry)
{
	struct place place = place_of(field, entry);

	if (yaml_is_nothing(at))
		return true;
	if (at->kind != YAML_LIST)
		return fleet_wrong(r, path, at, "must be a list");
	for (size_t i = 0; i < at->count; i++) {
		struct path inner = path_item(path, i);
		char *text = NULL;
		bool ok;

		fleet_note(r, &inner, at->items[i]);
		if (row->kind == FLEET_NUMBERS)
			ok = read_list_number(r, &inner, at->items[i], field, &place);
		else if (row->kind == FLEET_WORDS)
			ok = read_list_word(r, &inner, at->items[i], row, field, &place);
		else if ((ok = fleet_read_text(r, &inner, at->items[i], &text)))
			fleet_list_add(place.items, place.count, text);
		if (!ok)
			return false;
	}
	return true;
}

static bool read_value(struct reading *r, const struct path *path, const struct yaml *at, const struct fleet_field *row,
	ProtobufCMessage *entry)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(entry->descriptor, row->field);
	char *base = (char *)entry;
	void *out = base + field->offset;

	fleet_note(r, path, at);
	switch (row->kind) {
	case FLEET_TEXT:
		return fleet_read_text(r, path, at, out);
	case FLEET_COUNT:
		return read_count(r, path, at, field, out);
	case FLEET_TRUTH:
		return read_truth(r, path, at, out);
	case FLEET_WORD:
		return read_word(r, path, at, field->descriptor, row->prefix, out);
	case FLEET_DURATION:
		return read_duration(r, path, at, out);
	case FLEET_SLOTS:
		return read_slots(r, path, at, (Bursar__V1__Pool *)(void *)entry, field);
	case FLEET_LIMITS:
	case FLEET_LEVELS:
		return read_list(r, path, at, row, out, (size_t *)(void *)(base + field->quantifier_offset));
	case FLEET_SECONDS:
		return read_seconds(r, path, at, out);
	case FLEET_MINUTE:
		return read_minute(r, path, at, out);
	case FLEET_NUMBERS:
	case FLEET_NAMES:
	case FLEET_WORDS:
		return read_values(r, path, at, row, field, entry);
	}
	return false;
}

static const struct fleet_field *field_find(const struct fleet_table *table, const char *key)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->fields[i].key, key) == 0)
			return &table->fields[i];
	return NULL;
}

bool fleet_read_entry(struct reading *r, const struct path *path, const struct yaml *at,
	const struct fleet_table *table, ProtobufCMessage *entry)
{
	if (yaml_is_nothing(at))
		return true;
	if (at->kind != YAML_MAP)
		return fleet_wrong(r, path, at, "must be a map of settings, such as '%s: ...'", table->fields[0].key);
	for (size_t i = 0; i < at->count; i++) {
		const struct yaml *key = at->keys[i];
		const struct fleet_field *row = field_find(table, key->text);
		struct nearest nearest = {.text = key->text};

		for (size_t k = 0; !row && k < table->count; k++)
			nearest_try(&nearest, table->fields[k].key);
		if (!row)
			return fleet_unknown_key(r, path, key, nearest.word);
		struct path inner = fleet_path_key(path, row->field, row->key);
		if (!read_value(r, &inner, at->items[i], row, entry))
			return false;
	}
	return true;
}
