/* YAML: what is read and at which position, what is refused, and that what is written can be read back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/encoding/yaml_read.h"
#include "cli/encoding/yaml_write.h"
#include "lib/test.h"
#include "refusals.h"

static struct yaml *read_text(const char *text)
{
	struct err err = {0};
	struct yaml *yaml = yaml_tree_parse(text, strlen(text), YAML_BYTES_MAX, &err);

	if (!yaml)
		fail_msg("%s: %s", text, err.text);
	return yaml;
}

TEST(everything_has_a_position)
{
	struct yaml *yaml =
		read_text("# a fleet\ntiers:\n  pro: {limits: [a, 'b']}\n  free:\n\"x\": |\n  two\n  lines\n");
	const struct yaml *tiers = yaml->items[0], *limits = tiers->items[0]->items[0];

	assert_int_equal(yaml->count, 2);
	assert_string_equal(yaml->keys[0]->text, "tiers");
	assert_int_equal(tiers->keys[0]->line, 3);
	assert_int_equal(tiers->keys[0]->column, 3);
	assert_int_equal(limits->count, 2);
	assert_string_equal(limits->items[1]->text, "b");
	assert_true(limits->items[1]->quoted && !limits->items[0]->quoted);
	assert_int_equal(limits->items[1]->column, 21);
	assert_true(yaml_is_nothing(tiers->items[1]));
	assert_false(yaml_is_nothing(yaml->items[1]));
	assert_string_equal(yaml->items[1]->text, "two\nlines\n");
	yaml_tree_free(yaml);
	yaml = read_text("{\"a\": [1, true, \"\\u00e4\"], \"b\": {}}");
	assert_string_equal(yaml->items[0]->items[2]->text, "\xc3\xa4");
	yaml_tree_free(yaml);
}

static bool yaml_accepts(const char *text, struct err *err)
{
	return yaml_tree_parse(text, strlen(text), YAML_BYTES_MAX, err) != NULL;
}

TEST(what_is_refused_is_refused_with_its_place)
{
	static const struct refusal rows[] = {
		{"", "1:1: the document is missing"},
		{"# nothing\n", "2:1: the document is missing"},
		{"a: 1\nb: [", "not valid YAML"},
		{"a: 1\n\tb: 2\n", "2:1: a tab: indent YAML with spaces"},
		{"a: 1\nb:\n  c: 1\n  c: 2\n", "4:3: c is given twice; first in line 3"},
		{"a: &x 1\n", "1:4: anchors"},
		{"a: [&x {b: 1}]\n", "1:5: anchors"},
		{"a: *x\n", "1:4: aliases"},
		{"a: !!int 1\n", "1:4: tags"},
		{"a: !x [1]\n", "1:4: tags"},
		{"? [a]\n: 1\n", "1:3: a key must be a plain word"},
		{"a: 1\n---\nb: 2\n", "2:1: a second document"},
		{"a: \"\\0\"\n", "a NUL"},
		{"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "1:17: is nested too deeply"},
		{"a: \xff\n", "not UTF-8"},
	};

	ALL_REFUSED(rows, yaml_accepts);
}

TEST(a_large_file_is_refused_unread)
{
	size_t len = YAML_BYTES_MAX + 1;
	char *text = calloc(1, len + 1);
	struct err err = {0};

	assert_non_null(text);
	memset(text, '#', len);
	assert_null(yaml_tree_parse(text, len, YAML_BYTES_MAX, &err));
	assert_non_null(strstr(err.text, "the maximum is 1048576"));
	memset(text, '[', len - 1);
	assert_null(yaml_tree_parse(text, len - 1, YAML_BYTES_MAX, &err));
	assert_non_null(strstr(err.text, "nested too deeply"));
	free(text);
}

TEST(a_mapping_holds_as_many_keys_as_a_fleet_has_accounts)
{
	struct buf text = {0};
	struct err err = {0};

	for (int i = 0; i < 2000; i++)
		buf_putf(&text, "k%d:\n", i);
	yaml_tree_free(read_text(buf_str(&text)));
	buf_put_str(&text, "one: more\n");
	assert_null(yaml_tree_parse(buf_str(&text), text.len, YAML_BYTES_MAX, &err));
	assert_string_equal(err.text, "2001:1: a map has more than 2,000 keys");
	buf_release(&text);
}

TEST(a_path_leads_to_its_place)
{
	struct yaml *yaml = read_text("prices:\n- model: a\n  input: 1\n- model: b\n  context_tiers: [{above: 2}]\n");
	static const struct {
		const char *path;
		int line, column;
	} rows[] = {{"prices", 2, 1}, {"prices[0].input", 3, 10}, {"prices[1].context_tiers[0].above", 5, 27},
		{"prices[1].output", 4, 3}, {"prices[7]", 2, 1}, {"other", 1, 1}, {"", 1, 1}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct yaml *found = yaml_find(yaml, rows[i].path);

		assert_int_equal(found->line, rows[i].line);
		assert_int_equal(found->column, rows[i].column);
	}
	yaml_tree_free(yaml);
}

static uint64_t seed = 7;

static uint64_t some(uint64_t most)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (seed >> 11) % (most + 1);
}

static json_t *some_text(void)
{
	static const char *const words[] = {"", "a", "true", "No", "~", "null", "12", "-1", "1.5", "0x1", "2026-11-28",
		"a: b", "a #b", "- a", "[a", "{a}", "*a", "&a", "!a", "%a", "@a", "`a", "'", "\"", "\\", " a", "a ",
		"a\nb", "\n", "\t", "\x01", "\xc3\xa4", "\xf0\x9f\x98\x80", "a,b", "?", "? a", "---", "...", "<<", "=",
		"requests=60/min", "a\\,b", "\xe2\x80\xa8"};
	char text[256] = "";

	for (uint64_t i = some(3); i > 0; i--)
		strcat(text, words[some(sizeof(words) / sizeof(words[0]) - 1)]);
	return json_string(text);
}

static json_t *some_json(int depth)
{
	uint64_t kind = some(depth > 4 ? 2 : 4);
	json_t *json;

	if (kind == 0)
		return some_text();
	if (kind == 1)
		return json_integer((json_int_t)some(UINT64_C(1) << 52));
	if (kind == 2)
		return json_boolean(some(1));
	json = kind == 3 ? json_array() : json_object();
	for (uint64_t i = some(4); i > 0; i--) {
		json_t *key = some_text();
		if (kind == 3)
			json_array_append_new(json, some_json(depth + 1));
		else
			json_object_set_new(json, json_string_value(key), some_json(depth + 1));
		json_decref(key);
	}
	return json;
}

static bool is_same(const struct yaml *yaml, const json_t *json)
{
	char number[32];
	const char *key;
	json_t *value;
	size_t i = 0;

	switch (json_typeof(json)) {
	case JSON_OBJECT:
		if (yaml->kind != YAML_MAP || yaml->count != json_object_size(json))
			return false;
		json_object_foreach((json_t *)json, key, value)
		{
			if (strcmp(yaml->keys[i]->text, key) != 0 || !is_same(yaml->items[i], value))
				return false;
			i++;
		}
		return true;
	case JSON_ARRAY:
		for (i = 0; yaml->kind == YAML_LIST && i < json_array_size(json); i++)
			if (i >= yaml->count || !is_same(yaml->items[i], json_array_get(json, i)))
				return false;
		return yaml->kind == YAML_LIST && yaml->count == json_array_size(json);
	case JSON_STRING:
		return yaml->kind == YAML_TEXT && strcmp(yaml->text, json_string_value(json)) == 0 &&
		       !yaml_is_nothing(yaml);
	case JSON_INTEGER:
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(json));
		return yaml->kind == YAML_TEXT && !yaml->quoted && strcmp(yaml->text, number) == 0;
	default:
		return yaml->kind == YAML_TEXT && !yaml->quoted &&
		       strcmp(yaml->text, json_is_true(json) ? "true" : "false") == 0;
	}
}

TEST(what_is_written_is_read_back)
{
	for (int i = 0; i < 3000; i++) {
		json_t *json = some_json(0);
		struct buf text = {0};

		yaml_put(&text, json);
		struct yaml *yaml = read_text(buf_str(&text));
		if (!is_same(yaml, json))
			fail_msg("is read back as something else:\n%s", buf_str(&text));
		yaml_tree_free(yaml);
		buf_release(&text);
		json_decref(json);
	}
}
