/* Compares and merges prices. */
#include "domain/price/price_change.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define PICO_MIN 100 /* 0.0001 USD per 1M tokens: a hundredth of the lowest price ever charged */

static void context_fill(struct price *price, unsigned given, const struct price *before)
{
	if (!(given & PRICE_GIVEN_CONTEXT)) {
		price->context_tiers = before->context_tiers;
		memcpy(price->context, before->context, sizeof(price->context));
		return;
	}
	for (int i = 0; i < price->context_tiers && i < before->context_tiers; i++) {
		if (price->context[i].above_tokens != before->context[i].above_tokens)
			return;
		for (int class = 0; class < TOKEN_CLASS_COUNT; class ++)
			if (!(given & PRICE_GIVEN_ABOVE(class)))
				price->context[i].rates.pico[class] = before->context[i].rates.pico[class];
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
		for (int class = 0; class < TOKEN_CLASS_COUNT; class ++)
			if (price->context[i].rates.pico[class] != PRICE_NONE)
				merged.context[at].rates.pico[class] = price->context[i].rates.pico[class];
	}
	price->context_tiers = merged.context_tiers;
	memcpy(price->context, merged.context, sizeof(price->context));
	return true;
}

static bool modes_merge(struct price *price, const struct price *before, struct err *err)
{
	struct price merged = *before;

	for (int i = 0; i < price->modes; i++) {
		int at = 0;

		while (at < merged.modes && strcmp(merged.mode[at].name, price->mode[i].name) != 0)
			at++;
		if (at == MODES_MAX)
			return err_invalid(err, "modes",
				"would have more than %d entries together with the existing ones", MODES_MAX);
		merged.modes += at == merged.modes;
		merged.mode[at] = price->mode[i];
	}
	price->modes = merged.modes;
	memcpy(price->mode, merged.mode, sizeof(price->mode));
	return true;
}

bool price_fill(struct price *price, unsigned given, const struct price *before, struct err *err)
{
	for (int class = 0; class < TOKEN_CLASS_COUNT; class ++)
		if (!(given & PRICE_GIVEN_RATE(class)))
			price->base.pico[class] = before->base.pico[class];
	if (given & PRICE_MERGED_CONTEXT) {
		if (!context_merge(price, before, err))
			return false;
	} else {
		context_fill(price, given, before);
	}
	if (given & PRICE_MERGED_MODES)
		return modes_merge(price, before, err);
	if (!(given & PRICE_GIVEN_MODES)) {
		price->modes = before->modes;
		memcpy(price->mode, before->mode, sizeof(price->mode));
	}
	return true;
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

bool price_costs_same(const struct price *a, const struct price *b)
{
	if (memcmp(&a->base, &b->base, sizeof(a->base)) != 0 || a->context_tiers != b->context_tiers)
		return false;
	for (int i = 0; i < a->context_tiers; i++)
		if (a->context[i].above_tokens != b->context[i].above_tokens ||
			memcmp(&a->context[i].rates, &b->context[i].rates, sizeof(a->context[i].rates)) != 0)
			return false;
	return modes_same(a, b);
}

int price_big_move(const struct price *before, const struct price *after)
{
	for (int class = 0; class < TOKEN_CLASS_COUNT; class ++) {
		int64_t was = before->base.pico[class], is = after->base.pico[class];

		if (was > 0 && is > 0 && (is > was * PRICE_BIG_MOVE || was > is * PRICE_BIG_MOVE))
			return class;
	}
	return -1;
}

bool prices_look_per_token(const struct price *const *prices, int count)
{
	bool any = false;

	for (int i = 0; i < count; i++) {
		for (int class = 0; class < TOKEN_CLASS_COUNT; class ++) {
			if (prices[i]->base.pico[class] >= PICO_MIN)
				return false;
			any = any || prices[i]->base.pico[class] > 0;
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
