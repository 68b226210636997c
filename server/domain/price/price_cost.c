/* What a request costs at a price. */
#include "domain/price/price.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "domain/limit/limit.h"
#include "domain/time/zone_file.h"

#define PICO_PER_NANO 1000

/*
 * Tokens: 2^53 in total, at rates up to 2^40. Others: below 2^37 of each, at rates up to 2^50, and there are fewer than 2^4
 * of them. Together that is below 2^94, and times the ratios of a mode, a region and hours (2^14, 2^10 and 2^10, whose
 * products stay below 2^33.3) below 2^127.
 */
typedef __int128 wide;

struct ratio {
	wide num, den;
};

/* What decides about the rate of a meter. */
struct terms {
	const struct price *price;
	int tier; /* -1: the base rates */
	int mode; /* -1: standard */
	struct ratio ratio; /* of region and hours */
};

/* The context tier that applies to the meters, or -1 for the base rates. */
static int context_of(const struct price *price, const struct meters *meters)
{
	int tier = -1;

	for (int i = 0; i < price->context_tiers; i++) {
		if (tokens_input(meters) > price->context[i].above_tokens)
			tier = i;
	}
	return tier;
}

/* Splits "batch@us": the length of the mode, and the region ("" = none). */
static size_t mode_split(const char *text, const char **region)
{
	size_t len = strcspn(text, "@");

	*region = text[len] ? text + len + 1 : "";
	return len;
}

static bool named(const char *name, const char *text, size_t len)
{
	return strlen(name) == len && memcmp(name, text, len) == 0;
}

/* False, with the standard rate, when the price does not have the mode. */
static bool mode_find(const struct price *price, const char *mode, size_t len, int *out)
{
	*out = -1;
	if (len == 0 || named("standard", mode, len))
		return true;
	for (int i = 0; i < price->modes; i++) {
		if (named(price->mode[i].name, mode, len)) {
			*out = i;
			return true;
		}
	}
	return false;
}

/* False, with the standard rate, when the price has regions, but not this one. */
static bool region_find(const struct price *price, const char *region, struct ratio *out)
{
	if (!*region || !price->regions || strcmp(region, "global") == 0)
		return true;
	for (int i = 0; i < price->regions; i++) {
		if (strcmp(price->region[i].name, region) == 0) {
			out->num *= price->region[i].num;
			out->den *= price->region[i].den;
			return true;
		}
	}
	return false;
}

/* Minutes since 1970 by the clocks of the place. A zone whose file has gone counts as UTC, and is reported. */
static int64_t local_minutes(const struct price_hours *hours, int64_t at_us)
{
	int64_t at = at_us / 1000000, from, to;
	const struct tz *tz;
	struct err err;

	if (!hours->zone[0])
		return at / 60 + hours->offset_minutes;
	tz = zone_take(hours->zone, &err);
	if (!tz) {
		zone_miss(hours->zone);
		return at / 60;
	}
	at += tz_offset(tz, at, &from, &to);
	zone_give(tz);
	return at / 60;
}

static bool hours_contain(const struct price_hours *hours, int64_t at_us)
{
	int64_t minutes = local_minutes(hours, at_us);
	int64_t day = minutes / 1440;
	int minute = (int)(minutes % 1440);
	bool overnight = hours->to_minute <= hours->from_minute;

	/* 1970 began on a Thursday. After midnight, the hours are those of the day before. */
	if (overnight && minute < hours->to_minute)
		day--;
	else if (minute < hours->from_minute || (!overnight && minute >= hours->to_minute))
		return false;
	return hours->days >> ((day + 3) % 7) & 1;
}

static void hours_find(const struct price *price, int64_t at_us, struct ratio *out)
{
	for (int i = 0; i < price->hours; i++) {
		if (hours_contain(&price->hour[i], at_us)) {
			out->num *= price->hour[i].num;
			out->den *= price->hour[i].den;
			return;
		}
	}
}

