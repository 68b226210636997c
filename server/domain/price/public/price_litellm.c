/*
 * litellm's model_prices_and_context_window.json, as in litellm 1.110.2 (PyPI): litellm/model_prices_and_context_window_backup.json.
 * An object of models, whose fields are prices in USD for one token, image, second, ...: a stem of the table below, then
 * "_above_200k_tokens", then "_batches" or another mode. litellm_core_utils/llm_cost_calc/utils.py says what they mean.
 */
#include <stdio.h>
#include <string.h>

#include "domain/price/public/price_litellm.h"

static bool is_zero(const struct tree *value)
{
	int64_t pico;

	return value->kind == TREE_NUMBER && decimal_scale(value->text, 12, &pico) == DECIMAL_OK && pico == 0;
}

/* A field of the model, or of one of its tiers that begins above `above` tokens. */
static void cost_read(struct litellm_model *model, const struct tree *value, int64_t above)
{
	struct place place = {.mode = ""};
	const char *why;
	int scale = 0;
	enum litellm_found found = litellm_field(model, value->name, &place, &scale, &why);

	if (value->kind == TREE_NULL || (found == LITELLM_NEVER && is_zero(value)))
		return;
	if (found != LITELLM_RATE) {
		if (why)
			draft_skip(&model->draft, value->name, "%s", why);
		return;
	}
	place.above_tokens = place.above_tokens ? place.above_tokens : above;
	if (place.above_tokens && model->inclusive)
		place.above_tokens--;
	draft_rate(&model->draft, place, value, scale, 1, value->name);
}

/* The price of a search by the size of its context: one price if they are equal. */
static void search_read(struct litellm_model *model, const struct tree *value)
{
	const char *unit = tree_text(model->fields, "web_search_billing_unit");
	struct place place = {.meter = METER_WEB_SEARCHES, .mode = ""};

	if (value->kind != TREE_OBJECT || !value->first)
		return;
	for (const struct tree *at = value->first; at; at = at->next) {
		if (at->kind == TREE_NUMBER && value->first->kind == TREE_NUMBER &&
			strcmp(at->text, value->first->text) == 0)
			continue;
		draft_skip(&model->draft, value->name, "depends on the size of the search's context");
		return;
	}
	if (strcmp(unit, "per_prompt") == 0)
		place.meter = METER_GROUNDED_PROMPTS;
	else if (*unit && strcmp(unit, "per_query") != 0) {
		draft_skip(&model->draft, value->name, "its unit is not known");
		return;
	}
	draft_rate(&model->draft, place, value->first, 12, 1, value->name);
}

/* The tiers of Alibaba: the rates of requests with more than `range[0]` and up to `range[1]` tokens of input. */
static void tiers_read(struct litellm_model *model, const struct tree *value)
{
	int64_t expected = 0, begin = 0;

	if (value->kind != TREE_LIST)
		return;
	for (const struct tree *tier = value->first; tier; tier = tier->next) {
		const struct tree *range = tree_member(tier, "range");
		const struct tree *to = range && range->first ? range->first->next : NULL;

		if (!to || range->first->kind != TREE_NUMBER || to->kind != TREE_NUMBER ||
			decimal_scale(range->first->text, 0, &begin) != DECIMAL_OK || begin != expected ||
			decimal_scale(to->text, 0, &expected) != DECIMAL_OK) {
			draft_skip(&model->draft, value->name, "is not a series of ranges of tokens");
			model->draft.broken = model->draft.broken || range;
			return;
		}
		for (const struct tree *at = tier->first; at; at = at->next)
			if (at != range)
				cost_read(model, at, begin);
	}
}

static const struct {
	const char *field, *region;
} regions[] = {
	{"regional_processing_uplift_multiplier_eu", "eu"},
	{"regional_processing_uplift_multiplier_us", "us"},
	{"regional_endpoint_uplift_multiplier", "regional"},
	{"fedramp_uplift_multiplier", "fedramp"},
};

