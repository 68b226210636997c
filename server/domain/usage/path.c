/* Walks paths (domain/usage/path.h). */
#include "domain/usage/path.h"

#include <string.h>

#include "domain/limit/limit.h"

/* What is done with each value at the end of a path. False ends the walk. */
struct visit {
	bool (*see)(struct visit *visit, struct raw_json *value);
	enum path_unit unit;
	int64_t sum;
	int count, max;
	bool enough; /* no other alternative is needed */
	struct raw_json **found;
	const char *path; /* of this alternative, and its length: for errors */
	size_t path_len;
	struct err *err;
};

struct segment {
	const char *name, *key, *word; /* key NULL: no condition */
	size_t name_len, key_len, word_len, len;
};

int64_t capped_sum(int64_t a, int64_t b)
{
	return a > COUNT_MAX - b ? COUNT_MAX + 1 : a + b;
}

static struct segment segment_of(const char *path, size_t len)
{
	const char *end = path + len, *p = path, *equals;
	struct segment segment = {.name = path};

	while (p < end && *p != '.' && *p != '[')
		p++;
	segment.name_len = (size_t)(p - path);
	if (p < end && *p == '[') {
		segment.key = p + 1;
		equals = memchr(p, '=', (size_t)(end - p));
		segment.key_len = (size_t)(equals - segment.key);
		segment.word = equals + 1;
		p = memchr(p, ']', (size_t)(end - p));
		segment.word_len = (size_t)(p - segment.word);
		p++;
	}
	segment.len = (size_t)(p - path) + (p < end && *p == '.');
	return segment;
}

static struct raw_json *member(struct raw_json *object, const char *name, size_t len)
{
	if (object->type != RAW_JSON_OBJECT)
		return NULL;
	for (struct raw_json *child = object->child; child; child = child->next)
		if (raw_json_same_name(child->key, child->key_len, name, len))
			return child;
	return NULL;
}

/* Enumerations may be written with their type: MediaModality.AUDIO. */
static bool has_word(struct raw_json *value, const struct segment *segment)
{
	struct raw_json *said = segment->key ? member(value, segment->key, segment->key_len) : NULL;
	const char *text, *dot;
	size_t len;

	if (!segment->key)
		return true;
	if (said && said->type == RAW_JSON_TRUE)
		return raw_json_same_name("true", 4, segment->word, segment->word_len);
	if (!said || said->type != RAW_JSON_STRING)
		return false;
	text = said->text;
	len = said->len;
	dot = memrchr(text, '.', len);
	if (dot) {
		len -= (size_t)(dot + 1 - text);
		text = dot + 1;
	}
	return raw_json_same_name(text, len, segment->word, segment->word_len);
}

static bool walk(struct raw_json *value, const char *path, size_t len, struct visit *visit);

static bool walk_into(
	struct raw_json *value, const struct segment *segment, const char *rest, size_t len, struct visit *visit)
{
	if (value->type != RAW_JSON_ARRAY)
		return !has_word(value, segment) || walk(value, rest, len, visit);
	for (struct raw_json *item = value->child; item; item = item->next)
		if (has_word(item, segment) && !walk(item, rest, len, visit))
			return false;
	return true;
}

static bool walk(struct raw_json *value, const char *path, size_t len, struct visit *visit)
{
	struct segment segment;
	struct raw_json *at;

	if (!len)
		return value->type == RAW_JSON_NULL || visit->see(visit, value);
	segment = segment_of(path, len);
	at = segment.name_len ? member(value, segment.name, segment.name_len) : value;
	return !at || walk_into(at, &segment, path + segment.len, len - segment.len, visit);
}

/* Runs the alternatives until one of them is enough, or, with `all`, all of them. */
static bool walk_any(struct raw_json *from, const char *path, bool all, struct visit *visit)
{
	while (*path && (all || !visit->enough)) {
		visit->path = path;
		visit->path_len = strcspn(path, "|");
		if (!walk(from, path, visit->path_len, visit))
			return false;
		path += visit->path_len;
		path += *path == '|';
	}
	return true;
}

/* A number, or one in quotes, as protobuf writes an int64. */
static bool number_of(const struct raw_json *value, enum path_unit unit, int64_t *out)
{
	int64_t thousandths;

	if (value->type != RAW_JSON_NUMBER && value->type != RAW_JSON_STRING)
		return false;
	if (!raw_json_decimal(value->text, value->len, 0, out))
		return false;
	return unit != PATH_WHOLE || !raw_json_decimal(value->text, value->len, 3, &thousandths) ||
	       thousandths == *out * 1000;
}

static bool see_number(struct visit *visit, struct raw_json *value)
{
	int64_t number = 1;

	if (value->type == RAW_JSON_OBJECT && !value->child) /* how some clients write that it is not set */
		return true;
	if (visit->unit != PATH_COUNT && !number_of(value, visit->unit, &number))
		return err_set(visit->err, ERR_INVALID, "%.*s must be a %snumber from 0 to 2^53-1",
			(int)visit->path_len, visit->path, visit->unit == PATH_WHOLE ? "whole " : "");
	value->read = true;
	visit->count++;
	visit->enough |= number > 0;
	visit->sum = capped_sum(visit->sum, number);
	return true;
}

static bool see_known(struct visit *visit, struct raw_json *value)
{
	value->read = true;
	for (struct raw_json *child = value->child; child; child = child->next)
		see_known(visit, child);
	return true;
}

static bool see_value(struct visit *visit, struct raw_json *value)
{
	if (visit->count < visit->max)
		visit->found[visit->count] = value;
	visit->count++;
	visit->enough = true;
	return true;
}

void path_known(struct raw_json *from, const char *path)
{
	struct visit visit = {.see = see_known};

	walk_any(from, path, true, &visit);
}

bool path_sum(struct raw_json *from, const char *path, enum path_unit unit, struct path_sum *out, struct err *err)
{
	struct visit visit = {.see = see_number, .unit = unit, .err = err};

	if (!walk_any(from, path, false, &visit))
		return false;
	*out = (struct path_sum){.told = visit.count > 0, .sum = visit.sum};
	if (visit.count && unit != PATH_COUNT)
		path_known(from, path); /* other alternatives say the same again */
	return true;
}

int path_all(struct raw_json *from, const char *path, struct raw_json *out[], int max)
{
	struct visit visit = {.see = see_value, .found = out, .max = max};

	walk_any(from, path, false, &visit);
	return visit.count;
}

struct raw_json *path_first(struct raw_json *from, const char *path)
{
	struct raw_json *found = NULL;

	path_all(from, path, &found, 1);
	return found;
}
