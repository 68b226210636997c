/*
 * The modes of a public list: it states prices, Bursar keeps a ratio and the rates that do not follow from it. What a list does not
 * state of a mode costs what it costs in the standard mode, as in the programs that the lists are made for.
 */
#include "domain/price/public/price_draft.h"

#include <stdio.h>
#include <string.h>

static bool is_fee(int meter)
{
	return meter_unit_rows[meter_rows[meter].unit].fees;
}

/* Conflicts, which are listed already, become "no price". */
static void rates_settle(struct rates *rates)
{
	for (int meter = 0; meter < METER_COUNT; meter++)
		if (rates->pico[meter] < 0)
			rates->pico[meter] = PRICE_NONE;
}

/* The ratio of the first rate that the mode states; 1/1 if it cannot be said, or if it states none that it could be taken from. */
static void ratio_find(const struct draft *draft, const struct draft_mode *mode, int32_t *num, int32_t *den)
{
	*num = *den = 1;
	for (int meter = 0; meter < METER_COUNT; meter++) {
		int64_t standard = draft->rates[0].pico[meter], stated = mode->rates[0].pico[meter];

		if (is_fee(meter) || standard <= 0 || stated <= 0)
			continue;
		ratio_of(stated, standard, RATIO_MAX, num, den);
		return;
	}
}

/* Does the rate of this place follow from the ratio? */
static bool follows(int meter, int64_t standard, int64_t stated, int32_t num, int32_t den)
{
	if (standard == PRICE_NONE)
		return false;
	if (is_fee(meter))
		return standard == stated;
	return (__int128)stated * den == (__int128)standard * num;
}

/*
 * What the mode charges for a meter. Where the list has the price of the parent once more (reasoning at the price of output), that
 * goes on in the mode. PRICE_NONE: the meter has no rate of its own.
 */
static int64_t mode_rate_of(const struct draft *draft, const struct draft_mode *mode, int tier, int meter)
{
	int parent = (int)meter_rows[meter].parent;
	int64_t standard = draft->rates[tier].pico[meter], stated = mode->rates[tier].pico[meter];

	if (stated != PRICE_NONE || parent == meter || standard != draft->rates[tier].pico[parent] ||
		mode->rates[tier].pico[parent] == PRICE_NONE)
		return stated != PRICE_NONE ? stated : standard;
	return standard == PRICE_NONE ? PRICE_NONE : mode->rates[tier].pico[parent];
}

static bool mode_end(struct draft *draft, const struct draft_mode *mode)
{
	struct price *price = &draft->price;
	int at = price->modes, rows = price->mode_rates;
	int32_t num, den;

	ratio_find(draft, mode, &num, &den);
	for (int tier = 0; tier <= price->context_tiers; tier++) {
		for (int meter = 0; meter < METER_COUNT; meter++) {
			int64_t standard = draft->rates[tier].pico[meter];
			int64_t stated = mode_rate_of(draft, mode, tier, meter);

			if (stated == PRICE_NONE || follows(meter, standard, stated, num, den))
				continue;
			if (rows == MODE_RATES_MAX)
				return false;
			price->mode_rate[rows++] = (struct mode_rate){.mode = (uint8_t)at,
				.meter = (uint8_t)meter,
				.above_tokens = tier ? price->context[tier - 1].above_tokens : 0,
				.pico = stated};
		}
	}
	if (num == den && rows == price->mode_rates)
		return true; /* it costs the same */
	memcpy(price->mode[at].name, mode->name, sizeof(price->mode[at].name));
	price->mode[at].num = num;
	price->mode[at].den = den;
	price->modes++;
	price->mode_rates = rows;
	return true;
}

static bool rates_none(const struct rates *rates)
{
	for (int meter = 0; meter < METER_COUNT; meter++)
		if (rates->pico[meter] != PRICE_NONE)
			return false;
	return true;
}

/* Tiers that only modes have, or whose fields are in conflict, have no rates: a price cannot have those. */
static bool tiers_check(struct draft *draft)
{
	for (int tier = 1; tier <= draft->price.context_tiers; tier++) {
		if (!rates_none(&draft->rates[tier]))
			continue;
		/* The base rate, written out, so that the modes' rates have a tier to be in. */
		if (draft->rates[0].pico[METER_INPUT] == PRICE_NONE)
			return false;
		draft->rates[tier].pico[METER_INPUT] = draft->rates[0].pico[METER_INPUT];
	}
	return true;
}

bool draft_end(struct draft *draft)
{
	struct price *price = &draft->price;
	struct err err;

	for (int tier = 0; tier <= CONTEXT_TIERS_MAX; tier++) {
		rates_settle(&draft->rates[tier]);
		for (int i = 0; i < draft->modes; i++)
			rates_settle(&draft->mode[i].rates[tier]);
	}
	if (draft->broken) {
		draft_skip(draft, "", "without what is left out, its price would be wrong");
		return false;
	}
	if (rates_none(&draft->rates[0])) {
		draft_skip(draft, "", "has no price that can be imported");
		return false;
	}
	if (!tiers_check(draft)) {
		draft_skip(draft, "", "has a context tier without an input price");
		return false;
	}
	price->base = draft->rates[0];
	for (int tier = 0; tier < price->context_tiers; tier++)
		price->context[tier].rates = draft->rates[tier + 1];
	for (int i = 0; i < draft->modes; i++)
		if (!mode_end(draft, &draft->mode[i]))
			draft_skip(draft, draft->mode[i].name, "a price has at most %d rates of modes", MODE_RATES_MAX);
	if (price_check(price, &err))
		return true;
	draft_skip(draft, "", "%s", err.text);
	return false;
}