/* Ratios for where and how a model runs; the rest is for litellm itself. */
static void entry_read(struct litellm_model *model, const struct tree *value)
{
	struct draft *draft = &model->draft;

	for (const struct tree *at = value->kind == TREE_OBJECT ? value->first : NULL; at; at = at->next) {
		if (strcmp(at->name, "us") == 0)
			draft_region(draft, "us", at, value->name);
		else if (strcmp(at->name, "minimax_free_input_images") == 0)
			draft_skip(draft, value->name, "the list does not say in which time so many are free");
	}
}

static void field_read(struct litellm_model *model, const struct tree *value)
{
	static const char *const costs[] = {"_cost", "cost_", "_multiplier", "_pricing"};

	for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
		if (strcmp(value->name, regions[i].field) == 0) {
			draft_region(&model->draft, regions[i].region, value, value->name);
			return;
		}
	}
	if (strcmp(value->name, "search_context_cost_per_query") == 0)
		search_read(model, value);
	else if (strcmp(value->name, "tiered_pricing") == 0)
		tiers_read(model, value);
	else if (strcmp(value->name, "provider_specific_entry") == 0)
		entry_read(model, value);
	else if (strcmp(value->name, "search_free_requests") == 0)
		draft_skip(&model->draft, value->name, "the list does not say in which time so many are free");
	else if (strcmp(value->name, "off_peak_pricing") != 0)
		for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++)
			if (strstr(value->name, costs[i])) {
				cost_read(model, value, 0);
				return;
			}
}

/* Anthropic's fast mode: a ratio of every rate that follows from the others. */
static void fast_read(struct litellm_model *model)
{
	const struct tree *fast = tree_member(tree_member(model->fields, "provider_specific_entry"), "fast");
	struct price *price = &model->draft.price;
	int32_t num, den;

	if (!fast || !draft_ratio(&model->draft, fast, RATIO_MAX, "provider_specific_entry", &num, &den))
		return;
	if (price->modes == MODES_MAX) {
		draft_skip(&model->draft, "provider_specific_entry", "a price has at most %d modes", MODES_MAX);
		return;
	}
	memcpy(price->mode[price->modes].name, "fast", sizeof("fast"));
	price->mode[price->modes].num = num;
	price->mode[price->modes++].den = den;
}

static bool zone_find(const char *name, int16_t *offset)
{
	static const struct {
		const char *name;
		int16_t offset;
	} zones[] = {{"", 0}, {"UTC", 0}, {"Asia/Shanghai", 480}};

	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		if (strcmp(zones[i].name, name) == 0) {
			*offset = zones[i].offset;
			return true;
		}
	}
	return false;
}

/* "10:00-00:00" in UTC: [from, to) minutes of the day. */
static bool window_read(const char *text, int *from, int *to)
{
	int hour[2], minute[2], n = 0;

	if (sscanf(text, "%2d:%2d-%2d:%2d%n", &hour[0], &minute[0], &hour[1], &minute[1], &n) != 4 || text[n])
		return false;
	for (int i = 0; i < 2; i++)
		if (hour[i] < 0 || hour[i] > 23 || minute[i] < 0 || minute[i] > 59)
			return false;
	*from = hour[0] * 60 + minute[0];
	*to = hour[1] * 60 + minute[1];
	return true;
}

/*
 * A window on some days. litellm asks for the weekday of the moment itself, a price for that of the day on which the hours begin: hours
 * over midnight are two.
 */
static bool window_add(struct draft *draft, const char *text, struct price_hours hours)
{
	static const char field[] = "off_peak_pricing";
	int from, to;

	if (!window_read(text, &from, &to)) {
		draft_skip(draft, field, "\"%.20s\" is not a time of day", text);
		return false;
	}
	from = (from + hours.offset_minutes) % 1440;
	to = (to + hours.offset_minutes) % 1440;
	hours.from_minute = (int16_t)(from == to ? 0 : from);
	hours.to_minute = (int16_t)(to == 0 || from >= to ? 1440 : to);
	if (!draft_hours_add(draft, &hours, field))
		return false;
	if (from <= to || to == 0)
		return true;
	hours.from_minute = 0;
	hours.to_minute = (int16_t)to;
	return draft_hours_add(draft, &hours, field);
}

