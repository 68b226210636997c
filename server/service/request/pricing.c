/* Finds prices by exact names only; similar names appear only in errors. */
#include "service/request/pricing.h"

#include <stdio.h>
#include <string.h>

#include "domain/limit/limit.h"
#include "domain/price/price_family.h"
#include "service/request/unknown.h"

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
	return err_invalid(err, field, "no price is known for this model; similar names are %s", text);
}

bool price_known(const struct pricing *pricing, const char *model, const char *field, int64_t at_us, struct err *err)
{
	return find(pricing, model, at_us) || refuse(pricing, model, field, err);
}

/* With these settings, a model runs only at a price. */
static bool model_needs_price(const struct tenant *settings)
{
	return settings->unknown_model == MODEL_REFUSE || settings->unknown_model == MODEL_FAMILY;
}

/* The call itself, if it costs something and the caller has not counted it. */
static void count_call(const struct pricing *pricing, const struct price *price, struct meters *meters)
{
	if (pricing->call && price && price->base.pico[METER_CALLS] != PRICE_NONE && meters->count[METER_CALLS] == 0)
		meters->count[METER_CALLS] = 1;
}

/* Charges in any case: at the standard rate if the price does not have the mode, 0 if there is no price. */
static void charge(struct priced *priced, const struct meters *meters, struct purchase purchase)
{
	if (priced->price)
		price_charge(priced->price, meters, purchase, &priced->cost);
	else
		priced->cost = (struct cost){0};
	if (!priced->unpriced)
		return;
	/* Another model's allowances are not this one's. */
	priced->cost.flags &= ~(uint32_t)FLAG_ALLOWANCE;
	priced->cost.flags |= FLAG_UNPRICED | (priced->price ? FLAG_OTHER_MODEL : 0);
}

bool price_for_check(const struct pricing *pricing, const char *model, const char *field, struct meters *meters,
	struct purchase purchase, struct priced *out, struct err *err)
{
	struct priced priced = {.price = find(pricing, model, purchase.at_us), .named = model};
	bool refused;

	if (priced.price) {
		count_call(pricing, priced.price, meters);
		if (!price_cost(priced.price, meters, purchase, &priced.cost, err))
			return false;
	} else {
		priced.unpriced = true;
		priced.price = catalog_stand_in(
			pricing->catalog, pricing->settings, pricing->tenant, pricing->user, model, purchase.at_us);
		refused = !priced.price && model_needs_price(pricing->settings);
		unknown_model_log(pricing->tenant, model, priced.price, refused);
		if (refused)
			return refuse(pricing, model, field, err);
		count_call(pricing, priced.price, meters);
		charge(&priced, meters, purchase);
	}
	*out = priced;
	return true;
}

/* The family's price of a name that has none itself. */
static const struct price *family(const struct pricing *pricing, const char *model, int64_t at_us)
{
	const struct price_book *book = catalog_prices(pricing->catalog);

	if (!model[0] || !book || pricing->settings->unknown_model != MODEL_FAMILY)
		return NULL;
	return price_find_family(book, pricing->tenant, pricing->user, model, at_us);
}

/* Is there anything to charge? `bursar run` records that something ran, without a model and without any use. */
static bool costs(const struct priced *priced, const struct meters *meters)
{
	bool used = priced->named[0];

	for (int meter = 0; !used && meter < METER_COUNT; meter++)
		used = meters->count[meter] > 0;
	return used;
}

void price_for_record(const struct pricing *pricing, const char *served, const char *checked, struct meters *meters,
	struct purchase purchase, struct priced *out)
{
	struct priced priced = {.named = served[0] ? served : checked};

	priced.price = find(pricing, priced.named, purchase.at_us);
	priced.unpriced = !priced.price;
	if (!priced.price)
		priced.price = find(pricing, checked, purchase.at_us);
	if (!priced.price)
		priced.price = family(pricing, priced.named, purchase.at_us);
	if (!priced.price)
		priced.price = family(pricing, checked, purchase.at_us);
	if (!priced.price && pricing->settings->unknown_model != MODEL_FREE && costs(&priced, meters))
		priced.price = find(pricing, pricing->settings->fallback_model, purchase.at_us);
	if (priced.unpriced && priced.named[0])
		unknown_model_log(pricing->tenant, priced.named, priced.price, false);
	count_call(pricing, priced.price, meters);
	charge(&priced, meters, purchase);
	*out = priced;
}

void priced_add(struct priced *sum, const struct priced *more)
{
	struct cost *cost = &sum->cost;

	if (!sum->price)
		sum->price = more->price;
	if (more->unpriced && !sum->unpriced) {
		sum->unpriced = true;
		sum->named = more->named;
	}
	for (int i = 0; i < METER_COUNT; i++) {
		if (__builtin_add_overflow(cost->pico_line[i], more->cost.pico_line[i], &cost->pico_line[i]))
			cost->pico_line[i] = INT64_MAX;
		if (more->cost.rate[i])
			cost->rate[i] = more->cost.rate[i];
	}
	cost->flags |= more->cost.flags;
	cost->nano += more->cost.nano;
	if (cost->nano > COUNT_MAX) {
		cost->nano = COUNT_MAX;
		cost->flags |= FLAG_CAPPED | FLAG_UNPRICED;
	}
}
