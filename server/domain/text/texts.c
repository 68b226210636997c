/* Sentences for the user. */
#include "domain/text/texts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/units.h"
#include "domain/price/price.h"
#include "domain/text/texts_language.h"

#define SHARED_TOLD 10000

/* A sentence in the making. */
struct writer {
	const struct text_table *own;
	const struct text_args *args;
	const struct language *language;
	const struct limit *limit; /* whose {amount} and {per}: the binding one, or the better tier's */
	struct buf *out;
};

static void put_number(const struct language *language, int64_t n, struct buf *out)
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRId64, n < 0 ? 0 : n);

	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0 && len > 4)
			buf_put_str(out, language->group);
		buf_put(out, &digits[i], 1);
	}
}

/* Which of the forms of a noun goes with `n`. */
static int plural(const struct language *language, int64_t n)
{
	if (!language->slavic)
		return n != 1;
	if (n % 10 == 1 && n % 100 != 11)
		return 0;
	return n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 12 || n % 100 > 14) ? 1 : 2;
}

static void put_counted(const struct language *language, int64_t n, enum noun noun, struct buf *out)
{
	put_number(language, n, out);
	buf_put_str(out, " ");
	buf_put_str(out, language->noun[noun][plural(language, n)]);
}

static void put_amount(const struct language *language, enum dimension dimension, int64_t n, struct buf *out)
{
	static const enum noun nouns[DIM_COUNT] = {
		NOUN_REQUEST, NOUN_TOKEN, NOUN_INPUT, NOUN_OUTPUT, NOUN_REQUEST, NOUN_REQUEST};
	char money[40];

	if (dimension != DIM_COST) {
		put_counted(language, n, nouns[dimension], out);
		return;
	}
	money_format(n, money);
	buf_put_str(out, "$");
	buf_put_str(out, money);
}

static void put_duration(const struct language *language, int64_t us, struct buf *out)
{
	static const struct {
		int64_t us;
		enum noun noun;
	} units[] = {{DAY_US, NOUN_DAY}, {HOUR_US, NOUN_HOUR}, {MINUTE_US, NOUN_MINUTE}, {SECOND_US, NOUN_SECOND}};
	size_t i = 0;
	int64_t small;

	while (i < 3 && us < units[i].us)
		i++;
	small = i < 3 ? units[i + 1].us : SECOND_US;
	us = (us + small - 1) / small * small;
	if (us < SECOND_US)
		us = SECOND_US;
	/* Rounded up to the next larger unit: 59 min 59.5 s are an hour. */
	if (i > 0 && us >= units[i - 1].us)
		i--;
	put_counted(language, us / units[i].us, units[i].noun, out);
	if (i < 3 && us % units[i].us >= units[i + 1].us) {
		buf_put_str(out, " ");
		put_counted(language, us % units[i].us / units[i + 1].us, units[i + 1].noun, out);
	}
}

void text_duration(const char *language, int64_t us, struct buf *out)
{
	put_duration(language_find(language), us, out);
}

static void put_per(const struct language *language, const struct limit *limit, struct buf *out)
{
	if (limit->kind == KIND_LEVEL) {
		buf_put_str(out, language->at_once);
	} else if (limit->kind == KIND_CALENDAR) {
		buf_put_str(out, language->per_window[limit->unit]);
	} else if (limit->period_us == SECOND_US) {
		buf_put_str(out, language->per_second);
	} else if (limit->period_us == MINUTE_US) {
		buf_put_str(out, language->per_minute);
	} else if (limit->period_us == HOUR_US) {
		buf_put_str(out, language->per_hour);
	} else {
		buf_put_str(out, language->per_span);
		if (limit->period_us == DAY_US)
			put_counted(language, 24, NOUN_HOUR, out);
		else
			put_duration(language, limit->period_us, out);
	}
}

#define IS(word) (len == sizeof(word) - 1 && memcmp(name, word, len) == 0)

