/* What a price list changes: rows that cover part of a price, and changes too large to be intended. */
#ifndef BURSAR_DOMAIN_PRICE_PRICE_CHANGE_H
#define BURSAR_DOMAIN_PRICE_PRICE_CHANGE_H

#include "domain/price/price.h"

#define PRICE_BIG_MOVE 10

/* The parts of a price that a list has columns for: a bit for each meter, and for each meter above the context
 * threshold. */
typedef unsigned __int128 price_parts;
#define PRICE_GIVEN(bit_) ((price_parts)1 << (bit_))
#define PRICE_GIVEN_RATE(meter_) PRICE_GIVEN(meter_)
#define PRICE_GIVEN_ABOVE(meter_) PRICE_GIVEN(32 + (meter_))
#define PRICE_GIVEN_CONTEXT PRICE_GIVEN(64)
/* The tiers and all of their rates. */
#define PRICE_GIVEN_CONTEXTS (PRICE_GIVEN_CONTEXT | ((PRICE_GIVEN(32) - 1) << 32))
#define PRICE_GIVEN_MODES PRICE_GIVEN(65)
#define PRICE_GIVEN_MODE_RATES PRICE_GIVEN(66)
#define PRICE_GIVEN_REGIONS PRICE_GIVEN(67)
#define PRICE_GIVEN_HOURS PRICE_GIVEN(68)
#define PRICE_GIVEN_ALLOWANCES PRICE_GIVEN(69)
#define PRICE_GIVEN_ALL (PRICE_GIVEN(70) - 1)
/* Or only the listed context tiers (by threshold) and modes (by name): the others are kept. */
#define PRICE_MERGED_CONTEXT PRICE_GIVEN(70)
#define PRICE_MERGED_MODES PRICE_GIVEN(71)
/* The rates of base without a column, and those of context tiers: what a list `rates` covers, or `rates_above`. */
price_parts price_given_rare(void);
price_parts price_given_rare_above(void);

/* Copies what `given` does not cover from `before`. False when the result has more context tiers or modes than allowed. */
bool price_fill(struct price *price, price_parts given, const struct price *before, struct err *err);

/* Do they cost the same for any tokens and mode? Ignores times and sources. */
bool price_costs_same(const struct price *a, const struct price *b);

/* The first meter whose rate changes by more than a factor of PRICE_BIG_MOVE; -1 for none. Changes from or to
 * 0 or no price do not count. */
int price_big_move(const struct price *before, const struct price *after);

/* True when some rates are above 0 but none reaches 0.0001 USD per 1M tokens: most likely they are USD per token. */
bool prices_look_per_token(const struct price *const *prices, int count);

/* Are two of them in force at once for the same tenant, account and model? Their indexes, in order, go to *first and
 * *second. */
bool prices_overlap(const struct price *const *prices, int count, int *first, int *second);

#endif
