/*
 * Writes YAML with libyaml's emitter (yaml_write.h). It quotes what must be quoted, but not what other parsers read
 * as numbers.
 */
#include "cli/encoding/yaml_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <yaml.h>

static int take(void *out, unsigned char *bytes, size_t len)
{
	buf_put(out, bytes, len);
	return 1;
}

static void emit(yaml_emitter_t *emitter, yaml_event_t *event)
{
	if (!yaml_emitter_emit(emitter, event))
		abort(); /* the events are our own: only memory can run out */
}

/* Whether a YAML 1.1 parser would read the bare word as something other than a string. */
static bool looks_otherwise(const char *text)
{
	static const char *const words[] = {"true", "false", "yes", "no", "on", "off", "y", "n", "null", "~", "", "=",
		"<<", ".inf", "-.inf", "+.inf", ".nan"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(text, words[i]) == 0)
			return true;
	/* Numbers, times and dates; but not 30s. */
	return strspn(text, "0123456789abcdefABCDEFxXoTtZz_.:+-") == strlen(text) && strpbrk(text, "0123456789");
}

static void put_scalar(yaml_emitter_t *emitter, const char *text, bool is_text)
{
	yaml_event_t event;
	yaml_scalar_style_t style =
		is_text && looks_otherwise(text) ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_ANY_SCALAR_STYLE;

	if (!yaml_scalar_event_initialize(
		    &event, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text), 1, 1, style))
		abort(); /* not UTF-8: the server never sends that */
	emit(emitter, &event);
}

static void put_value(yaml_emitter_t *emitter, const json_t *value);

static void put_map(yaml_emitter_t *emitter, const json_t *object)
{
	yaml_event_t event;
	const char *key;
	json_t *value;

	yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE);
	emit(emitter, &event);
	json_object_foreach((json_t *)object, key, value)
	{
		put_scalar(emitter, key, true);
		put_value(emitter, value);
	}
	yaml_mapping_end_event_initialize(&event);
	emit(emitter, &event);
}

static void put_list(yaml_emitter_t *emitter, const json_t *list)
{
	yaml_event_t event;

	yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE);
	emit(emitter, &event);
	for (size_t i = 0; i < json_array_size(list); i++)
		put_value(emitter, json_array_get(list, i));
	yaml_sequence_end_event_initialize(&event);
	emit(emitter, &event);
}

static void put_value(yaml_emitter_t *emitter, const json_t *value)
{
	char number[24];

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		put_map(emitter, value);
		return;
	case JSON_ARRAY:
		put_list(emitter, value);
		return;
	case JSON_STRING:
		put_scalar(emitter, json_string_value(value), true);
		return;
	case JSON_INTEGER:
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		put_scalar(emitter, number, false);
		return;
	default:
		put_scalar(emitter, json_is_true(value) ? "true" : "false", false);
	}
}

void yaml_put(struct buf *out, const json_t *document)
{
	yaml_emitter_t emitter;
	yaml_event_t event;

	if (!yaml_emitter_initialize(&emitter))
		abort();
	yaml_emitter_set_output(&emitter, take, out);
	yaml_emitter_set_unicode(&emitter, 1);
	yaml_emitter_set_width(&emitter, -1);
	yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
	emit(&emitter, &event);
	yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1);
	emit(&emitter, &event);
	put_value(&emitter, document);
	yaml_document_end_event_initialize(&event, 1);
	emit(&emitter, &event);
	yaml_stream_end_event_initialize(&event);
	emit(&emitter, &event);
	yaml_emitter_delete(&emitter);
}
