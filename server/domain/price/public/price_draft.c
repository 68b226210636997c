/* A price that is put together from the fields of a public list. */
#include "domain/price/public/price_draft.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/utf8.h"
#include "domain/time/date.h"

#define RATE_CONFLICT INT64_C(-2) /* two fields differ */

/* Both lists have names of their own for some providers. What is not here keeps its name. */
static const struct {
	const char *theirs, *ours;
} providers[] = {
	{"gemini", "google"},
	{"bedrock_converse", "bedrock"},
	{"bedrock_mantle", "bedrock"},
	{"cohere_chat", "cohere"},
	{"text-completion-openai", "openai"},
	{"text-completion-codestral", "codestral"},
	{"text-completion-inception", "inception"},
	{"azure_text", "azure"},
	{"meta_llama", "meta"},
	{"fireworks_ai-embedding-models", "fireworks_ai"},
	{"x-ai", "xai"},
	{"aws", "bedrock"},
	{"together", "together_ai"},
	{"fireworks", "fireworks_ai"},
	{"moonshotai", "moonshot"},
	{"voyageai", "voyage"},
	{"github-copilot", "github_copilot"},
};

const char *draft_provider(const char *name)
{
	if (strncmp(name, "vertex_ai-", 10) == 0)
		return "vertex_ai";
	for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++)
		if (strcmp(providers[i].theirs, name) == 0)
			return providers[i].ours;
	return name;
}

void draft_begin(struct list_reader *reader, const char *provider, const char *model, int line, struct draft *draft)
{
	*draft = (struct draft){.reader = reader, .line = line, .number = reader->models};
	snprintf(draft->price.provider, sizeof(draft->price.provider), "%s", draft_provider(provider));
	snprintf(draft->price.model, sizeof(draft->price.model), "%s", model);
	for (int tier = 0; tier <= CONTEXT_TIERS_MAX; tier++)
		rates_clear(&draft->rates[tier]);
	if (strlen(draft_provider(provider)) > ID_MAX || strlen(model) > ID_MAX) {
		draft_skip(draft, "", "its name is longer than %d bytes", ID_MAX);
		draft->broken = true;
	}
}

/* Cuts a text that was cut by its room at the end of a character. */
static void text_end(char *text)
{
	size_t n = strlen(text);

	while (n > 0 && !utf8_valid(text, n))
		n--;
	text[n] = '\0';
}

void draft_skip(struct draft *draft, const char *field, const char *fmt, ...)
{
	struct price_public *list = draft->reader->list;
	struct price_skipped *row;
	va_list args;

	if (list->skipped_count++ >= PRICE_SKIPPED_MAX)
		return;
	if (!list->skipped)
		list->skipped = mem_zalloc(PRICE_SKIPPED_MAX, sizeof(*list->skipped));
	row = &list->skipped[list->skipped_count - 1];
	snprintf(row->provider, sizeof(row->provider), "%s", draft->price.provider);
	snprintf(row->model, sizeof(row->model), "%s", draft->price.model);
	snprintf(row->field, sizeof(row->field), "%s", field);
	va_start(args, fmt);
	vsnprintf(row->why, sizeof(row->why), fmt, args);
	va_end(args);
	text_end(row->provider);
	text_end(row->model);
	text_end(row->field);
	text_end(row->why);
	row->line = draft->line;
}

/* The index of the tier above so many tokens, which is added if it is new; -1 if there is no room for it. */
static int tier_at(struct draft *draft, int64_t above)
{
	struct price *price = &draft->price;
	int at = 0;

	if (!above)
		return 0;
	while (at < price->context_tiers && price->context[at].above_tokens < above)
		at++;
	if (at < price->context_tiers && price->context[at].above_tokens == above)
		return at + 1;
	if (price->context_tiers == CONTEXT_TIERS_MAX)
		return -1;
	for (int i = price->context_tiers; i > at; i--) {
		price->context[i] = price->context[i - 1];
		draft->rates[i + 1] = draft->rates[i];
		for (int m = 0; m < draft->modes; m++)
			draft->mode[m].rates[i + 1] = draft->mode[m].rates[i];
	}
	price->context_tiers++;
	price->context[at].above_tokens = above;
	rates_clear(&draft->rates[at + 1]);
	for (int m = 0; m < draft->modes; m++)
		rates_clear(&draft->mode[m].rates[at + 1]);
	return at + 1;
}

/* The rates of that mode, which is added if it is new; NULL if there is no room for it. */
static struct rates *mode_rates_at(struct draft *draft, const char *mode)
{
	int at = 0;

	if (!*mode)
		return draft->rates;
	while (at < draft->modes && strcmp(draft->mode[at].name, mode) != 0)
		at++;
	if (at == MODES_MAX || strlen(mode) >= sizeof(draft->mode[0].name))
		return NULL;
	if (at == draft->modes) {
		draft->modes++;
		snprintf(draft->mode[at].name, sizeof(draft->mode[at].name), "%s", mode);
		for (int tier = 0; tier <= CONTEXT_TIERS_MAX; tier++)
			rates_clear(&draft->mode[at].rates[tier]);
	}
	return draft->mode[at].rates;
}

bool draft_states(const struct draft *draft, const char *mode, enum meter meter)
{
	for (int i = 0; i < draft->modes; i++)
		if (strcmp(draft->mode[i].name, mode) == 0)
			return draft->mode[i].rates[0].pico[meter] != PRICE_NONE;
	return false;
}