/* The windows of one rule: a text or several, on its weekdays. */
static bool rule_read(struct draft *draft, const struct tree *rule, struct price_hours hours)
{
	const struct tree *windows = tree_member(rule, "hours_utc"), *days = tree_member(rule, "weekdays");

	hours.days = days ? 0 : 127;
	for (const struct tree *at = days ? days->first : NULL; at; at = at->next)
		if (at->kind == TREE_NUMBER && *at->text >= '1' && *at->text <= '7' && !at->text[1])
			hours.days |= (uint8_t)(1 << (*at->text - '1'));
	if (!windows)
		return true;
	if (windows->kind == TREE_TEXT)
		return window_add(draft, windows->text, hours);
	for (const struct tree *at = windows->first; at; at = at->next)
		if (at->kind == TREE_TEXT && !window_add(draft, at->text, hours))
			return false;
	return true;
}

/* Other rates at some times of the week. The price's own rates are known by now. */
static bool off_peak_read(struct litellm_model *model, const struct tree *block)
{
	const struct tree *rules = tree_member(block, "windows");
	struct draft *draft = &model->draft;
	struct draft other = {.reader = draft->reader, .price = draft->price, .line = draft->line};
	struct price_hours hours = {0};
	struct place place;
	const char *why;
	int scale;

	if (!block)
		return true;
	rates_clear(&other.rates[0]);
	for (const struct tree *at = block->first; at; at = at->next) {
		if (litellm_field(model, at->name, &place, &scale, &why) == LITELLM_RATE && !place.above_tokens &&
			!*place.mode)
			draft_rate(&other, place, at, scale, 1, block->name);
	}
	if (!zone_find(tree_text(block, "weekday_timezone"), &hours.offset_minutes)) {
		draft_skip(draft, block->name, "the zone of its weekdays is not known");
		return false;
	}
	if (!draft_hours_ratio(draft, &other.rates[0], block->name, &hours.num, &hours.den) ||
		!rule_read(draft, block, hours))
		return false;
	for (const struct tree *rule = rules ? rules->first : NULL; rule; rule = rule->next)
		if (!rule_read(draft, rule, hours))
			return false;
	return true;
}

/* "gemini/gemini-2.5-pro" -> "gemini-2.5-pro": a name without the provider that it begins with. */
static const char *model_name(struct list_reader *reader, const char *name, const char *provider)
{
	size_t n = strcspn(name, "/");
	const char *first = arena_strndup(reader->arena, name, n);

	if (name[n] && name[n + 1] && strcmp(draft_provider(first), draft_provider(provider)) == 0)
		return name + n + 1;
	return name;
}

static bool model_read(struct list_reader *reader, const struct tree *value, struct err *err)
{
	const char *provider = tree_text(value, "litellm_provider"), *source = tree_text(value, "source");
	struct litellm_model model = {
		.fields = value, .does = tree_text(value, "mode"), .inclusive = strcmp(provider, "xai") == 0};
	struct draft *draft = &model.draft;

	reader->models++;
	draft_begin(reader, provider, model_name(reader, value->name, provider), value->line, draft);
	if (!*provider) {
		draft_skip(
			draft, "", tree_member(value, "alias_of") ? "is another name of a model" : "has no provider");
		return true;
	}
	for (const struct tree *at = value->first; at; at = at->next)
		field_read(&model, at);
	if (!draft_end(draft) || !off_peak_read(&model, tree_member(value, "off_peak_pricing")))
		return true;
	fast_read(&model);
	draft_source(draft, "litellm", source);
	return draft_add(draft, draft->price.model, 0, 0, err);
}

bool litellm_read(struct list_reader *reader, const struct tree *root, struct err *err)
{
	for (const struct tree *at = root->first; at; at = at->next)
		if (strcmp(at->name, "sample_spec") != 0 && at->kind == TREE_OBJECT && !model_read(reader, at, err))
			return false;
	return true;
}
