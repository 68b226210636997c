/* The tokens of JSON, and errors about them. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/json/reader.h"
#include "base/text/json_token.h"
#include "base/utf8.h"

enum { SHOWN = 40 }; /* bytes of a wrong value that an error quotes */

/* Appends the path from the outside to the inside; returns its length. */
static size_t place_path(const struct json_place *at, char *out, size_t size)
{
	size_t len = at->outer ? place_path(at->outer, out, size) : 0;
	int n;

	if (at->name)
		n = snprintf(out + len, size - len, "%s%s", len ? "." : "", at->name);
	else
		n = snprintf(out + len, size - len, "[%zu]", at->index);
	len += n < 0 ? 0 : (size_t)n;
	return len < size ? len : size - 1;
}

bool json_wrong(struct json_reader *reader, const char *fmt, ...)
{
	char sentence[sizeof(reader->err->text)], path[sizeof(reader->err->field)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	if (!reader->at)
		return err_set(reader->err, ERR_INVALID, "the JSON %s", sentence);
	place_path(reader->at, path, sizeof(path));
	return err_invalid(reader->err, path, "%s", sentence);
}

bool json_wrong_kind(struct json_reader *reader, const struct json_value *value, const char *wanted)
{
	static const char *const words[] = {[JSON_IS_NULL] = "null",
		[JSON_IS_FALSE] = "false",
		[JSON_IS_TRUE] = "true",
		[JSON_IS_LIST] = "a list [...]",
		[JSON_IS_OBJECT] = "an object {...}"};
	const char *quote = value->kind == JSON_IS_NUMBER ? "" : "\"";

	if (value->kind != JSON_IS_NUMBER && value->kind != JSON_IS_STRING && value->kind != JSON_IS_PLAIN)
		return json_wrong(reader, "must be %s, not %s", wanted, words[value->kind]);
	return json_wrong(reader, "must be %s, not %s%.*s%s%s", wanted, quote,
		(int)(value->len < SHOWN ? value->len : SHOWN), value->text, value->len > SHOWN ? "..." : "", quote);
}

bool json_not_json(struct json_reader *reader, const char *what)
{
	size_t line = 1;
	const char *begin = reader->start;

	for (const char *p = reader->start; p < reader->p; p++)
		if (*p == '\n') {
			line++;
			begin = p + 1;
		}
	return err_set(reader->err, ERR_INVALID, "line %zu, column %zu: not valid JSON: %s", line,
		(size_t)(reader->p - begin) + 1, what);
}

static void blanks(struct json_reader *reader)
{
	const char *p = reader->p;

	while (p < reader->end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	reader->p = p;
}

bool json_next_is(struct json_reader *reader, char c)
{
	blanks(reader);
	if (reader->p == reader->end || *reader->p != c)
		return false;
	reader->p++;
	return true;
}

/* What is wrong with the part of a string at `p`; NULL: nothing, and it has `n` bytes. */
static const char *wrong_part(const char *p, const char *end, size_t *n)
{
	*n = 1;
	if (p == end)
		return "a string does not end";
	if ((unsigned char)*p < 0x20)
		return "a control character in a string, which needs an escape such as \\n";
	if (*p == '\\')
		*n = json_escape_len(p, end);
	return *n ? NULL : "a backslash that begins no escape";
}

/* The closing quote of the string at reader->p; NULL with the error set. `escaped`: it has a backslash. */
static const char *string_end(struct json_reader *reader, bool *escaped, bool *ascii)
{
	const char *p = reader->p, *wrong;
	size_t n;

	*escaped = false;
	*ascii = true;
	for (;; p += n) {
		p += json_plain_len(p, reader->end);
		if (p < reader->end && *p == '"')
			return p;
		wrong = wrong_part(p, reader->end, &n);
		if (wrong)
			break;
		*escaped |= *p == '\\';
		*ascii &= (unsigned char)*p < 0x80;
	}
	if (p < reader->end) /* otherwise it is said where the string begins */
		reader->p = p;
	json_not_json(reader, wrong);
	return NULL;
}

static bool unescape_all(struct json_reader *reader, const char *p, const char *end, const char **text, size_t *len)
{
	char *out = arena_alloc(reader->arena, (size_t)(end - p) + 1), *to = out;
	size_t put, n;

	while (p < end) {
		const char *next = memchr(p, '\\', (size_t)(end - p));
		size_t plain = (size_t)((next ? next : end) - p);

		memcpy(to, p, plain);
		to += plain;
		p += plain;
		if (!next)
			break;
		if (!json_unescape(p, end, to, &put, &n))
			return json_wrong(reader, "contains %s",
				memcmp(p, "\\u0000", 6) == 0 ? "a NUL character" : "half a surrogate pair");
		to += put;
		p += n;
	}
	*text = out;
	*len = (size_t)(to - out);
	return true;
}

/* After the opening quote. Text without escapes stays where it is. */
static bool string(struct json_reader *reader, const char **text, size_t *len)
{
	bool escaped, ascii;
	const char *p = reader->p, *end = string_end(reader, &escaped, &ascii);

	if (!end)
		return false;
	if (!ascii && !utf8_valid(p, (size_t)(end - p)))
		return json_wrong(reader, "is not valid UTF-8");
	reader->p = end + 1;
	if (escaped)
		return unescape_all(reader, p, end, text, len);
	*text = p;
	*len = (size_t)(end - p);
	return true;
}

bool json_scan_name(struct json_reader *reader, const char **name, size_t *len)
{
	if (!json_next_is(reader, '"'))
		return json_not_json(reader, "the name of a member is missing, in quotes");
	if (!string(reader, name, len))
		return false;
	return json_next_is(reader, ':') || json_not_json(reader, "a colon is missing");
}

static bool word(struct json_reader *reader, const char *text, enum json_kind kind, struct json_value *out)
{
	size_t len = strlen(text);

	if ((size_t)(reader->end - reader->p) < len || memcmp(reader->p, text, len) != 0)
		return json_not_json(reader, "a value is missing");
	reader->p += len;
	out->kind = kind;
	return true;
}

static bool number(struct json_reader *reader, struct json_value *out)
{
	size_t len = json_number_len(reader->p, reader->end);

	if (!len)
		return json_not_json(reader, reader->p < reader->end && strchr("+-.0123456789", *reader->p)
						     ? "a number that JSON writes in another way"
						     : "a value is missing");
	*out = (struct json_value){.kind = JSON_IS_NUMBER, .text = reader->p, .len = len};
	reader->p += len;
	return true;
}

bool json_scan_value(struct json_reader *reader, struct json_value *out)
{
	blanks(reader);
	*out = (struct json_value){.text = reader->p};
	switch (reader->p < reader->end ? *reader->p : '\0') {
	case '"':
		reader->p++;
		out->kind = JSON_IS_STRING;
		return string(reader, &out->text, &out->len);
	case '{':
		reader->p++;
		out->kind = JSON_IS_OBJECT;
		return true;
	case '[':
		reader->p++;
		out->kind = JSON_IS_LIST;
		return true;
	case 't':
		return word(reader, "true", JSON_IS_TRUE, out);
	case 'f':
		return word(reader, "false", JSON_IS_FALSE, out);
	case 'n':
		return word(reader, "null", JSON_IS_NULL, out);
	default:
		return number(reader, out);
	}
}