/* The rate that the mode has for itself, or PRICE_NONE. */
static int64_t mode_rate_of(const struct terms *terms, enum meter meter, int64_t above_tokens)
{
	const struct price *price = terms->price;

	for (int i = 0; i < price->mode_rates; i++) {
		const struct mode_rate *row = &price->mode_rate[i];

		if (row->mode == terms->mode && row->meter == meter && row->above_tokens == above_tokens)
			return row->pico;
	}
	return PRICE_NONE;
}

/* The meter's rate, or PRICE_NONE; *whole: it includes the mode. */
static int64_t rate_of(const struct terms *terms, enum meter meter, bool *whole)
{
	const struct price *price = terms->price;
	int64_t above = terms->tier < 0 ? PRICE_NONE : price->context[terms->tier].rates.pico[meter];
	int64_t own = PRICE_NONE;

	*whole = terms->mode >= 0 && price->mode_rates;
	if (*whole && terms->tier >= 0)
		own = mode_rate_of(terms, meter, price->context[terms->tier].above_tokens);
	if (*whole && own == PRICE_NONE && above == PRICE_NONE)
		own = mode_rate_of(terms, meter, 0);
	*whole = own != PRICE_NONE;
	if (*whole)
		return own;
	return above != PRICE_NONE ? above : price->base.pico[meter];
}

/* A division of 128 bits is a call of a function; costs are nearly always small enough for one of 64. */
static wide div_up(wide n, wide d)
{
	if (n <= INT64_MAX && d <= INT64_MAX)
		return (int64_t)n / (int64_t)d + ((int64_t)n % (int64_t)d != 0);
	return n / d + (n % d != 0);
}

/* Which ratios apply to a rate. */
enum follows {
	FOLLOWS_NONE, /* a fee */
	FOLLOWS_PLACE, /* region and hours: a rate of the mode itself */
	FOLLOWS_ALL, /* the mode, too */
	FOLLOWS_COUNT
};

/* The meter's rate, or that of the nearest parent that has one; 0, flagged, if none has. */
static int64_t charged_rate(const struct terms *terms, enum meter meter, enum follows *follows, uint32_t *flags)
{
	enum meter at = meter;
	bool whole;
	int64_t rate;

	while ((rate = rate_of(terms, at, &whole)) == PRICE_NONE && meter_rows[at].parent != at)
		at = meter_rows[at].parent;
	if (rate == PRICE_NONE)
		*flags |= FLAG_UNPRICED;
	else if (at != meter)
		*flags |= FLAG_PARENT_RATE;
	*follows = whole ? FOLLOWS_PLACE : FOLLOWS_ALL;
	if (meter_unit_rows[meter_rows[meter].unit].fees && !whole)
		*follows = FOLLOWS_NONE;
	return rate == PRICE_NONE ? 0 : rate;
}

/* Fills everything but `nano`; returns the sum in nano-USD, however large. */
static wide cost_lines(const struct terms *terms, const struct meters *meters, struct cost *out)
{
	struct ratio ratios[FOLLOWS_COUNT] = {
		[FOLLOWS_NONE] = {1, 1}, [FOLLOWS_PLACE] = terms->ratio, [FOLLOWS_ALL] = terms->ratio};
	wide sums[FOLLOWS_COUNT] = {0}, sum = 0, den;

	if (terms->mode >= 0) {
		ratios[FOLLOWS_ALL].num *= terms->price->mode[terms->mode].num;
		ratios[FOLLOWS_ALL].den *= terms->price->mode[terms->mode].den;
	}
	*out = (struct cost){.flags = terms->tier >= 0 ? FLAG_ABOVE_CONTEXT : 0};
	for (int i = 0; i < METER_COUNT; i++) {
		enum follows follows;
		int64_t rate;
		wide line;

		if (meters->count[i] == 0)
			continue;
		rate = charged_rate(terms, (enum meter)i, &follows, &out->flags);
		line = (wide)meters->count[i] * rate;
		sums[follows] += line;
		line = div_up(line * ratios[follows].num, ratios[follows].den);
		out->rate[i] = (int64_t)div_up(rate * ratios[follows].num, ratios[follows].den);
		out->pico_line[i] = line > INT64_MAX ? INT64_MAX : (int64_t)line;
	}
	/* Of all ratios, the denominator with the mode is a multiple of the others. */
	den = ratios[FOLLOWS_ALL].den;
	for (int i = 0; i < FOLLOWS_COUNT; i++)
		sum += sums[i] * ratios[i].num * (den / ratios[i].den);
	return div_up(sum, den * PICO_PER_NANO);
}

