/* Reads JSON (domain/usage/raw_json.h). */
#include "domain/usage/raw_json.h"

#include <string.h>

#include "base/text/json_token.h"
#include "domain/limit/limit.h"

struct source {
	const char *start, *p, *end;
	struct arena *arena;
	struct err *err;
	int values;
};

static bool wrong(struct source *source, const char *what)
{
	return err_set(source->err, ERR_INVALID, "%s at byte %zu", what, (size_t)(source->p - source->start));
}

static void blanks(struct source *source)
{
	while (source->p < source->end && strchr(" \t\r\n", *source->p) && *source->p)
		source->p++;
}

static bool next_is(struct source *source, char c)
{
	blanks(source);
	if (source->p == source->end || *source->p != c)
		return false;
	source->p++;
	return true;
}

bool raw_json_is_number(const char *text, size_t len)
{
	return len && json_number_len(text, text + len) == len;
}

/* After the opening quote. */
static bool string(struct source *source, const char **text, size_t *len)
{
	const char *p = source->p;

	while (p < source->end && *p != '"') {
		size_t n = *p == '\\' ? json_escape_len(p, source->end) : 1;

		if (!n || (unsigned char)*p < 0x20) {
			source->p = p;
			return wrong(source, "is not valid JSON: a character in a string");
		}
		p += n;
	}
	if (p >= source->end)
		return wrong(source, "is not valid JSON: a string does not end");
	*text = source->p;
	*len = (size_t)(p - source->p);
	source->p = p + 1;
	return true;
}

static bool twice(const struct raw_json *object, const struct raw_json *member)
{
	for (const struct raw_json *other = object->child; other; other = other->next)
		if (other->key_len == member->key_len && memcmp(other->key, member->key, member->key_len) == 0)
			return true;
	return false;
}

static bool value(struct source *source, int depth, struct raw_json *out);

/* One value of an array or object; `last` is where it is linked. */
static bool item(struct source *source, int depth, struct raw_json *parent, struct raw_json ***last)
{
	struct raw_json *made = arena_zalloc(source->arena, 1, sizeof(*made));

	if (parent->type == RAW_JSON_OBJECT) {
		if (!next_is(source, '"'))
			return wrong(source, "is not valid JSON: a member needs a name in quotes");
		if (!string(source, &made->key, &made->key_len))
			return false;
		if (twice(parent, made))
			return wrong(source, "has a member twice");
		if (!next_is(source, ':'))
			return wrong(source, "is not valid JSON: a colon is missing");
	}
	if (!value(source, depth + 1, made))
		return false;
	**last = made;
	*last = &made->next;
	return true;
}

static bool items(struct source *source, int depth, struct raw_json *parent)
{
	char close = parent->type == RAW_JSON_OBJECT ? '}' : ']';
	struct raw_json **last = &parent->child;
	int count = 0;

	if (depth >= RAW_JSON_DEPTH_MAX)
		return wrong(source, "is nested more deeply than 32 levels");
	if (next_is(source, close))
		return true;
	do {
		if (parent->type == RAW_JSON_OBJECT && ++count > RAW_JSON_MEMBERS_MAX)
			return wrong(source, "has an object with more than 256 members");
		if (!item(source, depth, parent, &last))
			return false;
	} while (next_is(source, ','));
	return next_is(source, close) || wrong(source, "is not valid JSON: a comma or a closing bracket is missing");
}

static bool literal(struct source *source, struct raw_json *out)
{
	static const struct {
		const char *text;
		enum raw_json_type type;
	} words[] = {{"null", RAW_JSON_NULL}, {"true", RAW_JSON_TRUE}, {"false", RAW_JSON_FALSE}};
	size_t left = (size_t)(source->end - source->p), n = json_number_len(source->p, source->end);

	if (n) {
		*out = (struct raw_json){
			.type = RAW_JSON_NUMBER, .key = out->key, .key_len = out->key_len, .text = source->p, .len = n};
		source->p += n;
		return true;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		n = strlen(words[i].text);
		if (left < n || memcmp(source->p, words[i].text, n) != 0)
			continue;
		out->type = words[i].type;
		source->p += n;
		return true;
	}
	return wrong(source, "is not valid JSON: a value is missing");
}

