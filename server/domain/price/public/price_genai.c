/*
 * The data of genai-prices, as in genai-prices 0.2.3 (PyPI): genai_prices/data.py, and prices/new_data/v2/data.json of its repository,
 * which says the same. A list of providers with models; prices in USD for 1M tokens, 1,000 calls, ...; types.py says what they mean.
 * Of the clauses by which it finds a model, only `equals` names another id; the others are patterns, and are not read.
 */
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "domain/price/public/price_draft.h"
#include "domain/time/date.h"

enum { OFFERS_MAX = 32 };

static const struct key {
	const char *name;
	enum meter meter;
	int scale, den; /* of USD to pico-USD for one of the meter */
	const char *why; /* not NULL: it cannot be said */
} keys[] = {
	{"input_mtok", METER_INPUT, 6, 1, NULL},
	{"output_mtok", METER_OUTPUT, 6, 1, NULL},
	{"cache_read_mtok", METER_CACHED_INPUT, 6, 1, NULL},
	{"cache_write_mtok", METER_CACHE_WRITE, 6, 1, NULL},
	{"cache_write_5m_mtok", METER_CACHE_WRITE, 6, 1, NULL},
	{"cache_write_1h_mtok", METER_CACHE_WRITE_1H, 6, 1, NULL},
	{"output_reasoning_mtok", METER_REASONING, 6, 1, NULL},
	{"input_audio_mtok", METER_AUDIO_INPUT, 6, 1, NULL},
	{"output_audio_mtok", METER_AUDIO_OUTPUT, 6, 1, NULL},
	{"cache_audio_read_mtok", METER_CACHED_AUDIO_INPUT, 6, 1, NULL},
	{"input_image_mtok", METER_IMAGE_INPUT, 6, 1, NULL},
	{"cache_image_read_mtok", METER_CACHED_IMAGE_INPUT, 6, 1, NULL},
	{"output_image_mtok", METER_IMAGE_OUTPUT, 6, 1, NULL},
	{"input_video_mtok", METER_VIDEO_INPUT, 6, 1, NULL},
	{"output_video_mtok", 0, 0, 1, "there is no meter of video output in tokens"},
	{"output_citation_mtok", METER_CITATION, 6, 1, NULL},
	{"input_mchars", METER_CHARACTERS, 6, 1, NULL},
	{"audio_hours", METER_AUDIO_SECONDS, 12, 3600, NULL},
	{"input_audio_hours", METER_AUDIO_SECONDS, 12, 3600, NULL},
	{"input_document_kpages", METER_PAGES, 9, 1, NULL},
	{"input_annotated_document_kpages", 0, 0, 1, "there is no meter of annotated pages"},
	{"requests_kcount", METER_CALLS, 9, 1, NULL},
	{"web_searches_kcount", METER_WEB_SEARCHES, 9, 1, NULL},
	{"storage_searches_kcount", METER_FILE_SEARCHES, 9, 1, NULL},
	{"input_text_messages_kcount", 0, 0, 1, "there is no meter of messages"},
};

/* What a variant depends on, and the mode that it is for Bursar; "": the standard mode. */
static const struct {
	const char *key, *value, *mode;
} variants[] = {
	{"processing", "batch", "batch"},
	{"service_tier", "flex", "flex"},
	{"service_tier", "priority", "priority"},
	{"service_tier", "fast", "fast"},
	{"service_tier", "default", ""},
	{"speed", "fast", "fast"},
};

/* Prices under a condition. */
struct offer {
	const struct tree *prices;
	int64_t from_us; /* 0: always */
	bool daily;
	int from_minute, to_minute; /* of the day in UTC */
};

struct model {
	struct list_reader *reader;
	const struct tree *fields;
	const char *provider, *name, *page;
	int offers;
	struct offer offer[OFFERS_MAX];
};

static const struct key *key_find(const char *name)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

/* The tiers of a price; false if they are not any. */
static bool tiers_read(struct draft *draft, const struct tree *tiers, const struct key *key, const char *mode)
{
	struct place place = {.meter = key->meter, .mode = mode};

	for (const struct tree *at = tiers ? tiers->first : NULL; at; at = at->next) {
		const struct tree *start = tree_member(at, "start"), *price = tree_member(at, "price");

		if (!start || !price || start->kind != TREE_NUMBER ||
			decimal_scale(start->text, 0, &place.above_tokens) != DECIMAL_OK || !place.above_tokens)
			return false;
		draft_rate(draft, place, price, key->scale, key->den, key->name);
	}
	return true;
}

/* One price, or the base and the tiers of one. */
static void price_read(struct draft *draft, const struct tree *value, const char *mode)
{
	const struct tree *base = tree_member(value, "base");
	const struct key *key = key_find(value->name);

	if (value->kind == TREE_NULL)
		return;
	if (!key || key->why) {
		draft_skip(draft, value->name, "%s", key ? key->why : "is not known");
		return;
	}
	draft_rate(draft, (struct place){.meter = key->meter, .mode = mode}, base ? base : value, key->scale, key->den,
		value->name);
	if (tiers_read(draft, tree_member(value, "tiers"), key, mode))
		return;
	draft_skip(draft, value->name, "a tier has no beginning, or no price");
	draft->broken = true;
}

