/* Compares and merges prices. */
#include "domain/price/price_change.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "domain/price/price_allowance.h"
#include "domain/price/price_text.h"

#define PICO_MIN 100 /* 0.0001 USD per 1M tokens: a hundredth of the lowest price ever charged */

price_parts price_given_rare(void)
{
	price_parts given = 0;

	for (int meter = METER_KEPT_COUNT; meter < METER_COUNT; meter++)
		given |= PRICE_GIVEN_RATE(meter);
	return given;
}

price_parts price_given_rare_above(void)
{
	return price_given_rare() << 32 | PRICE_GIVEN_ABOVE(METER_REASONING) | PRICE_GIVEN_ABOVE(METER_AUDIO_INPUT) |
	       PRICE_GIVEN_ABOVE(METER_AUDIO_OUTPUT);
}

static void context_fill(struct price *price, price_parts given, const struct price *before)
{
	if (!(given & PRICE_GIVEN_CONTEXT)) {
		price->context_tiers = before->context_tiers;
		memcpy(price->context, before->context, sizeof(price->context));
		return;
	}
	for (int i = 0; i < price->context_tiers && i < before->context_tiers; i++) {
		if (price->context[i].above_tokens != before->context[i].above_tokens)
			return;
		for (int meter = 0; meter < METER_COUNT; meter++)
			if (!(given & PRICE_GIVEN_ABOVE(meter)))
				price->context[i].rates.pico[meter] = before->context[i].rates.pico[meter];
	}
}

static bool context_merge(struct price *price, const struct price *before, struct err *err)
{
	struct price merged = *before;

	for (int i = 0; i < price->context_tiers; i++) {
		int64_t above = price->context[i].above_tokens;
		int at = 0;

		while (at < merged.context_tiers && merged.context[at].above_tokens < above)
			at++;
		if (at == merged.context_tiers || merged.context[at].above_tokens != above) {
			if (merged.context_tiers == CONTEXT_TIERS_MAX)
				return err_invalid(err, "context_tiers",
					"would have more than %d entries together with the existing ones",
					CONTEXT_TIERS_MAX);
			memmove(&merged.context[at + 1], &merged.context[at],
				(size_t)(merged.context_tiers++ - at) * sizeof(merged.context[0]));
			merged.context[at] = price->context[i];
			continue;
		}
		for (int meter = 0; meter < METER_COUNT; meter++)
			if (price->context[i].rates.pico[meter] != PRICE_NONE)
				merged.context[at].rates.pico[meter] = price->context[i].rates.pico[meter];
	}
	price->context_tiers = merged.context_tiers;
	memcpy(price->context, merged.context, sizeof(price->context));
	return true;
}

static int mode_at(const struct price *price, const char *name)
{
	int at = 0;

	while (at < price->modes && strcmp(price->mode[at].name, name) != 0)
		at++;
	return at;
}

/* Copies the rates of modes from `from`, whose modes may be in another order; those of modes that are gone go, too. */
static void mode_rates_take(struct price *price, const struct price *from)
{
	int count = 0;
	struct mode_rate rows[MODE_RATES_MAX] = {0};

	for (int i = 0; i < from->mode_rates; i++) {
		int at = mode_at(price, from->mode[from->mode_rate[i].mode].name);

		if (at == price->modes)
			continue;
		rows[count] = from->mode_rate[i];
		rows[count++].mode = (uint8_t)at;
	}
	memcpy(price->mode_rate, rows, (size_t)count * sizeof(rows[0]));
	price->mode_rates = count;
}

/* A listed mode without a ratio keeps its own. */
static bool modes_merge(struct price *price, const struct price *before, struct err *err)
{
	struct price merged = *before;

	for (int i = 0; i < price->modes; i++) {
		int at = mode_at(&merged, price->mode[i].name);

		if (at == MODES_MAX)
			return err_invalid(err, "modes",
				"would have more than %d entries together with the existing ones", MODES_MAX);
		if (at < merged.modes && price->mode[i].den == 0)
			continue;
		merged.modes += at == merged.modes;
		merged.mode[at] = price->mode[i];
	}
	mode_rates_take(&merged, price);
	price->modes = merged.modes;
	memcpy(price->mode, merged.mode, sizeof(price->mode));
	price->mode_rates = merged.mode_rates;
	memcpy(price->mode_rate, merged.mode_rate, sizeof(price->mode_rate));
	return true;
}

static bool modes_fill(struct price *price, price_parts given, const struct price *before, struct err *err)
{
	if (given & PRICE_MERGED_MODES) {
		if (!modes_merge(price, before, err))
			return false;
	} else if (!(given & PRICE_GIVEN_MODES)) {
		struct price own = *price;

		price->modes = before->modes;
		memcpy(price->mode, before->mode, sizeof(price->mode));
		mode_rates_take(price, &own);
	}
	if (!(given & PRICE_GIVEN_MODE_RATES))
		mode_rates_take(price, before);
	price_modes_settle(price);
	return true;
}

static void places_fill(struct price *price, price_parts given, const struct price *before)
{
	if (!(given & PRICE_GIVEN_REGIONS)) {
		price->regions = before->regions;
		memcpy(price->region, before->region, sizeof(price->region));
	}
	if (!(given & PRICE_GIVEN_HOURS)) {
		price->hours = before->hours;
		memcpy(price->hour, before->hour, sizeof(price->hour));
	}
	if (!(given & PRICE_GIVEN_ALLOWANCES)) {
		price->allowances = before->allowances;
		memcpy(price->allowance, before->allowance, sizeof(price->allowance));
	}
}