/* False when the mode or the region is unknown: the standard rate then. */
static bool terms_of(
	const struct price *price, const struct meters *meters, struct purchase purchase, struct terms *out)
{
	const char *region;
	size_t mode_len = mode_split(purchase.mode, &region);
	bool mode, place;

	*out = (struct terms){.price = price, .tier = context_of(price, meters), .ratio = {1, 1}};
	mode = mode_find(price, purchase.mode, mode_len, &out->mode);
	place = region_find(price, region, &out->ratio);
	hours_find(price, purchase.at_us, &out->ratio);
	return mode && place;
}

static bool allowed(const struct price *price, const struct meters *meters)
{
	for (int i = 0; i < price->allowances; i++)
		if (meters->count[price->allowance[i].meter] > 0)
			return true;
	return false;
}

static bool mode_refuse(const struct price *price, const char *text, struct err *err)
{
	const char *region;
	size_t len = mode_split(text, &region), n;
	char known[256] = "";
	int mode;

	if (mode_find(price, text, len, &mode)) {
		for (int i = 0; i < price->regions; i++) {
			n = strlen(known);
			snprintf(known + n, sizeof(known) - n, ", @%s", price->region[i].name);
		}
		return err_invalid(
			err, "mode", "\"@%.32s\" has no price for this model; known: @global%s", region, known);
	}
	for (int i = 0; i < price->modes; i++) {
		n = strlen(known);
		snprintf(known + n, sizeof(known) - n, ", %s", price->mode[i].name);
	}
	return err_invalid(err, "mode", "\"%.*s\" has no price for this model; known: standard%s",
		(int)(len < 32 ? len : 32), text, known);
}

bool price_cost(const struct price *price, const struct meters *meters, struct purchase purchase, struct cost *out,
	struct err *err)
{
	struct terms terms;
	struct cost cost;
	wide nano;

	if (!meters_check(meters, "usage", err))
		return false;
	if (!terms_of(price, meters, purchase, &terms))
		return mode_refuse(price, purchase.mode, err);
	nano = cost_lines(&terms, meters, &cost);
	if (nano > COUNT_MAX)
		return err_invalid(
			err, "usage", "costs more than 9007199.254740991 USD, the most that a counter can hold");
	cost.nano = (int64_t)nano;
	*out = cost;
	return true;
}

static int64_t capped(wide nano)
{
	return nano > COUNT_MAX ? COUNT_MAX : (int64_t)nano;
}

void price_charge(const struct price *price, const struct meters *meters, struct purchase purchase, struct cost *out)
{
	struct terms terms;
	bool known = terms_of(price, meters, purchase, &terms);
	wide nano = cost_lines(&terms, meters, out);

	if (!known)
		out->flags |= FLAG_STANDARD_RATE | FLAG_UNPRICED;
	if (allowed(price, meters))
		out->flags |= FLAG_ALLOWANCE;
	if (nano > COUNT_MAX)
		out->flags |= FLAG_CAPPED | FLAG_UNPRICED;
	out->nano = capped(nano);
}

int64_t price_worth(
	const struct price *price, const struct meters *meters, const struct meters *covered, struct purchase purchase)
{
	struct meters left = *meters;
	struct terms terms;
	struct cost cost;

	/* What is free still counts towards the context. */
	terms_of(price, meters, purchase, &terms);
	for (int i = 0; i < METER_COUNT; i++)
		left.count[i] -= covered->count[i];
	return capped(cost_lines(&terms, meters, &cost)) - capped(cost_lines(&terms, &left, &cost));
}
