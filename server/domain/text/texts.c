/* Sentences for the user. */
#include "domain/text/texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "domain/text/texts_language.h"
#include "domain/text/words.h"

#define SHARED_TOLD 10000

/* A sentence being written. */
struct writer {
	const struct text_table *own;
	const struct text_args *args;
	const struct language *language; /* whose words the values are made of */
	const struct limit *limit; /* whose {amount} and {per}: the binding one, or the better tier's */
	struct buf *out;
};

/* Appends the value of a placeholder about the limit. */
static void put_limit_value(const struct writer *writer, enum text_placeholder placeholder)
{
	const struct language *language = writer->language;
	const struct text_args *args = writer->args;
	const struct figures *figures = &args->figures;
	const struct limit *limit = writer->limit;
	bool graced = limit == args->limit && limit->kind == KIND_CALENDAR;
	struct buf *out = writer->out;

	if (placeholder == TEXT_WHO)
		buf_put_str(out, language->who[args->account_kind]);
	else if (placeholder == TEXT_WHOSE)
		buf_put_str(out, language->whose[args->account_kind]);
	else if (placeholder == TEXT_RUNNING)
		words_counted(language, args->running, limit->kind == KIND_LEVEL ? NOUN_RUNNING : NOUN_HOLDING, out);
	else if (placeholder == TEXT_AMOUNT)
		words_amount(language, limit->dimension, graced ? figures->effective : limit->amount, out);
	else if (placeholder == TEXT_USED)
		words_amount(language, limit->dimension, figures->used, out);
	else if (placeholder == TEXT_REQUESTED)
		words_amount(language, limit->dimension, figures->requested, out);
	else if (placeholder == TEXT_MOST)
		words_amount(language, limit->dimension, figures->effective, out);
	else if (placeholder == TEXT_PERCENT)
		words_number(language, figures->used_percent, out);
	else if (placeholder == TEXT_PER)
		words_per(language, limit, out);
	else if (placeholder == TEXT_OTHERS)
		words_counted(language, args->shared_by - 1, NOUN_OTHER, out);
	else if (placeholder == TEXT_WHERE)
		buf_put_str(out, language->where[args->account_kind == ACCOUNT_ORG]);
}

/* Does the template's language have words for it, and is there something to say? */
static bool value_known(const struct writer *writer, enum text_placeholder placeholder)
{
	const struct text_args *args = writer->args;

	switch (placeholder) {
	case TEXT_WAIT:
		return args->retry_after_us > 0;
	case TEXT_ENDS:
		return args->first_end_after_us > 0;
	case TEXT_TIER:
		return args->better_tier && args->better_tier[0];
	case TEXT_WHO:
	case TEXT_WHOSE:
		return writer->limit && writer->language->who[ACCOUNT_USER] && args->account_kind >= ACCOUNT_USER;
	case TEXT_OTHERS:
	case TEXT_WHERE:
		return writer->limit && writer->language->where[0] && args->shared_by > 1;
	case TEXT_PER:
	case TEXT_RUNNING:
		return writer->limit && writer->language->per_span;
	default:
		return writer->limit && placeholder < TEXT_PLACEHOLDER_COUNT;
	}
}

static bool put_value(const struct writer *writer, const struct text_piece *piece)
{
	enum text_placeholder placeholder = text_placeholder_find(piece->at, piece->len);

	if (!value_known(writer, placeholder))
		return false;
	if (placeholder == TEXT_WAIT)
		words_duration(writer->language, writer->args->retry_after_us, writer->out);
	else if (placeholder == TEXT_ENDS)
		words_duration(writer->language, writer->args->first_end_after_us, writer->out);
	else if (placeholder == TEXT_TIER)
		buf_put_str(writer->out, writer->args->better_tier);
	else
		put_limit_value(writer, placeholder);
	return true;
}

/* Appends the sentence, or nothing and false when it cannot be made. */
static bool put_template(const struct writer *writer, const char *text)
{
	size_t before = writer->out->len, from;
	struct text_piece piece;
	bool ok = true;

	if (before)
		buf_put_str(writer->out, " ");
	from = writer->out->len;
	while (ok && (piece = text_next(&text)).kind != PIECE_END) {
		if (piece.kind == PIECE_PLAIN)
			buf_put(writer->out, piece.at, piece.len);
		else
			ok = piece.kind == PIECE_VALUE && put_value(writer, &piece);
		ok = ok && writer->out->len - from <= TEXT_SENTENCE_MAX;
	}
	ok = ok && writer->out->len > from;
	if (!ok)
		writer->out->len = before;
	return ok;
}

bool text_builtin(const char *language, int index, struct text_template *out)
{
	const struct language *known = language_known(language);
	const struct text_template *at = known ? known->templates : NULL;

	if (!at || !at[index].code)
		return false;
	*out = at[index];
	return true;
}

static int compare_templates(const void *a, const void *b)
{
	const struct text_template *x = a, *y = b;
	int order = strcmp(x->code, y->code);

	return order ? order : strcasecmp(x->language, y->language);
}

void text_templates_sort(struct text_template *templates, int count)
{
	if (count)
		qsort(templates, (size_t)count, sizeof(*templates), compare_templates);
}

