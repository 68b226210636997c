/*
 * Templates of the sentences for users: which codes there are, which placeholders a template of a code may hold, and how a
 * template is taken apart. "{amount}" is a placeholder, "{{" and "}}" are braces.
 */
#ifndef BURSAR_DOMAIN_TEXT_TEMPLATE_H
#define BURSAR_DOMAIN_TEXT_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum {
	TEXT_CODE_MAX = 31, /* bytes */
	TEXT_LANGUAGE_MAX = 15, /* bytes of a language tag */
	TEXT_SENTENCE_MAX = 600, /* bytes of a template, and of the sentence that it becomes */
	TEXTS_MAX = 400, /* templates of one tenant */
};

struct text_template {
	const char *language, *code, *text;
};

/* PLACEHOLDER(ENUM, name, most): `most` is the longest value in bytes, in any language. */
#define TEXT_PLACEHOLDERS(PLACEHOLDER) \
	PLACEHOLDER(WHO, "who", 96) \
	PLACEHOLDER(WHOSE, "whose", 96) \
	PLACEHOLDER(AMOUNT, "amount", 64) \
	PLACEHOLDER(USED, "used", 64) \
	PLACEHOLDER(REQUESTED, "requested", 64) \
	PLACEHOLDER(MOST, "most", 64) \
	PLACEHOLDER(PERCENT, "percent", 24) \
	PLACEHOLDER(PER, "per", 64) \
	PLACEHOLDER(RUNNING, "running", 128) \
	PLACEHOLDER(ENDS, "ends", 64) \
	PLACEHOLDER(OTHERS, "others", 64) \
	PLACEHOLDER(WHERE, "where", 64) \
	PLACEHOLDER(WAIT, "wait", 64) \
	PLACEHOLDER(TIER, "tier", 64)

enum text_placeholder {
#define PLACEHOLDER(ENUM, name, most) TEXT_##ENUM,
	TEXT_PLACEHOLDERS(PLACEHOLDER)
#undef PLACEHOLDER
		TEXT_PLACEHOLDER_COUNT
};
const char *text_placeholder_name(enum text_placeholder placeholder);

/* The codes, in the order in which lists show them: NULL behind the last one. */
const char *text_code(int index);
/* The placeholders that templates of the code may hold: bit 1 << enum text_placeholder. 0 for an unknown code, too. */
unsigned text_code_placeholders(const char *code);

/* One piece of a template. */
struct text_piece {
	enum {
		PIECE_END,
		PIECE_PLAIN,
		PIECE_VALUE,
		PIECE_OPEN,
		PIECE_CLOSE
	} kind; /* OPEN, CLOSE: a brace without the other one */
	const char *at; /* PLAIN: the text; VALUE: the placeholder's name */
	size_t len;
};
/* Takes the next piece off the text. */
struct text_piece text_next(const char **text);
/* The placeholder of that name; TEXT_PLACEHOLDER_COUNT when there is none. */
enum text_placeholder text_placeholder_find(const char *name, size_t len);

/* Is there such a code? ERR_INVALID ("code") names the nearest. */
bool text_code_check(const char *code, struct err *err) __attribute__((warn_unused_result));
/* A language tag such as "de-at" or "ZH_hant" in its usual spelling: "de-AT", "zh-Hant". ERR_INVALID ("language"). */
bool text_language_read(const char *tag, char out[TEXT_LANGUAGE_MAX + 1], struct err *err)
	__attribute__((warn_unused_result));
/*
 * Checks what an admin sets: ERR_INVALID names the field ("code", "language" or "text") and says what would be right. On success
 * `language` holds the tag in its usual spelling ("de-AT").
 */
bool text_template_check(const struct text_template *template, char language[TEXT_LANGUAGE_MAX + 1], struct err *err)
	__attribute__((warn_unused_result));

#endif
