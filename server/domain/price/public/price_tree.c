/* Reads JSON, and the Python constructors of genai-prices, into a tree. */
#include "domain/price/public/price_tree.h"

#include <string.h>

#include "base/utf8.h"

struct reader {
	const char *at, *end;
	struct arena *arena;
	bool python;
	int line, nodes;
	struct err *err;
};

static bool value_read(struct reader *reader, int depth, struct tree *out);

static bool wrong(struct reader *reader, const char *why)
{
	return err_set(reader->err, ERR_INVALID, "line %d: %s", reader->line, why);
}

static void blanks_skip(struct reader *reader)
{
	while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) && *reader->at)
		reader->line += *reader->at++ == '\n';
}

static bool accept(struct reader *reader, char c)
{
	blanks_skip(reader);
	if (reader->at == reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

static bool expect(struct reader *reader, char c)
{
	char why[] = "expected ' '";

	why[10] = c;
	return accept(reader, c) || wrong(reader, why);
}

static bool hex_read(struct reader *reader, int digits, uint32_t *out)
{
	*out = 0;
	for (int i = 0; i < digits; i++) {
		char c = '\0';

		if (reader->at < reader->end)
			c = *reader->at++;
		if (c >= '0' && c <= '9')
			*out = *out * 16 + (uint32_t)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			*out = *out * 16 + (uint32_t)((c | 32) - 'a' + 10);
		else
			return wrong(reader, "an escape has a character that is not a hexadecimal digit");
	}
	return true;
}

/* What follows "\u", and the second half of a pair. */
static bool unicode_read(struct reader *reader, uint32_t *out)
{
	uint32_t low;

	if (!hex_read(reader, 4, out))
		return false;
	if (*out < 0xd800 || *out > 0xdfff)
		return true;
	if (*out > 0xdbff || reader->end - reader->at < 2 || reader->at[0] != '\\' || reader->at[1] != 'u')
		return wrong(reader, "half of a surrogate pair is missing");
	reader->at += 2;
	if (!hex_read(reader, 4, &low))
		return false;
	if (low < 0xdc00 || low > 0xdfff)
		return wrong(reader, "half of a surrogate pair is missing");
	*out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
	return true;
}

/* What follows a backslash; *n is how many bytes it becomes, fewer than it was. */
static bool escape_read(struct reader *reader, char *out, size_t *n)
{
	static const char names[] = "\"\\/bfnrt'", chars[] = "\"\\/\b\f\n\r\t'";
	const char *at;
	uint32_t code;
	char c;

	if (reader->at == reader->end)
		return wrong(reader, "a text does not end");
	c = *reader->at++;
	*n = 1;
	if (c == 'u' || (reader->python && c == 'x')) {
		if (!(c == 'u' ? unicode_read(reader, &code) : hex_read(reader, 2, &code)))
			return false;
		*n = utf8_put(out, code);
		return code != 0 || wrong(reader, "a text contains a NUL");
	}
	at = c ? strchr(names, c) : NULL;
	if (!at || (c == '\'' && !reader->python))
		return wrong(reader, "a text has an unknown escape");
	*out = chars[at - names];
	return true;
}

/* The rest of a text after the quote that begins it. */
static bool text_read(struct reader *reader, char quote, const char **out)
{
	const char *end = reader->at;
	size_t len = 0, n = 0;
	char *text;

	while (end < reader->end && *end != quote && (unsigned char)*end >= ' ')
		end += *end == '\\' && reader->end - end > 1 ? 2 : 1;
	/* Escapes are never shorter than what they stand for: 6 bytes for at most 3, 12 for 4, 4 for 2. */
	text = arena_alloc(reader->arena, (size_t)(end - reader->at) + 1);
	for (;;) {
		if (reader->at == reader->end)
			return wrong(reader, "a text does not end");
		if (*reader->at == quote)
			break;
		if ((unsigned char)*reader->at < ' ')
			return wrong(reader, "a text contains a control character");
		if (*reader->at != '\\') {
			text[len++] = *reader->at++;
			continue;
		}
		reader->at++;
		if (!escape_read(reader, text + len, &n))
			return false;
		len += n;
	}
	reader->at++;
	text[len] = '\0';
	*out = text;
	return utf8_valid(text, len) || wrong(reader, "a text is not valid UTF-8");
}

static bool quote_accept(struct reader *reader, char *quote)
{
	*quote = '"';
	if (accept(reader, '"'))
		return true;
	*quote = '\'';
	return reader->python && accept(reader, '\'');
}

static bool word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

/* A word, or a number: what consists of letters, digits and the given signs. */
static const char *word_read(struct reader *reader, const char *signs)
{
	const char *begin = reader->at;

	while (reader->at < reader->end && *reader->at && (word_char(*reader->at) || strchr(signs, *reader->at)))
		reader->at++;
	return arena_strndup(reader->arena, begin, (size_t)(reader->at - begin));
}

/* The name of a member and what separates it from the value; "" for a positional argument of a call. */
static bool name_read(struct reader *reader, bool call, const char **out)
{
	const char *before;
	char quote;
	int line;

	if (!call)
		return (quote_accept(reader, &quote) || wrong(reader, "expected the name of a member")) &&
		       text_read(reader, quote, out) && expect(reader, ':');
	blanks_skip(reader);
	before = reader->at;
	line = reader->line;
	*out = word_read(reader, "");
	if (!**out || !accept(reader, '=')) {
		reader->at = before;
		reader->line = line;
		*out = "";
	}
	return true;
}

/* The values between brackets, the first of which is already read. */
static bool values_read(struct reader *reader, int depth, char close, struct tree *out)
{
	const struct tree **at = &out->first;

	if (depth == TREE_DEPTH_MAX)
		return wrong(reader, "values are nested too deep");
	if (accept(reader, close))
		return true;
	do {
		struct tree *value = arena_zalloc(reader->arena, 1, sizeof(*value));

		if (reader->nodes++ == TREE_NODES_MAX)
			return wrong(reader, "there are too many values");
		value->name = "";
		if (out->kind == TREE_OBJECT && !name_read(reader, close == ')', &value->name))
			return false;
		if (!value_read(reader, depth + 1, value))
			return false;
		*at = value;
		at = &value->next;
		if (accept(reader, close))
			return true;
		if (!expect(reader, ','))
			return false;
	} while (!reader->python || !accept(reader, close));
	return true;
}

/* Python: a call, or a name. */
static bool call_read(struct reader *reader, int depth, struct tree *out)
{
	if (!accept(reader, '(')) {
		out->kind = TREE_TEXT;
		return true;
	}
	out->kind = TREE_OBJECT;
	if (!values_read(reader, depth, ')', out))
		return false;
	if (strcmp(out->text, "Decimal") != 0)
		return true;
	if (!out->first || out->first->kind != TREE_TEXT || out->first->next)
		return wrong(reader, "Decimal needs one text");
	*out = (struct tree){.kind = TREE_NUMBER, .line = out->line, .name = out->name, .text = out->first->text};
	return true;
}

static bool word_value_read(struct reader *reader, int depth, struct tree *out)
{
	static const struct {
		const char *json, *python;
		enum tree_kind kind;
	} words[] = {{"null", "None", TREE_NULL}, {"false", "False", TREE_FALSE}, {"true", "True", TREE_TRUE}};

	out->text = word_read(reader, "+-");
	if ((*out->text >= '0' && *out->text <= '9') || *out->text == '-') {
		out->kind = TREE_NUMBER;
		return true;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(out->text, reader->python ? words[i].python : words[i].json) == 0) {
			out->kind = words[i].kind;
			return true;
		}
	}
	return reader->python && *out->text ? call_read(reader, depth, out) : wrong(reader, "expected a value");
}

static bool value_read(struct reader *reader, int depth, struct tree *out)
{
	char quote;

	blanks_skip(reader);
	out->line = reader->line;
	out->kind = TREE_TEXT;
	if (quote_accept(reader, &quote))
		return text_read(reader, quote, &out->text);
	out->kind = TREE_LIST;
	if (accept(reader, '['))
		return values_read(reader, depth, ']', out);
	out->kind = TREE_OBJECT;
	if (accept(reader, '{'))
		return values_read(reader, depth, '}', out);
	return word_value_read(reader, depth, out);
}

/* A Python file begins with imports; the list follows its name. */
static bool python_begin(struct reader *reader)
{
	static const char name[] = "\nproviders: list[Provider] = ";
	const char *begin = memmem(reader->at, (size_t)(reader->end - reader->at), name, sizeof(name) - 1);

	if (!begin)
		return wrong(reader, "is neither JSON nor genai-prices' data.py");
	reader->python = true;
	for (; reader->at < begin + sizeof(name) - 1; reader->at++)
		reader->line += *reader->at == '\n';
	return true;
}

bool tree_parse(const char *text, size_t len, struct arena *arena, const struct tree **out, struct err *err)
{
	struct reader reader = {.at = text, .end = text + len, .arena = arena, .line = 1, .err = err};
	struct tree *root = arena_zalloc(arena, 1, sizeof(*root));

	blanks_skip(&reader);
	if (reader.at == reader.end)
		return wrong(&reader, "is empty");
	if (*reader.at != '{' && *reader.at != '[' && !python_begin(&reader))
		return false;
	root->name = "";
	if (!value_read(&reader, 0, root))
		return false;
	blanks_skip(&reader);
	if (reader.at != reader.end)
		return wrong(&reader, "something follows the end");
	*out = root;
	return true;
}

const struct tree *tree_member(const struct tree *object, const char *name)
{
	if (!object || object->kind != TREE_OBJECT)
		return NULL;
	for (const struct tree *at = object->first; at; at = at->next)
		if (strcmp(at->name, name) == 0)
			return at;
	return NULL;
}

const char *tree_text(const struct tree *object, const char *name)
{
	const struct tree *member = tree_member(object, name);

	return member && member->kind == TREE_TEXT ? member->text : "";
}