static int number_at(const struct tree *call, int at)
{
	const struct tree *value = call->first;
	int64_t out = 0;

	while (value && at-- > 0)
		value = value->next;
	return value && value->kind == TREE_NUMBER && decimal_scale(value->text, 0, &out) == DECIMAL_OK && out < 10000
		       ? (int)out
		       : 0;
}

/* "2026-07-30", or datetime.date(2026, 7, 30). */
static bool day_read(const struct tree *value, int64_t *out)
{
	struct err err;
	char text[32] = "";
	int64_t days;

	if (value && value->kind == TREE_TEXT)
		snprintf(text, sizeof(text), "%s", value->text);
	else if (value && value->kind == TREE_OBJECT)
		snprintf(text, sizeof(text), "%04d-%02d-%02d", number_at(value, 0), number_at(value, 1),
			number_at(value, 2));
	if (!date_parse(text, "start_date", &days, &err) || days < 1)
		return false;
	*out = days * DAY_US;
	return true;
}

static bool is_utc(const char *zone)
{
	return strcmp(zone, "datetime.UTC") == 0 || strcmp(zone, "datetime.timezone.utc") == 0;
}

/* "16:30:00Z", or datetime.time(16, 30, tzinfo=datetime.UTC): minutes. */
static bool time_read(const struct tree *value, int *out)
{
	int hour = 0, minute = 0, n = 0;

	if (value && value->kind == TREE_TEXT) {
		if (sscanf(value->text, "%2d:%2d:00Z%n", &hour, &minute, &n) != 2 || !n || value->text[n])
			return false;
	} else if (value && is_utc(tree_text(value, "tzinfo"))) {
		hour = number_at(value, 0);
		minute = number_at(value, 1);
	} else {
		return false;
	}
	*out = hour * 60 + minute;
	return hour >= 0 && hour < 24 && minute >= 0 && minute < 60;
}

static bool constraint_read(const struct tree *constraint, struct offer *offer)
{
	if (!constraint || constraint->kind == TREE_NULL)
		return true;
	if (tree_member(constraint, "start_date"))
		return day_read(tree_member(constraint, "start_date"), &offer->from_us);
	offer->daily = true;
	return time_read(tree_member(constraint, "start_time"), &offer->from_minute) &&
	       time_read(tree_member(constraint, "end_time"), &offer->to_minute) &&
	       offer->from_minute != offer->to_minute;
}

static bool offers_read(struct model *model, struct draft *draft)
{
	const struct tree *prices = tree_member(model->fields, "prices");

	model->offers = 0;
	if (prices && prices->kind == TREE_OBJECT) {
		model->offer[model->offers++] = (struct offer){.prices = prices};
		return true;
	}
	for (const struct tree *at = prices ? prices->first : NULL; at; at = at->next) {
		struct offer offer = {.prices = tree_member(at, "prices")};

		if (model->offers == OFFERS_MAX || !offer.prices ||
			!constraint_read(tree_member(at, "constraint"), &offer)) {
			draft_skip(draft, "constraint", "is not a date or a time of day in UTC; the model is left out");
			return false;
		}
		model->offer[model->offers++] = offer;
	}
	return true;
}

/* The last one that is in force all day at `at_us`; the first one if none is. */
static int offer_at(const struct model *model, int64_t at_us)
{
	int found = 0;

	for (int i = 0; i < model->offers; i++)
		if (!model->offer[i].daily && model->offer[i].from_us <= at_us)
			found = i;
	return found;
}

/* Times of day with prices of their own. The last one in the list wins, and so does the first one of a price. */
static bool hours_read(const struct model *model, struct draft *draft, int whole_day)
{
	for (int i = model->offers - 1; i > whole_day; i--) {
		const struct offer *offer = &model->offer[i];
		struct draft other = {.reader = draft->reader, .price = draft->price, .line = draft->line};
		struct price_hours hours = {.days = 127,
			.from_minute = (int16_t)offer->from_minute,
			.to_minute = (int16_t)offer->to_minute};

		if (!offer->daily)
			continue;
		rates_clear(&other.rates[0]);
		for (const struct tree *at = offer->prices->first; at; at = at->next)
			price_read(&other, at, "");
		if (!draft_hours_ratio(draft, &other.rates[0], "constraint", &hours.num, &hours.den) ||
			!draft_hours_add(draft, &hours, "constraint"))
			return false;
	}
	return true;
}

