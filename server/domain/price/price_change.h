/* What a price list changes: rows that speak of a part of a price, and moves that are too big to be meant. */
#ifndef BURSAR_DOMAIN_PRICE_PRICE_CHANGE_H
#define BURSAR_DOMAIN_PRICE_PRICE_CHANGE_H

#include "domain/price/price.h"

#define PRICE_BIG_MOVE 10

/* The parts of a price that a list has a place for: a bit for each class, and for each class above the context's threshold. */
#define PRICE_GIVEN_RATE(class_) (1u << (class_))
#define PRICE_GIVEN_ABOVE(class_) (1u << (8 + (class_)))
#define PRICE_GIVEN_CONTEXT (1u << 16)
#define PRICE_GIVEN_MODES (1u << 17)
#define PRICE_GIVEN_ALL ((1u << 18) - 1)
/* Or only the context tiers (by their threshold) and the modes (by their names) that it has: the others stay. */
#define PRICE_MERGED_CONTEXT (1u << 18)
#define PRICE_MERGED_MODES (1u << 19)

/* What `given` does not speak of becomes as it is in `before`. False when it has more context tiers or modes then than a price may. */
bool price_fill(struct price *price, unsigned given, const struct price *before, struct err *err);

/* Do they cost the same, whatever the tokens and the mode? Times and sources are not compared. */
bool price_costs_same(const struct price *a, const struct price *b);

/* The first class whose rate moves by more than PRICE_BIG_MOVE times; -1 for none. To and from nothing is no such move. */
int price_big_move(const struct price *before, const struct price *after);

/* Is no rate of them 0.0001 USD per 1M tokens or more, though some are above 0? Then they are USD per token, most likely. */
bool prices_look_per_token(const struct price *const *prices, int count);

/* Are two of them in force at once for the same tenant, account and model? *first and *second: where they stand, in order. */
bool prices_overlap(const struct price *const *prices, int count, int *first, int *second);

#endif
