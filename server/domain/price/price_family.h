/* Prices for models that have none of their own: rules such as gpt-6*, dated, and the model of which one is a snapshot. */
#ifndef BURSAR_DOMAIN_PRICE_PRICE_FAMILY_H
#define BURSAR_DOMAIN_PRICE_PRICE_FAMILY_H

#include "domain/price/price.h"

/* Models whose names begin with `prefix` cost as much as this one, from a time on. */
struct price_family {
	char tenant[ID_MAX + 1]; /* "" = all tenants */
	char prefix[ID_MAX + 1]; /* the pattern in lower case, without its * */
	int64_t from_us; /* 0 = always */
	char provider[ID_MAX + 1], model[ID_MAX + 1]; /* whose price is used */
};

/* "gpt-6*" -> "gpt-6": in lower case, because names without a price are one in any case. ERR_INVALID on `field`. */
bool price_family_prefix(const char *pattern, const char *field, char out[ID_MAX + 1], struct err *err)
	__attribute__((warn_unused_result));

/* Gives a new book its rules, before others read it. Copies them. */
void price_book_families(struct price_book *book, const struct price_family *families, int count);

/* All rules, by tenant and prefix, the newest first. */
const struct price_family *price_families(const struct price_book *book, int *count);

/*
 * The price to use for a model without one at `at_us`; the cost must be flagged. The tenant's own rules come before the
 * general ones; of several that match, the longest counts, and of several equally long ones the newest. A dated snapshot
 * of a model with a price (gpt-4o-2024-05-13) counts as if there were a general rule with the name of that model. A name
 * is matched as it is written, then in the spellings of price_name.h. NULL when nothing matches.
 */
const struct price *price_find_family(
	const struct price_book *book, const char *tenant, const char *account, const char *model, int64_t at_us);

#endif