static void variant_read(struct draft *draft, const struct tree *variant, int64_t at_us)
{
	const struct tree *when = tree_member(variant, "when"), *prices = tree_member(variant, "prices");
	const struct tree *first = when ? when->first : NULL;
	struct offer offer = {0};

	if (!prices || !prices->first)
		return;
	for (size_t i = 0; first && !first->next && i < sizeof(variants) / sizeof(variants[0]); i++) {
		if (strcmp(variants[i].key, first->name) != 0 ||
			strcmp(variants[i].value, tree_text(when, first->name)) != 0)
			continue;
		if (!constraint_read(tree_member(variant, "constraint"), &offer) || offer.daily || !*variants[i].mode)
			break;
		for (const struct tree *at = offer.from_us <= at_us ? prices->first : NULL; at; at = at->next) {
			const struct key *key = key_find(at->name);

			/* An earlier variant wins, for each price by itself. */
			if (!key || key->why || !draft_states(draft, variants[i].mode, key->meter))
				price_read(draft, at, variants[i].mode);
		}
		return;
	}
	draft_skip(draft, "price_variants", "%.40s=%.40s is not a mode", first ? first->name : "",
		first ? tree_text(when, first->name) : "");
}

/* Adds the price under the model's id, and the ids that its clauses name. */
static bool names_add(struct draft *draft, const struct tree *match, int64_t from_us, int64_t to_us, struct err *err)
{
	const struct tree *any = tree_member(match, "or") ? tree_member(match, "or") : tree_member(match, "or_");
	const char *id = draft->price.model;

	if (!draft_add(draft, id, from_us, to_us, err))
		return false;
	if (*tree_text(match, "equals") && strcmp(tree_text(match, "equals"), id) != 0 &&
		!draft_add(draft, tree_text(match, "equals"), from_us, to_us, err))
		return false;
	for (const struct tree *at = any ? any->first : NULL; at; at = at->next)
		if (*tree_text(at, "equals") && strcmp(tree_text(at, "equals"), id) != 0 &&
			!draft_add(draft, tree_text(at, "equals"), from_us, to_us, err))
			return false;
	return true;
}

/* The first moment after `after_us` at which the price changes; 0 if there is none. */
static int64_t next_change(const struct model *model, int64_t after_us)
{
	const struct tree *list = tree_member(model->fields, "price_variants");
	int64_t next = 0;

	for (int i = 0; i < model->offers; i++) {
		int64_t from = model->offer[i].from_us;

		if (from > after_us && (!next || from < next))
			next = from;
	}
	for (const struct tree *at = list ? list->first : NULL; at; at = at->next) {
		struct offer offer = {0};

		if (constraint_read(tree_member(at, "constraint"), &offer) && offer.from_us > after_us &&
			(!next || offer.from_us < next))
			next = offer.from_us;
	}
	return next;
}

/* The prices that are in force at `at_us`, until `to_us`. */
static bool span_read(const struct model *model, int64_t from_us, int64_t at_us, int64_t to_us, struct err *err)
{
	const struct tree *list = tree_member(model->fields, "price_variants");
	int whole_day = offer_at(model, at_us);
	struct draft draft;

	draft_begin(model->reader, model->provider, model->name, model->fields->line, &draft);
	for (const struct tree *at = model->offer[whole_day].prices->first; at; at = at->next)
		price_read(&draft, at, "");
	for (const struct tree *at = list ? list->first : NULL; at; at = at->next)
		variant_read(&draft, at, at_us);
	if (!draft_end(&draft) || !hours_read(model, &draft, whole_day))
		return true;
	draft_source(&draft, "genai-prices", model->page);
	return names_add(&draft, tree_member(model->fields, "match"), from_us, to_us, err);
}

static bool model_read(struct model *model, struct err *err)
{
	int64_t at_us = model->reader->now_us, from_us = 0, to_us;
	struct draft draft;

	model->reader->models++;
	draft_begin(model->reader, model->provider, model->name, model->fields->line, &draft);
	if (!offers_read(model, &draft))
		return true;
	if (model->offers == 0) {
		draft_skip(&draft, "", "has no price that can be imported");
		return true;
	}
	do {
		to_us = next_change(model, at_us);
		if (!span_read(model, from_us, at_us, to_us, err))
			return false;
		from_us = at_us = to_us;
	} while (to_us);
	return true;
}

bool genai_read(struct list_reader *reader, const struct tree *root, struct err *err)
{
	struct model model = {.reader = reader};

	reader->first_wins = true;
	for (const struct tree *provider = root->first; provider; provider = provider->next) {
		const struct tree *models = tree_member(provider, "models"),
				  *pages = tree_member(provider, "pricing_urls");

		model.provider = tree_text(provider, "id");
		model.page = pages && pages->first && pages->first->kind == TREE_TEXT ? pages->first->text : "";
		for (const struct tree *at = models ? models->first : NULL; at; at = at->next) {
			model.fields = at;
			model.name = tree_text(at, "id");
			if (!model_read(&model, err))
				return false;
		}
	}
	return true;
}
