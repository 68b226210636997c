/* Templates: codes, placeholders, and what is checked before one is kept. */
#include "domain/text/template.h"

#include <ctype.h>
#include <string.h>

#include "base/text/distance.h"
#include "base/utf8.h"
#include "domain/text/texts_language.h"

/* What every sentence about a limit may say. */
#define BIT(ENUM) (1u << TEXT_##ENUM)
#define LIMIT (BIT(WHO) | BIT(WHOSE) | BIT(AMOUNT) | BIT(USED) | BIT(MOST) | BIT(PERCENT) | BIT(PER))
#define DENIED (LIMIT | BIT(REQUESTED))
/* Words, which only the built-in languages have. */
#define WORDS (BIT(WHO) | BIT(WHOSE) | BIT(PER) | BIT(RUNNING) | BIT(OTHERS) | BIT(WHERE))

static const struct code {
	const char *name;
	unsigned placeholders;
} codes[] = {
	{"reached", DENIED},
	{"quota", DENIED},
	{"budget", DENIED},
	{"request_rate", DENIED},
	{"token_rate", DENIED},
	{"cost_rate", DENIED},
	{"concurrency", DENIED},
	{"held", DENIED | BIT(RUNNING)},
	{"ends", DENIED | BIT(RUNNING) | BIT(ENDS)},
	{"too_large", DENIED},
	{"excluded", DENIED},
	{"shared", DENIED | BIT(OTHERS) | BIT(WHERE)},
	{"wait", DENIED | BIT(WAIT)},
	{"upgrade", LIMIT | BIT(TIER)},
	{"unlimited", LIMIT | BIT(TIER)},
	{"warning", LIMIT},
	{"suspended", 0},
	{"suspended_team", 0},
	{"suspended_org", 0},
	{"suspended_model", 0},
	{"suspended_tenant", 0},
	{"deleted", 0},
	{"deleted_team", 0},
	{"deleted_org", 0},
	{"deleted_model", 0},
	{"deleted_tenant", 0},
	{"unknown_user", 0},
	{"request_closed", 0},
};
enum { CODES = sizeof(codes) / sizeof(codes[0]) };

static const struct {
	const char *name;
	size_t most;
} placeholders[TEXT_PLACEHOLDER_COUNT] = {
#define PLACEHOLDER(ENUM, name, most) {name, most},
	TEXT_PLACEHOLDERS(PLACEHOLDER)
#undef PLACEHOLDER
};

const char *text_placeholder_name(enum text_placeholder placeholder)
{
	return placeholders[placeholder].name;
}

const char *text_code(int index)
{
	return index < CODES ? codes[index].name : NULL;
}

static const struct code *code_find(const char *name)
{
	for (int i = 0; i < CODES; i++)
		if (strcmp(codes[i].name, name) == 0)
			return &codes[i];
	return NULL;
}

unsigned text_code_placeholders(const char *code)
{
	const struct code *found = code_find(code);

	return found ? found->placeholders : 0;
}

enum text_placeholder text_placeholder_find(const char *name, size_t len)
{
	for (int i = 0; i < TEXT_PLACEHOLDER_COUNT; i++)
		if (strlen(placeholders[i].name) == len && memcmp(placeholders[i].name, name, len) == 0)
			return (enum text_placeholder)i;
	return TEXT_PLACEHOLDER_COUNT;
}

struct text_piece text_next(const char **text)
{
	const char *at = *text;
	size_t len = strcspn(at, "{}");

	if (!len && !*at)
		return (struct text_piece){.kind = PIECE_END, .at = at};
	if (len) {
		*text += len;
		return (struct text_piece){.kind = PIECE_PLAIN, .at = at, .len = len};
	}
	if (at[0] == at[1]) {
		*text += 2;
		return (struct text_piece){.kind = PIECE_PLAIN, .at = at, .len = 1};
	}
	len = at[0] == '{' ? strcspn(at + 1, "{}") : 0;
	if (at[0] == '}' || at[1 + len] != '}') {
		*text += 1 + len;
		return (struct text_piece){.kind = at[0] == '{' ? PIECE_OPEN : PIECE_CLOSE, .at = at, .len = 1 + len};
	}
	*text += len + 2;
	return (struct text_piece){.kind = PIECE_VALUE, .at = at + 1, .len = len};
}

bool text_code_check(const char *code, struct err *err)
{
	struct meant meant = {.typed = code};

	if (code_find(code))
		return true;
	if (!code[0])
		return err_invalid(err, "code", "must be given, such as quota or wait");
	for (int i = 0; i < CODES; i++)
		meant_try(&meant, codes[i].name);
	if (meant.name[0])
		return err_invalid(err, "code", "there is no text %.40s; did you mean %s?", code, meant.name);
	return err_invalid(err, "code", "there is no text %.40s; one is reached, another wait", code);
}

