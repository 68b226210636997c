/* Which price a request is held or charged at. */
#ifndef BURSAR_SERVICE_PRICING_H
#define BURSAR_SERVICE_PRICING_H

#include "domain/price.h"
#include "store/catalog.h"

/* A price and what it makes of some tokens. */
struct priced {
	const struct price *price; /* in the catalog; NULL: none, the cost is 0 */
	bool unpriced; /* not the model's own price: a fallback's, or none */
	struct cost cost;
};

struct pricing {
	const struct catalog *catalog;
	const struct tenant *settings;
	const char *tenant, *user; /* user "" = nobody's own prices */
};

/*
 * For a check or an estimate: a model without a price is answered as the tenant says (refused with ERR_INVALID on
 * `field`, naming the nearest ids; the fallback's price; free).
 */
bool price_for_check(const struct pricing *pricing, const char *model, const char *field, const struct tokens *tokens,
	const char *mode, int64_t at_us, struct priced *out, struct err *err);

/* For who names a model that others' requests will cost: false, refused as price_for_check does, without a price. */
bool price_known(const struct pricing *pricing, const char *model, const char *field, int64_t at_us, struct err *err);

/*
 * For a record, which is never refused for its model: the served id's price, else the check's model's, else the
 * fallback's, else 0. ERR_INVALID for an unknown mode only.
 */
bool price_for_record(const struct pricing *pricing, const char *served, const char *checked,
	const struct tokens *tokens, const char *mode, int64_t at_us, struct priced *out, struct err *err);

#endif