static bool value(struct source *source, int depth, struct raw_json *out)
{
	if (++source->values > RAW_JSON_VALUES_MAX)
		return wrong(source, "has more than 4096 values");
	if (next_is(source, '"')) {
		out->type = RAW_JSON_STRING;
		return string(source, &out->text, &out->len);
	}
	if (next_is(source, '{')) {
		out->type = RAW_JSON_OBJECT;
		return items(source, depth, out);
	}
	if (next_is(source, '[')) {
		out->type = RAW_JSON_ARRAY;
		return items(source, depth, out);
	}
	return literal(source, out);
}

bool raw_json_parse(const char *json, size_t len, struct arena *arena, struct raw_json **out, struct err *err)
{
	struct source source = {.start = json, .p = json, .end = json + len, .arena = arena, .err = err};
	struct raw_json *root = arena_zalloc(arena, 1, sizeof(*root));

	if (len > RAW_JSON_BYTES_MAX)
		return err_set(err, ERR_INVALID, "is longer than 65536 bytes");
	if (!value(&source, 0, root))
		return false;
	blanks(&source);
	if (source.p != source.end)
		return wrong(&source, "is not valid JSON: something follows the value");
	*out = root;
	return true;
}

const char *raw_json_string(const struct raw_json *value, struct arena *arena)
{
	const char *end;
	char *text, *to;
	size_t put, len;

	if (value->type != RAW_JSON_STRING)
		return NULL;
	text = to = arena_alloc(arena, value->len + 5);
	end = value->text + value->len;
	for (const char *p = value->text; p < end; p += len) {
		if (*p != '\\') {
			*to++ = *p;
			len = 1;
			continue;
		}
		if (!json_unescape(p, end, to, &put, &len))
			return NULL;
		to += put;
	}
	*to = '\0';
	return text;
}

static char folded(const char *text, size_t len, size_t *at)
{
	while (*at < len && text[*at] == '_')
		++*at;
	if (*at == len)
		return '\0';
	return (char)(text[*at] >= 'A' && text[*at] <= 'Z' ? text[*at] | 0x20 : text[*at]);
}

bool raw_json_same_name(const char *a, size_t a_len, const char *b, size_t b_len)
{
	for (size_t i = 0, k = 0;; i++, k++) {
		char x = folded(a, a_len, &i), y = folded(b, b_len, &k);

		if (x != y)
			return false;
		if (i >= a_len || k >= b_len)
			return i >= a_len && k >= b_len;
	}
}

/* The exponent, at most 10,000 in either direction. */
static int exponent(const char *p, const char *end)
{
	bool minus = p < end && *p == '-';
	int value = 0;

	for (p += p < end && (*p == '-' || *p == '+'); p < end; p++)
		if (value < 10000)
			value = value * 10 + (*p - '0');
	if (value > 10000)
		value = 10000;
	return minus ? -value : value;
}

bool raw_json_decimal(const char *text, size_t len, int scale, int64_t *out)
{
	const char *end = text + len, *e = text;
	int64_t sum = 0, whole = 0; /* `whole`: digits before the point, seen and to come */
	bool rest = false;

	if (!raw_json_is_number(text, len) || *text == '-')
		return false;
	while (e < end && *e != 'e' && *e != 'E')
		e++;
	whole = (e < end ? exponent(e + 1, end) : 0) + scale;
	for (const char *p = text; p < e && *p != '.'; p++)
		whole++;
	for (const char *p = text; p < e; p++) {
		if (*p == '.')
			continue;
		if (whole-- > 0)
			sum = sum * 10 + (*p - '0');
		else
			rest |= *p != '0';
		if (sum > COUNT_MAX)
			return false;
	}
	for (; whole > 0 && sum; whole--) {
		sum *= 10;
		if (sum > COUNT_MAX)
			return false;
	}
	sum += rest;
	if (sum > COUNT_MAX)
		return false;
	*out = sum;
	return true;
}