const struct text_template *text_own(const struct text_table *own, const char *code, const char *language)
{
	const struct text_template wanted = {.language = language, .code = code};

	if (!own || !own->count)
		return NULL;
	return bsearch(&wanted, own->templates, (size_t)own->count, sizeof(wanted), compare_templates);
}

static bool put_own_in(struct writer *writer, const char *tag, const char *code)
{
	const struct text_template *found = code ? text_own(writer->own, code, tag) : NULL;

	return found && put_template(writer, found->text);
}

/* The tenant's template for the tag, or for the tag shortened from its end. */
static bool put_own(struct writer *writer, const char *asked, const char *code, const char *general)
{
	char tag[TEXT_LANGUAGE_MAX + 2];

	if (!writer->own || strlen(asked) >= sizeof(tag))
		return false;
	memcpy(tag, asked, strlen(asked) + 1);
	for (char *at = tag; (at = strchr(at, '_'));)
		*at = '-';
	for (size_t len = strlen(tag); len > 0;) {
		char *part;

		if (put_own_in(writer, tag, code) || put_own_in(writer, tag, general))
			return true;
		part = strrchr(tag, '-');
		len = part ? (size_t)(part - tag) : 0;
		tag[len] = '\0';
	}
	return false;
}

static bool put_builtin(struct writer *writer, const char *code, const char *general)
{
	for (int i = 0; i < 2; i++) {
		const char *wanted = i == 0 ? code : general;

		for (const struct text_template *at = writer->language->templates; wanted && at->code; at++)
			if (strcmp(at->code, wanted) == 0)
				return put_template(writer, at->text);
	}
	return false;
}

static bool put_in(struct writer *writer, const char *tag, const char *code, const char *general)
{
	const struct language *known = language_known(tag);

	writer->language = known ? known : &language_symbols;
	return put_own(writer, tag, code, general) || (known && put_builtin(writer, code, general));
}

static void put_sentence(struct writer *writer, const char *code, const char *general)
{
	const struct text_args *args = writer->args;

	if ((args->language && put_in(writer, args->language, code, general)) ||
		(args->tenant_language && put_in(writer, args->tenant_language, code, general)))
		return;
	writer->language = language_find(NULL);
	put_builtin(writer, code, general);
}

/* What the next tier offers for the same limit, if that is more. */
static void put_upgrade(struct writer *writer)
{
	const struct text_args *args = writer->args;
	const struct limit *limit = args->limit;
	const struct limit *better;

	if (!args->better_tier || !args->better_tier[0] || !args->better || args->account_kind != ACCOUNT_USER)
		return;
	better = policy_find(args->better, limit->id);
	if (!better) {
		put_sentence(writer, "unlimited", NULL);
		return;
	}
	/* Promise only what is comparable. */
	if (better->kind != limit->kind || better->dimension != limit->dimension || better->unit != limit->unit ||
		better->period_us != limit->period_us || better->amount <= limit->amount)
		return;
	writer->limit = better;
	put_sentence(writer, "upgrade", NULL);
	writer->limit = limit;
}

/* A number helps only in groups small enough to know each other; SHARED_TOLD or more means "many", not a number. */
static bool is_shared(const struct text_args *args)
{
	return (args->account_kind == ACCOUNT_TEAM || args->account_kind == ACCOUNT_ORG) && args->shared_by > 1 &&
	       args->shared_by < SHARED_TOLD;
}

/* Why the limit denied: too large for it, full because of running requests, or used up. */
static void put_denial(struct writer *writer)
{
	const struct text_args *args = writer->args;
	bool held = args->figures.only_held && args->running > 0;

	if (args->figures.permanent)
		put_sentence(writer, args->figures.effective ? "too_large" : "excluded", NULL);
	else if (held)
		put_sentence(writer, "held", NULL);
	else
		put_sentence(writer, reason_name(args->reason), "reached");
	if (is_shared(args))
		put_sentence(writer, "shared", NULL);
	if (held && args->first_end_after_us > args->retry_after_us)
		put_sentence(writer, "ends", NULL);
	if (args->retry_after_us > 0)
		put_sentence(writer, "wait", NULL);
}

/* Without a limit. For a closed account, the code says whose it is unless it is the user's: "suspended_team". */
static void put_reason(struct writer *writer)
{
	const char *reason = reason_name(writer->args->reason), *kind = account_kind_name(writer->args->account_kind);
	char code[64];

	if (writer->args->reason == REASON_NONE)
		return;
	if (!kind || writer->args->account_kind == ACCOUNT_USER) {
		put_sentence(writer, reason, NULL);
		return;
	}
	snprintf(code, sizeof(code), "%s_%s", reason, kind);
	put_sentence(writer, code, reason);
}

void text_make(const struct text_table *own, const struct text_args *args, struct buf *out)
{
	struct buf text = {0};
	struct writer writer = {.own = own, .args = args, .limit = args->limit, .out = &text};

	if (!args->limit) {
		put_reason(&writer);
	} else if (args->reason == REASON_NONE) {
		put_sentence(&writer, "warning", NULL);
	} else {
		put_denial(&writer);
		put_upgrade(&writer);
	}
	buf_put(out, buf_str(&text), text.len);
	buf_release(&text);
}

void text_duration(const char *language, int64_t us, struct buf *out)
{
	words_duration(language_find(language), us, out);
}
