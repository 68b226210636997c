/* Walks paths (domain/usage/path.h). */
#include "domain/usage/path.h"

#include <string.h>

#include "domain/limit/limit.h"

/* What is done with each value at the end of a path. False ends the walk. */
struct visit {
	bool (*see)(struct visit *visit, struct json *value);
	enum path_unit unit;
	int64_t sum;
	int count, max;
	bool enough; /* no other alternative is needed */
	struct json **found;
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

static struct json *member(struct json *object, const char *name, size_t len)
{
	if (object->type != JSON_OBJECT)
		return NULL;
	for (struct json *child = object->child; child; child = child->next)
		if (json_same_name(child->key, child->key_len, name, len))
			return child;
	return NULL;
}

/* Enumerations may be written with their type: MediaModality.AUDIO. */
static bool has_word(struct json *value, const struct segment *segment)
{
	struct json *said = segment->key ? member(value, segment->key, segment->key_len) : NULL;
	const char *text, *dot;
	size_t len;

	if (!segment->key)
		return true;
	if (said && said->type == JSON_TRUE)
		return json_same_name("true", 4, segment->word, segment->word_len);
	if (!said || said->type != JSON_STRING)
		return false;
	text = said->text;
	len = said->len;
	dot = memrchr(text, '.', len);
	if (dot) {
		len -= (size_t)(dot + 1 - text);
		text = dot + 1;
	}
	return json_same_name(text, len, segment->word, segment->word_len);
}

static bool walk(struct json *value, const char *path, size_t len, struct visit *visit);

static bool walk_into(
	struct json *value, const struct segment *segment, const char *rest, size_t len, struct visit *visit)
{
	if (value->type != JSON_ARRAY)
		return !has_word(value, segment) || walk(value, rest, len, visit);
	for (struct json *item = value->child; item; item = item->next)
		if (has_word(item, segment) && !walk(item, rest, len, visit))
			return false;
	return true;
}

static bool walk(struct json *value, const char *path, size_t len, struct visit *visit)
{
	struct segment segment;
	struct json *at;

	if (!len)
		return value->type == JSON_NULL || visit->see(visit, value);
	segment = segment_of(path, len);
	at = segment.name_len ? member(value, segment.name, segment.name_len) : value;
	return !at || walk_into(at, &segment, path + segment.len, len - segment.len, visit);
}

/* Runs the alternatives until one of them is enough, or, with `all`, all of them. */
static bool walk_any(struct json *from, const char *path, bool all, struct visit *visit)
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

static bool see_number(struct visit *visit, struct json *value)
{
	int64_t number, up;

	if (value->type == JSON_OBJECT && !value->child) /* how some clients write that it is not set */
		return true;
	if (visit->unit == PATH_COUNT) {
		number = 1;
	} else if (value->type != JSON_NUMBER || !json_decimal(value->text, value->len, 0, &number) ||
		   (visit->unit == PATH_WHOLE && json_decimal(value->text, value->len, 3, &up) &&
			   up != number * 1000)) {
		err_set(visit->err, ERR_INVALID, "%.*s must be a %snumber from 0 to 2^53-1", (int)visit->path_len,
			visit->path, visit->unit == PATH_WHOLE ? "whole " : "");
		return false;
	}
	value->read = true;
	visit->count++;
	visit->enough |= number > 0;
	visit->sum = capped_sum(visit->sum, number);
	return true;
}

static bool see_known(struct visit *visit, struct json *value)
{
	value->read = true;
	for (struct json *child = value->child; child; child = child->next)
		see_known(visit, child);
	return true;
}

static bool see_value(struct visit *visit, struct json *value)
{
	if (visit->count < visit->max)
		visit->found[visit->count] = value;
	visit->count++;
	visit->enough = true;
	return true;
}

void path_known(struct json *from, const char *path)
{
	struct visit visit = {.see = see_known};

	walk_any(from, path, true, &visit);
}

bool path_sum(struct json *from, const char *path, enum path_unit unit, struct path_sum *out, struct err *err)
{
	struct visit visit = {.see = see_number, .unit = unit, .err = err};

	if (!walk_any(from, path, false, &visit))
		return false;
	*out = (struct path_sum){.told = visit.count > 0, .sum = visit.sum};
	if (visit.count && unit != PATH_COUNT)
		path_known(from, path); /* other alternatives say the same again */
	return true;
}

int path_all(struct json *from, const char *path, struct json *out[], int max)
{
	struct visit visit = {.see = see_value, .found = out, .max = max};

	walk_any(from, path, false, &visit);
	return visit.count;
}

struct json *path_first(struct json *from, const char *path)
{
	struct json *found = NULL;

	path_all(from, path, &found, 1);
	return found;
}
