/* Chooses the price at which a request is held or charged. */
#ifndef BURSAR_SERVICE_REQUEST_PRICING_H
#define BURSAR_SERVICE_REQUEST_PRICING_H

#include "domain/price/price.h"
#include "store/catalog.h"

/* A price and the cost of some tokens at it. */
struct priced {
	const struct price *price; /* owned by the catalog; NULL: no price, the cost is 0 */
	const char *named; /* the model to be priced; "" = none */
	bool unpriced; /* the model has no price: `price` is another model's, or NULL */
	struct cost cost;
};

struct pricing {
	const struct catalog *catalog;
	const struct tenant *settings;
	const char *tenant, *user; /* user "" = no user's own prices */
	bool call; /* it is a call of the model: counts as one if the price has a rate for calls */
};

/*
 * For a check or an estimate. The tenant's settings decide about a model without a price: refused with ERR_INVALID on
 * `field`, naming the most similar ids; priced as its family or the fallback model; or free. A mode that the model's
 * price does not have is ERR_INVALID; with another model's price, the standard rate applies.
 */
bool price_for_check(const struct pricing *pricing, const char *model, const char *field, struct meters *meters,
	struct purchase purchase, struct priced *out, struct err *err);

/* For settings that name a model whose price others will pay: ERR_INVALID as in price_for_check if it has no price. */
bool price_known(const struct pricing *pricing, const char *model, const char *field, int64_t at_us, struct err *err);

/*
 * For a record, which is never refused for lack of a price, because the money has been spent. Uses the price of the
 * served model, else of the checked model, else of their family if the tenant's settings say so, else of the fallback
 * unless they say free, else 0; and its rate for the mode, else the standard rate. Flags the cost if the price or the rate is not the served model's own.
 */
void price_for_record(const struct pricing *pricing, const char *served, const char *checked, struct meters *meters,
	struct purchase purchase, struct priced *out);

/* Adds the cost of another request to a sum. Of a line's rate, the last one counts. */
void priced_add(struct priced *sum, const struct priced *more);

#endif
