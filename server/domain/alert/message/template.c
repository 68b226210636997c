/* Filling templates in, and checking those that admins write. */
#include "domain/alert/message/template.h"

#include <inttypes.h>
#include <string.h>

#include "base/text/distance.h"
#include "base/units.h"
#include "base/utf8.h"
#include "domain/alert/message/message.h"
#include "domain/text/words.h"
#include "domain/time/date.h"

enum placeholder {
#define PLACEHOLDER(ENUM, name) VALUE_##ENUM,
	ALERT_PLACEHOLDERS(PLACEHOLDER)
#undef PLACEHOLDER
		VALUE_COUNT_OF
};
static const char *const names[VALUE_COUNT_OF] = {
#define PLACEHOLDER(ENUM, name) name,
	ALERT_PLACEHOLDERS(PLACEHOLDER)
#undef PLACEHOLDER
};

static enum placeholder find(const struct text_piece *piece)
{
	int i = 0;

	while (i < VALUE_COUNT_OF && (strlen(names[i]) != piece->len || memcmp(names[i], piece->at, piece->len) != 0))
		i++;
	return (enum placeholder)i;
}

static void put_who(const struct alert_event *event, const struct alert_words *words, struct buf *out)
{
	if (!event->account_kind)
		return;
	buf_put_str(out, words->who[event->account_kind]);
	if (event->account[0]) /* a bot is not told which team or org it is */
		buf_putf(out, " %s", event->account);
}

static void put_quantity(
	const struct alert_event *event, const struct language *language, int64_t value, struct buf *out)
{
	bool money = event->kind == ALERT_ANOMALY || event->kind == ALERT_DRIFT;

	if (money || (event->dimension >= 0 && event->dimension < DIM_COUNT))
		words_amount(language, money ? DIM_COST : (enum dimension)event->dimension, value, out);
	else
		words_number(language, value, out);
}

static void put_window(const struct alert_event *event, const struct language *language, struct buf *out)
{
	struct limit limit = {.kind = KIND_CALENDAR};

	if (event->unit < 0 || event->unit >= WINDOW_COUNT)
		return;
	limit.unit = (enum window_unit)event->unit;
	words_per(language, &limit, out);
}

static void put_time(int64_t at_us, struct buf *out)
{
	int64_t days = floor_div(at_us, DAY_US), minutes = (at_us - days * DAY_US) / MINUTE_US;
	char date[DATE_TEXT];

	buf_putf(out, "%s %02d:%02d UTC", date_format(days, date), (int)(minutes / 60), (int)(minutes % 60));
}

/* Whether the value is one of those that say something only of some kinds, and not of this event's (domain/alert/alert.h). */
static bool says_nothing(const struct alert_event *event, enum placeholder placeholder)
{
#define BIT(name) (1U << VALUE_##name)
#define LIMIT (BIT(PERCENT) | BIT(USED) | BIT(AMOUNT) | BIT(THRESHOLD))
	static const unsigned any = LIMIT | BIT(BEFORE) | BIT(AFTER) | BIT(AGE) | BIT(NUMBER);
	static const unsigned has[ALERT_KIND_END] = {
		[ALERT_THRESHOLD] = LIMIT,
		[ALERT_PROJECTED] = LIMIT,
		[ALERT_ANOMALY] = BIT(PERCENT) | BIT(USED) | BIT(AMOUNT),
		[ALERT_DENIAL] = BIT(USED) | BIT(AMOUNT),
		[ALERT_TIER] = BIT(BEFORE) | BIT(AFTER),
		[ALERT_STARVING] = BIT(AGE),
		[ALERT_LEDGER_LAG] = BIT(AGE) | BIT(NUMBER),
		[ALERT_DRIFT] = BIT(USED) | BIT(NUMBER),
		[ALERT_PRICES_OLD] = BIT(AGE),
		[ALERT_UNPRICED] = BIT(NUMBER),
		[ALERT_KEY_ENDS] = BIT(AGE),
	};
	unsigned known = has[event->kind];

	/* A threshold that is an amount has no percentage, a denial without a limit nothing of it. */
	if (event->kind == ALERT_THRESHOLD && !event->percent)
		known &= ~BIT(PERCENT);
	if (event->kind == ALERT_DENIAL && !event->limit_name[0])
		known = 0;
	return ((any & ~known) >> placeholder) & 1;
#undef LIMIT
#undef BIT
}

static const char *text_or(const char *text, const char *other)
{
	return text && text[0] ? text : other;
}