static const char *decimal_why(enum decimal status)
{
	switch (status) {
	case DECIMAL_FINE:
		return "is finer than a pico-USD";
	case DECIMAL_LARGE:
		return "is too large";
	default:
		return "is not a number from 0";
	}
}

void draft_rate(
	struct draft *draft, struct place place, const struct tree *number, int scale, int den, const char *field)
{
	enum decimal status = DECIMAL_BAD;
	struct rates *rates;
	int64_t pico = 0, *rate;
	int tier;

	if (number->kind == TREE_NUMBER)
		status = decimal_scale(number->text, scale, &pico);
	if (status == DECIMAL_OK && pico % den != 0)
		status = DECIMAL_FINE;
	if (status != DECIMAL_OK) {
		draft_skip(draft, field, "%s", decimal_why(status));
		draft->broken = draft->broken || (place.meter == METER_INPUT && !*place.mode);
		return;
	}
	pico /= den;
	tier = tier_at(draft, place.above_tokens);
	if (tier < 0) {
		draft_skip(draft, field, "a price has at most %d context tiers", CONTEXT_TIERS_MAX);
		draft->broken = true;
		return;
	}
	rates = mode_rates_at(draft, place.mode);
	if (!rates) {
		draft_skip(draft, field, "a price has at most %d modes", MODES_MAX);
		return;
	}
	rate = &rates[tier].pico[place.meter];
	if (*rate == PRICE_NONE || *rate == 0)
		*rate = pico;
	else if (*rate != pico && pico != 0) {
		*rate = RATE_CONFLICT;
		draft_skip(draft, field, "another field has another price of %s", meter_name(place.meter));
	}
}

bool ratio_of(int64_t a, int64_t b, int32_t most, int32_t *num, int32_t *den)
{
	int64_t x = a, y = b;

	while (y) {
		int64_t rest = x % y;

		x = y;
		y = rest;
	}
	if (a <= 0 || b <= 0 || a / x > most || b / x > most)
		return false;
	*num = (int32_t)(a / x);
	*den = (int32_t)(b / x);
	return true;
}

bool draft_ratio(
	struct draft *draft, const struct tree *number, int32_t most, const char *field, int32_t *num, int32_t *den)
{
	int64_t value = 0;

	if (number->kind == TREE_NUMBER && decimal_scale(number->text, 6, &value) == DECIMAL_OK &&
		ratio_of(value, 1000000, most, num, den))
		return true;
	draft_skip(draft, field, "is not a ratio that a price can have");
	return false;
}

void draft_region(struct draft *draft, const char *region, const struct tree *number, const char *field)
{
	struct price *price = &draft->price;
	int32_t num, den;

	if (!draft_ratio(draft, number, RATIO_MORE_MAX, field, &num, &den))
		return;
	for (int i = 0; i < price->regions; i++) {
		if (strcmp(price->region[i].name, region) != 0)
			continue;
		if (price->region[i].num != num || price->region[i].den != den)
			draft_skip(draft, field, "another field has another ratio for %s", region);
		return;
	}
	if (price->regions == REGIONS_MAX) {
		draft_skip(draft, field, "a price has at most %d regions", REGIONS_MAX);
		return;
	}
	snprintf(price->region[price->regions].name, sizeof(price->region[0].name), "%s", region);
	price->region[price->regions].num = num;
	price->region[price->regions++].den = den;
}

static bool sheet_add(const struct draft *draft, const struct price *price, struct err *err)
{
	struct list_reader *reader = draft->reader;
	struct price_sheet *sheet = &reader->list->sheet;

	if (sheet->count == PRICE_CSV_ROWS_MAX)
		return err_set(
			err, ERR_INVALID, "line %d: the list has more than %d prices", draft->line, PRICE_CSV_ROWS_MAX);
	if (sheet->count == reader->room) {
		reader->room = reader->room ? reader->room * 2 : 64;
		sheet->prices = mem_realloc(sheet->prices, (size_t)reader->room * sizeof(*sheet->prices));
		sheet->lines = mem_realloc(sheet->lines, (size_t)reader->room * sizeof(*sheet->lines));
		reader->rows = mem_realloc(reader->rows, (size_t)reader->room * sizeof(*reader->rows));
	}
	sheet->lines[sheet->count] = draft->line;
	reader->rows[sheet->count] =
		(struct list_row){.model = draft->number, .other_name = strcmp(price->model, draft->price.model) != 0};
	sheet->prices[sheet->count++] = *price;
	return true;
}

void draft_source(struct draft *draft, const char *list, const char *page)
{
	char day[DATE_TEXT];

	snprintf(draft->price.source, sizeof(draft->price.source), "%s%s%.400s (%s)", list, *page ? ": " : "", page,
		date_format(draft->reader->now_us / DAY_US, day));
	text_end(draft->price.source);
}

bool draft_add(struct draft *draft, const char *model, int64_t from_us, int64_t to_us, struct err *err)
{
	struct price price = draft->price;
	struct err why;

	snprintf(price.model, sizeof(price.model), "%s", model);
	price.from_us = from_us;
	price.to_us = to_us;
	if (strlen(model) <= ID_MAX && price_check(&price, &why))
		return sheet_add(draft, &price, err);
	draft_skip(draft, "", "%s", strlen(model) > ID_MAX ? "a name of it is too long" : why.text);
	return true;
}
