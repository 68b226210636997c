/*
 * Free allowances: so many of a meter cost nothing in each day, week or month. As text:
 *   grounded_prompts=1500/day,zone=America/Los_Angeles,shared=gemini-flash
 *     zone    where the days begin; without one, in UTC
 *     shared  models whose prices name the same allowance use up one together; without a name, each model has its own
 * A tenant has each allowance once. Which requests it covers is decided in the order in which the ledger has them
 * (docs/decisions/0016-allowances-behind-the-ledger.md).
 */
#ifndef BURSAR_DOMAIN_PRICE_PRICE_ALLOWANCE_H
#define BURSAR_DOMAIN_PRICE_PRICE_ALLOWANCE_H

#include "base/buf.h"
#include "domain/price/price.h"

/* Like the functions of price_text.h. */
bool allowances_parse(const char *text, const char *field, struct price *price, struct err *err);
void allowances_format(const struct price *price, struct buf *out);
bool allowances_check(const struct price *price, struct err *err);
/* In any order. */
bool allowances_same(const struct price *a, const struct price *b);

/* The name under which the price's allowance is used up. */
const char *allowance_pool(const struct price *price, const struct price_allowance *allowance);

/* When the period began that contains at_us. In UTC if the zone cannot be read. */
int64_t allowance_starts_us(const struct price_allowance *allowance, int64_t at_us);

/*
 * How many of `wanted` are free, if `used` of the period's `amount` are given away, `had` of them to this request before.
 * So a repeat gives the same, and an amount that was lowered takes back what is too much.
 */
int64_t allowance_give(int64_t amount, int64_t used, int64_t had, int64_t wanted);

#endif