bool price_fill(struct price *price, price_parts given, const struct price *before, struct err *err)
{
	for (int meter = 0; meter < METER_COUNT; meter++)
		if (!(given & PRICE_GIVEN_RATE(meter)))
			price->base.pico[meter] = before->base.pico[meter];
	if (given & PRICE_MERGED_CONTEXT) {
		if (!context_merge(price, before, err))
			return false;
	} else {
		context_fill(price, given, before);
	}
	places_fill(price, given, before);
	return modes_fill(price, given, before, err);
}

/* Modes come in any order. */
static bool modes_same(const struct price *a, const struct price *b)
{
	if (a->modes != b->modes)
		return false;
	for (int i = 0; i < a->modes; i++) {
		int k = 0;

		while (k < b->modes && strcmp(a->mode[i].name, b->mode[k].name) != 0)
			k++;
		if (k == b->modes || a->mode[i].num != b->mode[k].num || a->mode[i].den != b->mode[k].den)
			return false;
	}
	return true;
}

/* So do their rates. */
static bool mode_rates_same(const struct price *a, const struct price *b)
{
	if (a->mode_rates != b->mode_rates)
		return false;
	for (int i = 0; i < a->mode_rates; i++) {
		const struct mode_rate *x = &a->mode_rate[i];
		bool found = false;

		for (int k = 0; k < b->mode_rates && !found; k++) {
			const struct mode_rate *y = &b->mode_rate[k];

			found = strcmp(a->mode[x->mode].name, b->mode[y->mode].name) == 0 && x->meter == y->meter &&
				x->above_tokens == y->above_tokens && x->pico == y->pico;
		}
		if (!found)
			return false;
	}
	return true;
}

static bool places_same(const struct price *a, const struct price *b)
{
	if (a->regions != b->regions || a->hours != b->hours)
		return false;
	for (int i = 0; i < a->regions; i++) {
		int k = 0;

		while (k < b->regions && strcmp(a->region[i].name, b->region[k].name) != 0)
			k++;
		if (k == b->regions || a->region[i].num != b->region[k].num || a->region[i].den != b->region[k].den)
			return false;
	}
	for (int i = 0; i < a->hours; i++) {
		const struct price_hours *x = &a->hour[i], *y = &b->hour[i];

		if (x->offset_minutes != y->offset_minutes || strcmp(x->zone, y->zone) != 0 || x->days != y->days ||
			x->from_minute != y->from_minute || x->to_minute != y->to_minute || x->num != y->num ||
			x->den != y->den)
			return false;
	}
	return true;
}

bool price_costs_same(const struct price *a, const struct price *b)
{
	if (memcmp(&a->base, &b->base, sizeof(a->base)) != 0 || a->context_tiers != b->context_tiers)
		return false;
	for (int i = 0; i < a->context_tiers; i++)
		if (a->context[i].above_tokens != b->context[i].above_tokens ||
			memcmp(&a->context[i].rates, &b->context[i].rates, sizeof(a->context[i].rates)) != 0)
			return false;
	return modes_same(a, b) && mode_rates_same(a, b) && places_same(a, b) && allowances_same(a, b);
}

int price_big_move(const struct price *before, const struct price *after)
{
	for (int meter = 0; meter < METER_COUNT; meter++) {
		int64_t was = before->base.pico[meter], is = after->base.pico[meter];

		if (was > 0 && is > 0 && (is > was * PRICE_BIG_MOVE || was > is * PRICE_BIG_MOVE))
			return meter;
	}
	return -1;
}

bool prices_look_per_token(const struct price *const *prices, int count)
{
	bool any = false;

	for (int i = 0; i < count; i++) {
		for (int meter = 0; meter < METER_COUNT; meter++) {
			if (meter_rows[meter].unit != UNIT_TOKENS)
				continue;
			if (prices[i]->base.pico[meter] >= PICO_MIN)
				return false;
			any = any || prices[i]->base.pico[meter] > 0;
		}
	}
	return any;
}

/* For finding two rows of one key that are in force at the same time. */
struct place {
	const struct price *price;
	int at;
};

static int compare_keys(const struct price *a, const struct price *b)
{
	int order = strcmp(a->tenant, b->tenant);

	if (order == 0)
		order = strcmp(a->account, b->account);
	if (order == 0)
		order = strcmp(a->provider, b->provider);
	return order ? order : strcmp(a->model, b->model);
}

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order = compare_keys(x->price, y->price);

	if (order == 0)
		order = (x->price->from_us > y->price->from_us) - (x->price->from_us < y->price->from_us);
	return order ? order : (x->at > y->at) - (x->at < y->at);
}

bool prices_overlap(const struct price *const *prices, int count, int *first, int *second)
{
	struct place *places = mem_zalloc((size_t)count + 1, sizeof(*places));
	bool overlap = false;

	for (int i = 0; i < count; i++)
		places[i] = (struct place){.price = prices[i], .at = i};
	qsort(places, (size_t)count, sizeof(*places), compare_places);
	for (int i = 1; i < count && !overlap; i++) {
		const struct price *before = places[i - 1].price, *price = places[i].price;

		overlap = compare_keys(before, price) == 0 && (before->to_us == 0 || before->to_us > price->from_us);
		if (overlap) {
			*first = places[i - 1].at;
			*second = places[i].at;
		}
	}
	free(places);
	return overlap;
}
