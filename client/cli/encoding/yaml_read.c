/* Builds a tree from libyaml's events (yaml_read.h). */
#include "cli/encoding/yaml_read.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/arena.h"

/* Every key is compared with all keys before it. */
enum { KEYS_MAX = 2000 };

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the current event */
	bool has_event;
	const char *text; /* the text being parsed */
	size_t len;
	struct err *err;
};

static bool wrong_at(struct err *err, size_t line, size_t column, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static bool wrong_at(struct err *err, size_t line, size_t column, const char *fmt, ...)
{
	char sentence[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	return err_set(err, ERR_INVALID, "%zu:%zu: %s", line + 1, column + 1, sentence);
}

bool yaml_wrong(const struct yaml *at, struct err *err, const char *fmt, ...)
{
	char sentence[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	return err_set(err, ERR_INVALID, "%d:%d: %s", at->line, at->column, sentence);
}

/* Whether libyaml stopped at a tab. Its marks count characters in a line. */
static bool tab_at(const struct reader *reader, const yaml_mark_t *mark)
{
	const char *p = reader->text, *end = reader->text + reader->len;

	for (size_t line = 0; line < mark->line && p; line++) {
		p = memchr(p, '\n', (size_t)(end - p));
		p = p ? p + 1 : NULL;
	}
	for (; p && p < end && *p != '\n' && (*p == ' ' || *p == '\t'); p++)
		if (*p == '\t')
			return true;
	return false;
}

static bool parser_wrong(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	const char *problem = parser->problem ? parser->problem : "it is not YAML";

	/* For bytes that are not text, libyaml gives only the offset. */
	if (parser->error == YAML_READER_ERROR)
		return wrong_at(reader->err, parser->mark.line, parser->mark.column, "not UTF-8 text: %s", problem);
	if (tab_at(reader, &parser->problem_mark))
		return wrong_at(reader->err, parser->problem_mark.line, parser->problem_mark.column,
			"a tab: indent YAML with spaces");
	return wrong_at(reader->err, parser->problem_mark.line, parser->problem_mark.column, "not valid YAML: %s%s%s",
		problem, parser->context ? ", " : "", parser->context ? parser->context : "");
}

/* Moves to the next event. */
static bool next(struct reader *reader)
{
	if (reader->has_event)
		yaml_event_delete(&reader->event);
	reader->has_event = false;
	if (!yaml_parser_parse(&reader->parser, &reader->event))
		return parser_wrong(reader);
	reader->has_event = true;
	return true;
}

static bool wrong_here(struct reader *reader, const char *sentence)
{
	const yaml_mark_t *mark = &reader->event.start_mark;

	return wrong_at(reader->err, mark->line, mark->column, "%s", sentence);
}

static struct yaml *node_new(const yaml_event_t *event, enum yaml_kind kind)
{
	struct yaml *node = mem_zalloc(1, sizeof(*node));

	node->kind = kind;
	node->line = (int)event->start_mark.line + 1;
	node->column = (int)event->start_mark.column + 1;
	return node;
}

void yaml_tree_free(struct yaml *yaml)
{
	if (!yaml)
		return;
	for (size_t i = 0; i < yaml->count; i++) {
		if (yaml->keys)
			yaml_tree_free(yaml->keys[i]);
		yaml_tree_free(yaml->items[i]);
	}
	free(yaml->keys);
	free(yaml->items);
	free(yaml->text);
	free(yaml);
}

static void grow(struct yaml ***list, size_t count)
{
	if (count % 16)
		return;
	*list = mem_realloc(*list, (count + 16) * sizeof(**list));
}

/* The node owns the item (and the key) from now on. */
static void node_add(struct yaml *node, struct yaml *key, struct yaml *item)
{
	if (key) {
		grow(&node->keys, node->count);
		node->keys[node->count] = key;
	}
	grow(&node->items, node->count);
	node->items[node->count++] = item;
}

static struct yaml *read_node(struct reader *reader, int depth);

static struct yaml *read_text(struct reader *reader)
{
	const yaml_event_t *event = &reader->event;
	const char *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	struct yaml *node;

	if (memchr(value, 0, len)) {
		wrong_here(reader, "a text cannot contain a NUL character");
		return NULL;
	}
	node = node_new(event, YAML_TEXT);
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	node->text = strndup(value, len);
	if (!node->text)
		mem_exhausted(len + 1);
	return node;
}

static struct yaml *read_list(struct reader *reader, int depth)
{
	struct yaml *node = node_new(&reader->event, YAML_LIST);

	for (;;) {
		struct yaml *item;

		if (!next(reader))
			break;
		if (reader->event.type == YAML_SEQUENCE_END_EVENT)
			return node;
		item = read_node(reader, depth + 1);
		if (!item)
			break;
		node_add(node, NULL, item);
	}
	yaml_tree_free(node);
	return NULL;
}

/* The current key; NULL when it is not a valid key, or a duplicate. */
static struct yaml *read_key(struct reader *reader, const struct yaml *map)
{
	struct yaml *key;

	if (reader->event.type != YAML_SCALAR_EVENT) {
		wrong_here(reader, "a key must be a plain word");
		return NULL;
	}
	if (map->count == KEYS_MAX) {
		wrong_here(reader, "a map has more than 2,000 keys");
		return NULL;
	}
	key = read_node(reader, 0);
	for (size_t i = 0; key && i < map->count; i++) {
		if (strcmp(map->keys[i]->text, key->text) != 0)
			continue;
		yaml_wrong(key, reader->err, "%.64s is given twice; first in line %d", key->text, map->keys[i]->line);
		yaml_tree_free(key);
		return NULL;
	}
	return key;
}

static struct yaml *read_map(struct reader *reader, int depth)
{
	struct yaml *node = node_new(&reader->event, YAML_MAP);

	for (;;) {
		struct yaml *key, *item;

		if (!next(reader))
			break;
		if (reader->event.type == YAML_MAPPING_END_EVENT)
			return node;
		key = read_key(reader, node);
		if (!key)
			break;
		item = next(reader) ? read_node(reader, depth + 1) : NULL;
		if (!item) {
			yaml_tree_free(key);
			break;
		}
		node_add(node, key, item);
	}
	yaml_tree_free(node);
	return NULL;
}

/* Aliases could make a small text expand into a large one, and tags could change its meaning. */
static bool is_bare(struct reader *reader)
{
	const yaml_event_t *event = &reader->event;
	const yaml_char_t *anchor = NULL, *tag = NULL;

	if (event->type == YAML_ALIAS_EVENT)
		return wrong_here(reader, "aliases (*name) are not supported: write the value out");
	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	}
	if (anchor)
		return wrong_here(reader, "anchors (&name) are not supported: write the value out");
	return !tag || wrong_here(reader, "tags (!name) are not supported: leave the tag out");
}

/* The node that begins with the current event. */
static struct yaml *read_node(struct reader *reader, int depth)
{
	if (!is_bare(reader))
		return NULL;
	if (depth >= YAML_DEPTH_MAX) {
		wrong_here(reader, "is nested too deeply");
		return NULL;
	}
	if (reader->event.type == YAML_SCALAR_EVENT)
		return read_text(reader);
	if (reader->event.type == YAML_SEQUENCE_START_EVENT)
		return read_list(reader, depth);
	if (reader->event.type == YAML_MAPPING_START_EVENT)
		return read_map(reader, depth);
	wrong_here(reader, "a value is missing");
	return NULL;
}

/* Reads the only document of the stream. */
static struct yaml *read_document(struct reader *reader)
{
	struct yaml *root;

	if (!next(reader)) /* start of the stream */
		return NULL;
	if (!next(reader))
		return NULL;
	if (reader->event.type != YAML_DOCUMENT_START_EVENT) {
		wrong_here(reader, "the document is missing");
		return NULL;
	}
	root = next(reader) ? read_node(reader, 0) : NULL;
	bool ended = root && next(reader); /* end of the document */
	if (ended && next(reader)) {
		if (reader->event.type == YAML_STREAM_END_EVENT)
			return root;
		wrong_here(reader, "a second document begins; a file can have only one");
	}
	yaml_tree_free(root);
	return NULL;
}

struct yaml *yaml_tree_parse(const char *text, size_t len, size_t most, struct err *err)
{
	struct reader reader = {.text = text, .len = len, .err = err};
	struct yaml *root;

	if (len > most) {
		wrong_at(err, 0, 0, "has %zu bytes; the maximum is %zu", len, most);
		return NULL;
	}
	if (!yaml_parser_initialize(&reader.parser))
		abort();
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, len);
	root = read_document(&reader);
	if (reader.has_event)
		yaml_event_delete(&reader.event);
	yaml_parser_delete(&reader.parser);
	return root;
}

bool yaml_is_nothing(const struct yaml *yaml)
{
	return yaml->kind == YAML_TEXT && !yaml->quoted && (!yaml->text[0] || strcmp(yaml->text, "~") == 0);
}

/* The item that the first step of the path names; moves *path past it. */
static const struct yaml *step(const struct yaml *yaml, const char **path)
{
	const char *name = *path;
	char *end;

	if (*name == '[') {
		unsigned long at = strtoul(name + 1, &end, 10);
		*path = end + (*end == ']');
		return yaml->kind == YAML_LIST && at < yaml->count ? yaml->items[at] : NULL;
	}
	name += *name == '.';
	size_t len = strcspn(name, ".[");
	*path = name + len;
	for (size_t i = 0; yaml->kind == YAML_MAP && i < yaml->count; i++)
		if (strlen(yaml->keys[i]->text) == len && strncmp(yaml->keys[i]->text, name, len) == 0)
			return yaml->items[i];
	return NULL;
}

const struct yaml *yaml_find(const struct yaml *yaml, const char *path)
{
	while (*path) {
		const struct yaml *next_one = step(yaml, &path);

		if (!next_one)
			break;
		yaml = next_one;
	}
	return yaml;
}