bool text_language_read(const char *tag, char out[TEXT_LANGUAGE_MAX + 1], struct err *err)
{
	size_t len = strlen(tag), part = 0;

	for (size_t from = 0; len <= TEXT_LANGUAGE_MAX && from < len; from += part + 1) {
		bool right;

		part = strcspn(tag + from, "-_");
		right = from ? part >= 1 && part <= 8 : part >= 2 && part <= 3;
		for (size_t i = from; right && i < from + part; i++) {
			unsigned char c = (unsigned char)tag[i];

			right = c < 0x80 && (from ? isalnum(c) : isalpha(c));
			out[i] = (char)(from && (part == 2 || (part == 4 && i == from)) ? toupper(c) : tolower(c));
		}
		out[from + part] = from + part < len ? '-' : '\0';
		/* "de-" has a part without letters behind it. */
		if (right && from + part + 1 != len)
			continue;
		len = 0;
	}
	return (len && len <= TEXT_LANGUAGE_MAX) ||
	       err_invalid(err, "language", "must be a language tag of at most %d characters, such as de or pt-BR",
		       TEXT_LANGUAGE_MAX);
}

static void list_placeholders(unsigned set, char out[160])
{
	out[0] = '\0';
	for (int i = 0; i < TEXT_PLACEHOLDER_COUNT; i++) {
		if (!(set & 1u << i))
			continue;
		strcat(out, out[0] ? " {" : "{");
		strcat(out, placeholders[i].name);
		strcat(out, "}");
	}
}

static bool value_refused(
	const struct text_template *template, const struct text_piece *piece, unsigned may, struct err *err)
{
	struct meant meant = {0};
	char typed[33] = "", list[160];

	memcpy(typed, piece->at, piece->len < 32 ? piece->len : 32);
	meant.typed = typed;
	for (int i = 0; i < TEXT_PLACEHOLDER_COUNT; i++)
		if (may & 1u << i)
			meant_try(&meant, placeholders[i].name);
	list_placeholders(may, list);
	if (meant.name[0] && strcmp(meant.name, typed) != 0)
		return err_invalid(
			err, "text", "%s has no {%s}; did you mean {%s}?", template->code, typed, meant.name);
	if (!may)
		return err_invalid(err, "text", "%s has no {%s}, and no other placeholder: write {{ for a brace",
			template->code, typed);
	return err_invalid(err, "text", "%s has no {%s}; it has %s", template->code, typed, list);
}

/* A placeholder of the code; *most grows by its longest value. */
static bool value_check(const struct text_template *template, const struct text_piece *piece, const char *language,
	size_t *most, struct err *err)
{
	unsigned may = text_code_placeholders(template->code);
	enum text_placeholder placeholder = text_placeholder_find(piece->at, piece->len);

	if (placeholder == TEXT_PLACEHOLDER_COUNT || !(may & 1u << placeholder))
		return value_refused(template, piece, may, err);
	if (WORDS & 1u << placeholder && !language_known(language))
		return err_invalid(err, "text", "{%s} has no words in %s (only in en, de, ru and es): write them out",
			placeholders[placeholder].name, language);
	*most += placeholders[placeholder].most;
	return true;
}

static bool pieces_check(const struct text_template *template, const char *language, struct err *err)
{
	const char *text = template->text;
	size_t most = 0;
	struct text_piece piece;

	while ((piece = text_next(&text)).kind != PIECE_END) {
		if (piece.kind == PIECE_PLAIN)
			most += piece.len;
		else if (piece.kind != PIECE_VALUE)
			return err_invalid(err, "text",
				"has a %c at byte %zu without the other one: write %s for a brace", piece.at[0],
				(size_t)(piece.at - template->text), piece.at[0] == '{' ? "{{" : "}}");
		else if (!value_check(template, &piece, language, &most, err))
			return false;
	}
	return most <= TEXT_SENTENCE_MAX ||
	       err_invalid(err, "text", "may become a sentence of %zu bytes, and at most %d are allowed: shorten it",
		       most, TEXT_SENTENCE_MAX);
}

bool text_template_check(const struct text_template *template, char language[TEXT_LANGUAGE_MAX + 1], struct err *err)
{
	size_t len = strlen(template->text);

	if (!text_code_check(template->code, err) || !text_language_read(template->language, language, err))
		return false;
	if (strspn(template->text, " ") == len)
		return err_invalid(err, "text", "is empty; 'delete' brings the built-in text back");
	if (len > TEXT_SENTENCE_MAX)
		return err_invalid(err, "text", "is %zu bytes long; at most %d are allowed", len, TEXT_SENTENCE_MAX);
	return utf8_check(template->text, len, "text", err) && pieces_check(template, language, err);
}
