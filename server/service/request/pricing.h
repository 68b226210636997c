/* Which price a request is held or charged at. */
#ifndef BURSAR_SERVICE_REQUEST_PRICING_H
#define BURSAR_SERVICE_REQUEST_PRICING_H

#include "domain/price/price.h"
#include "store/catalog.h"

/* A price and what it makes of some tokens. */
struct priced {
	const struct price *price; /* in the catalog; NULL: none, the cost is 0 */
	const char *named; /* the model that was to be priced; "" = none */
	bool unpriced; /* not that model's price: the checked one's, a fallback's, or none */
	struct cost cost;
};

struct pricing {
	const struct catalog *catalog;
	const struct tenant *settings;
	const char *tenant, *user; /* user "" = nobody's own prices */
};

/*
 * For a check or an estimate: a model without a price is answered as the tenant says (refused with ERR_INVALID on
 * `field`, naming the nearest ids; the fallback's price; free). A mode that the model's price does not have is ERR_INVALID; of
 * a fallback's price it is the standard rate.
 */
bool price_for_check(const struct pricing *pricing, const char *model, const char *field, const struct tokens *tokens,
	const char *mode, int64_t at_us, struct priced *out, struct err *err);

/* For who names a model that others' requests will cost: false, refused as price_for_check does, without a price. */
bool price_known(const struct pricing *pricing, const char *model, const char *field, int64_t at_us, struct err *err);

/*
 * For a record, which is never refused for its price, because the money is spent: the served id's price, else the check's
 * model's, else the fallback's, else 0; its rate for the mode, else the standard rate. What is not the model's and the
 * mode's own is flagged.
 */
void price_for_record(const struct pricing *pricing, const char *served, const char *checked,
	const struct tokens *tokens, const char *mode, int64_t at_us, struct priced *out);

#endif
