/* What a price list changes: rows that cover part of a price, and changes too large to be intended. */
#ifndef BURSAR_DOMAIN_PRICE_PRICE_CHANGE_H
#define BURSAR_DOMAIN_PRICE_PRICE_CHANGE_H

#include "domain/price/price.h"

#define PRICE_BIG_MOVE 10

/* The parts of a price that a list has columns for: a bit for each class, and for each class above the context
 * threshold. */
#define PRICE_GIVEN_RATE(class_) (1u << (class_))
#define PRICE_GIVEN_ABOVE(class_) (1u << (8 + (class_)))
#define PRICE_GIVEN_CONTEXT (1u << 16)
#define PRICE_GIVEN_MODES (1u << 17)
#define PRICE_GIVEN_ALL ((1u << 18) - 1)
/* Or only the listed context tiers (by threshold) and modes (by name): the others are kept. */
#define PRICE_MERGED_CONTEXT (1u << 18)
#define PRICE_MERGED_MODES (1u << 19)

/* Copies what `given` does not cover from `before`. False when the result has more context tiers or modes than allowed. */
bool price_fill(struct price *price, unsigned given, const struct price *before, struct err *err);

/* Do they cost the same for any tokens and mode? Ignores times and sources. */
bool price_costs_same(const struct price *a, const struct price *b);

/* The first class whose rate changes by more than a factor of PRICE_BIG_MOVE; -1 for none. Changes from or to
 * 0 or no price do not count. */
int price_big_move(const struct price *before, const struct price *after);

/* True when some rates are above 0 but none reaches 0.0001 USD per 1M tokens: most likely they are USD per token. */
bool prices_look_per_token(const struct price *const *prices, int count);

/* Are two of them in force at once for the same tenant, account and model? Their indexes, in order, go to *first and
 * *second. */
bool prices_overlap(const struct price *const *prices, int count, int *first, int *second);

#endif