/* What a placeholder about the limit stands for; false when there is no such placeholder. */
static bool put_limit_value(const struct writer *writer, const char *name, size_t len)
{
	const struct figures *figures = &writer->args->figures;
	const struct limit *limit = writer->limit;
	bool graced = limit == writer->args->limit && limit->kind == KIND_CALENDAR;
	struct buf *out = writer->out;

	if (IS("who"))
		buf_put_str(out, writer->language->who[writer->args->account_kind]);
	else if (IS("whose"))
		buf_put_str(out, writer->language->whose[writer->args->account_kind]);
	else if (IS("running"))
		put_counted(writer->language, writer->args->running,
			limit->kind == KIND_LEVEL ? NOUN_RUNNING : NOUN_HOLDING, out);
	else if (IS("amount"))
		put_amount(writer->language, limit->dimension, graced ? figures->effective : limit->amount, out);
	else if (IS("used"))
		put_amount(writer->language, limit->dimension, figures->used, out);
	else if (IS("requested"))
		put_amount(writer->language, limit->dimension, figures->requested, out);
	else if (IS("most"))
		put_amount(writer->language, limit->dimension, figures->effective, out);
	else if (IS("percent"))
		put_number(writer->language, figures->used_percent, out);
	else if (IS("per"))
		put_per(writer->language, limit, out);
	else if (IS("others"))
		put_counted(writer->language, writer->args->shared_by - 1, NOUN_OTHER, out);
	else if (IS("where"))
		buf_put_str(out, writer->language->where[writer->args->account_kind == ACCOUNT_ORG]);
	else
		return false;
	return true;
}

static bool put_value(const struct writer *writer, const char *name, size_t len)
{
	const struct text_args *args = writer->args;

	if (IS("wait")) {
		put_duration(writer->language, args->retry_after_us, writer->out);
		return true;
	}
	if (IS("ends")) {
		put_duration(writer->language, args->first_end_after_us, writer->out);
		return true;
	}
	if (IS("tier") && args->better_tier) {
		buf_put_str(writer->out, args->better_tier);
		return true;
	}
	return writer->limit && put_limit_value(writer, name, len);
}
#undef IS

static void put_template(const struct writer *writer, const char *text)
{
	if (writer->out->len)
		buf_put_str(writer->out, " ");
	while (*text) {
		size_t plain = strcspn(text, "{");
		size_t name;

		buf_put(writer->out, text, plain);
		text += plain;
		if (!*text)
			return;
		name = strcspn(text, "}");
		if (text[name] && put_value(writer, text + 1, name - 1)) {
			text += name + 1;
		} else {
			buf_put(writer->out, text, 1);
			text++;
		}
	}
}

static const char *own_template(const struct writer *writer, const char *code)
{
	for (int i = 0; writer->own && i < writer->own->count; i++) {
		const struct text_template *at = &writer->own->templates[i];

		if (strcmp(at->code, code) == 0 && strcasecmp(at->language, writer->language->code) == 0)
			return at->text;
	}
	return NULL;
}

static const char *builtin_template(const struct writer *writer, const char *code)
{
	for (const struct text_template *at = writer->language->templates; at->code; at++)
		if (strcmp(at->code, code) == 0)
			return at->text;
	return NULL;
}

/* The tenant's template of the first code that he has, else the built-in of the first that we have. */
static void put_sentence(const struct writer *writer, const char *code, const char *general)
{
	const char *text = own_template(writer, code);

	if (!text && general)
		text = own_template(writer, general);
	if (!text)
		text = builtin_template(writer, code);
	if (!text && general)
		text = builtin_template(writer, general);
	if (text)
		put_template(writer, text);
}

/* What the next tier gives of the same limit, when that is more. */
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
	/* Only what can be compared is promised. */
	if (better->kind != limit->kind || better->dimension != limit->dimension || better->unit != limit->unit ||
		better->period_us != limit->period_us || better->amount <= limit->amount)
		return;
	writer->limit = better;
	put_sentence(writer, "upgrade", NULL);
	writer->limit = limit;
}

/* A number helps where people know each other; the most that is counted is no number. */
static bool is_shared(const struct text_args *args)
{
	return (args->account_kind == ACCOUNT_TEAM || args->account_kind == ACCOUNT_ORG) && args->shared_by > 1 &&
	       args->shared_by < SHARED_TOLD;
}

/* What denied: too large for ever, full because of what runs, or used up. */
static void put_denial(const struct writer *writer)
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

/* Of no limit. What is closed says whose account that is, unless it is the user's: "suspended_team". */
static void put_reason(const struct writer *writer)
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
	struct writer writer = {.own = own,
		.args = args,
		.language = language_find(args->language),
		.limit = args->limit,
		.out = &text};

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