static void put_number_value(const struct alert_filling *filling, enum placeholder placeholder,
	const struct language *language, struct buf *out)
{
	const struct alert_event *event = filling->event;

	switch (placeholder) {
	case VALUE_PERCENT:
		words_number(language, event->percent, out);
		break;
	case VALUE_USED:
		put_quantity(event, language, event->used, out);
		break;
	case VALUE_AMOUNT:
		put_quantity(event, language, event->amount, out);
		break;
	case VALUE_THRESHOLD:
		put_quantity(event, language, event->threshold, out);
		break;
	case VALUE_AGE:
		words_duration(language, event->age_us, out);
		break;
	case VALUE_NUMBER:
		words_number(language, event->count, out);
		break;
	case VALUE_COUNT:
		words_number(language, filling->count, out);
		break;
	case VALUE_WINDOW:
		put_window(event, language, out);
		break;
	default:
		put_time(event->at_us, out);
	}
}

static void put_value(const struct alert_filling *filling, enum placeholder placeholder, struct buf *out)
{
	const struct alert_event *event = filling->event;
	const struct language *language = language_find(filling->language);
	const struct alert_words *words = alert_words_find(language->code);
	const char *texts[VALUE_COUNT_OF] = {
		[VALUE_TEXT] = filling->text,
		[VALUE_TENANT] = text_or(event->tenant, "Bursar"),
		[VALUE_ACCOUNT] = event->account,
		[VALUE_RULE] = text_or(event->rule, alert_kind_name(event->kind)),
		[VALUE_KIND] = alert_kind_name(event->kind),
		[VALUE_SEVERITY] = words->severity[event->severity],
		[VALUE_LIMIT] = event->limit_name,
		[VALUE_SUBJECT] = event->subject,
		[VALUE_BEFORE] = text_or(event->before, words->default_tier),
		[VALUE_AFTER] = text_or(event->after, words->default_tier),
		[VALUE_LINK] = filling->link,
	};

	if (says_nothing(event, placeholder))
		return;
	if (placeholder == VALUE_WHO)
		put_who(event, words, out);
	else if (texts[placeholder])
		buf_put_str(out, texts[placeholder]);
	else
		put_number_value(filling, placeholder, language, out);
}

/* The sign that belongs to a percentage, with the space before it; 0: there is none. */
static size_t percent_sign(const char *text)
{
	size_t spaces = strspn(text, " ");

	return text[spaces] == '%' ? spaces + 1 : 0;
}

void alert_fill(const char *template, const struct alert_filling *filling, struct buf *out)
{
	struct text_piece piece;

	while ((piece = text_next(&template)).kind != PIECE_END) {
		enum placeholder placeholder = piece.kind == PIECE_VALUE ? find(&piece) : VALUE_COUNT_OF;
		size_t before = out->len;

		if (placeholder < VALUE_COUNT_OF) {
			put_value(filling, placeholder, out);
			if (out->len > before)
				continue;
			if (before && out->data[before - 1] == ' ')
				out->data[--out->len] = '\0';
			if (placeholder == VALUE_PERCENT)
				template += percent_sign(template);
		} else if (piece.kind == PIECE_VALUE) {
			buf_put(out, piece.at - 1, piece.len + 2);
		} else {
			buf_put(out, piece.at, piece.len);
		}
	}
}

static bool placeholder_refused(const struct text_piece *piece, const char *field, struct err *err)
{
	struct meant meant = {0};
	char typed[33] = "", list[256] = "";

	memcpy(typed, piece->at, piece->len < 32 ? piece->len : 32);
	meant.typed = typed;
	for (int i = 0; i < VALUE_COUNT_OF; i++) {
		meant_try(&meant, names[i]);
		strcat(strcat(strcat(list, i ? " {" : "{"), names[i]), "}");
	}
	if (meant.name[0])
		return err_invalid(err, field, "there is no {%s}; did you mean {%s}?", typed, meant.name);
	return err_invalid(err, field, "there is no {%s}; there are %s", typed, list);
}

/* Lines of a body; a title is one line. */
static bool characters_check(const char *text, const char *field, struct err *err)
{
	bool lines = strcmp(field, "title") != 0;

	while (*text) {
		size_t len = lines ? strcspn(text, "\n") : strlen(text);

		if (!utf8_check(text, len, field, err))
			return false;
		text += len + (text[len] == '\n');
	}
	return true;
}

bool alert_template_check(const char *text, const char *field, struct err *err)
{
	const char *at = text;
	struct text_piece piece;

	if (strlen(text) > ALERT_TEMPLATE_MAX)
		return err_invalid(
			err, field, "is %zu bytes long; at most %d are allowed", strlen(text), ALERT_TEMPLATE_MAX);
	if (!characters_check(text, field, err))
		return false;
	while ((piece = text_next(&at)).kind != PIECE_END) {
		if (piece.kind == PIECE_OPEN || piece.kind == PIECE_CLOSE)
			return err_invalid(err, field,
				"has a %c at byte %zu without the other one: write %s for a brace", piece.at[0],
				(size_t)(piece.at - text), piece.at[0] == '{' ? "{{" : "}}");
		if (piece.kind == PIECE_VALUE && find(&piece) == VALUE_COUNT_OF)
			return placeholder_refused(&piece, field, err);
	}
	return true;
}
