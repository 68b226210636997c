/*
 * Templates as admins type them: language, a line's end, the template of "held". One that is let in becomes its parts, one after the
 * other, and no longer than promised.
 */
#include <string.h>

#include "base/utf8.h"
#include "domain/text/texts.h"
#include "fuzz/fuzz.h"

enum { INPUT_MAX = 1000 };

static struct policy policy = {.count = 1, .limits = {{.name = "day", .kind = KIND_CALENDAR, .amount = 1234567}}};

static void make(const char *language, const char *text, struct buf *out)
{
	struct text_template row = {.language = language, .code = "held", .text = text};
	struct text_table own = {.templates = &row, .count = text ? 1 : 0};
	struct text_args args = {.language = language,
		.reason = REASON_QUOTA,
		.limit = &policy.limits[0],
		.account_kind = ACCOUNT_TEAM,
		.figures = {.used = 7, .effective = COUNT_MAX, .requested = 1, .used_percent = 100, .only_held = true},
		.running = 3};

	text_make(&own, &args, out);
}

/* The parts of a template that was let in, each made alone. */
static void make_parts(const char *language, const char *text, struct buf *out)
{
	while (*text) {
		size_t len = 1;
		char part[64];

#ifndef PLANTED_BUG
		if (text[0] == text[1] && strchr("{}", text[0])) {
			buf_put(out, text, 1);
			text += 2;
			continue;
		}
#endif
		if (*text == '{')
			len = strcspn(text, "}") + 1;
		HOLDS(len < sizeof(part));
		memcpy(part, text, len);
		part[len] = '\0';
		if (len > 1)
			make(language, part, out);
		else
			buf_put(out, text, 1);
		text += len;
	}
}

static void check(const char *language, const char *text)
{
	struct text_template row = {.language = language, .code = "held", .text = text};
	struct buf whole = {0}, parts = {0};
	char tag[TEXT_LANGUAGE_MAX + 1];
	struct err err = {0};

	make(language, text, &whole);
	HOLDS(whole.len > 0 && whole.len <= TEXT_SENTENCE_MAX);
	if (text_template_check(&row, tag, &err)) {
		HOLDS(strlen(tag) == strlen(language) && utf8_check(text, strlen(text), "text", &err));
		buf_reset(&whole);
		make(tag, text, &whole);
		make_parts(tag, text, &parts);
		HOLDS(strcmp(buf_str(&whole), buf_str(&parts)) == 0);
	} else {
		HOLDS(err.code == ERR_INVALID && utf8_valid(err.text, strlen(err.text)));
		HOLDS(strcmp(err.field, "language") == 0 || strcmp(err.field, "text") == 0);
	}
	buf_release(&whole);
	buf_release(&parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[INPUT_MAX + 1];
	char *line;

	if (size > INPUT_MAX)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	line = strchr(text, '\n');
	if (line)
		*line = '\0';
	check(line ? text : "en", line ? line + 1 : text);
	return 0;
}
