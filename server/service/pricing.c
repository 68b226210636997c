/* Finding the price: never by likeness. */
#include "service/pricing.h"

#include <stdio.h>
#include <string.h>

enum { NEAREST = 3 };

static const struct price *find(const struct pricing *pricing, const char *model, int64_t at_us)
{
	if (!model[0])
		return NULL;
	return price_find(catalog_prices(pricing->catalog), pricing->tenant, pricing->user, model, at_us);
}

static bool refuse(const struct pricing *pricing, const char *model, const char *field, struct err *err)
{
	const char *near[NEAREST];
	char text[3 * ID_MAX + 16] = "";
	size_t len = 0;
	int count = price_nearest(catalog_prices(pricing->catalog), pricing->tenant, model, near, NEAREST);

	for (int i = 0; i < count && len < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? ", " : "", near[i]);
	if (!count)
		return err_invalid(err, field, "no price is known for this model");
	return err_invalid(err, field, "no price is known for this model; the nearest are %s", text);
}

bool price_known(const struct pricing *pricing, const char *model, const char *field, int64_t at_us, struct err *err)
{
	return find(pricing, model, at_us) || refuse(pricing, model, field, err);
}

static bool cost_of(const struct tokens *tokens, const char *mode, struct priced *priced, struct err *err)
{
	if (!priced->price) {
		priced->cost = (struct cost){.flags = FLAG_UNPRICED};
		return true;
	}
	if (!price_cost(priced->price, tokens, mode, &priced->cost, err))
		return false;
	if (priced->unpriced)
		priced->cost.flags |= FLAG_UNPRICED;
	return true;
}

bool price_for_check(const struct pricing *pricing, const char *model, const char *field, const struct tokens *tokens,
	const char *mode, int64_t at_us, struct priced *out, struct err *err)
{
	struct priced priced = {.price = find(pricing, model, at_us)};

	if (!priced.price) {
		priced.unpriced = true;
		if (pricing->settings->unknown_model == MODEL_FALLBACK)
			priced.price = find(pricing, pricing->settings->fallback_model, at_us);
		else if (pricing->settings->unknown_model != MODEL_FREE)
			return refuse(pricing, model, field, err);
	}
	if (!cost_of(tokens, mode, &priced, err))
		return false;
	*out = priced;
	return true;
}

bool price_for_record(const struct pricing *pricing, const char *served, const char *checked,
	const struct tokens *tokens, const char *mode, int64_t at_us, struct priced *out, struct err *err)
{
	struct priced priced = {.price = find(pricing, served, at_us)};

	if (!priced.price)
		priced.price = find(pricing, checked, at_us);
	if (!priced.price) {
		priced.unpriced = true;
		priced.price = find(pricing, pricing->settings->fallback_model, at_us);
	}
	if (!cost_of(tokens, mode, &priced, err))
		return false;
	*out = priced;
	return true;
}
