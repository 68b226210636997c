/* Which prices are valid, and what a request costs at one. */
#include "domain/price/price.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "domain/limit/limit.h"

#define RATIO_MAX 10000 /* of a mode's numerator and denominator */
#define PICO_PER_NANO 1000

/* 7 products of counts below 2^63, rates up to 2^40 and a ratio below 2^14 add up to less than 2^120. */
typedef __int128 wide;

/* The class whose rate applies when this one has none. */
static enum token_class parent_of(enum token_class class)
{
	switch (class) {
	case TOKEN_CACHED_INPUT:
	case TOKEN_CACHE_WRITE:
	case TOKEN_AUDIO_INPUT:
		return TOKEN_INPUT;
	case TOKEN_REASONING:
	case TOKEN_AUDIO_OUTPUT:
		return TOKEN_OUTPUT;
	default:
		return class;
	}
}

static bool check_rates(const struct rates *rates, const char *prefix, struct err *err)
{
	for (int i = 0; i < TOKEN_CLASS_COUNT; i++) {
		char field[96];

		if (rates->pico[i] == PRICE_NONE || (rates->pico[i] >= 0 && rates->pico[i] <= PRICE_MAX))
			continue;
		snprintf(field, sizeof(field), "%s%s", prefix, token_class_name((enum token_class)i));
		return err_invalid(err, field, "is not between 0 and 1000000 USD per 1M tokens");
	}
	return true;
}

static bool rates_empty(const struct rates *rates)
{
	for (int i = 0; i < TOKEN_CLASS_COUNT; i++) {
		if (rates->pico[i] != PRICE_NONE)
			return false;
	}
	return true;
}

static bool check_context(const struct price *price, struct err *err)
{
	int64_t last = 0;

	if (price->context_tiers < 0 || price->context_tiers > CONTEXT_TIERS_MAX)
		return err_invalid(err, "context_tiers", "has %d entries; at most %d are allowed", price->context_tiers,
			CONTEXT_TIERS_MAX);
	for (int i = 0; i < price->context_tiers; i++) {
		int64_t above = price->context[i].above_tokens;
		char field[64];

		snprintf(field, sizeof(field), "context_tiers[%d].above_tokens", i);
		if (above <= last || above > COUNT_MAX)
			return err_invalid(err, field,
				"is %" PRId64 "; it must be above %" PRId64 ", and the tiers must rise", above, last);
		last = above;
		snprintf(field, sizeof(field), "context_tiers[%d].", i);
		if (!check_rates(&price->context[i].rates, field, err))
			return false;
		snprintf(field, sizeof(field), "context_tiers[%d].input", i);
		if (rates_empty(&price->context[i].rates))
			return err_invalid(err, field,
				"is missing; a context tier needs a rate of its own, usually that of the input");
	}
	return true;
}

static bool mode_name_valid(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n == strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") && strcmp(name, "standard") != 0;
}

static bool check_modes(const struct price *price, struct err *err)
{
	if (price->modes < 0 || price->modes > MODES_MAX)
		return err_invalid(err, "modes", "has %d entries; at most %d are allowed", price->modes, MODES_MAX);
	for (int i = 0; i < price->modes; i++) {
		char field[32];

		snprintf(field, sizeof(field), "modes[%d].mode", i);
		if (!mode_name_valid(price->mode[i].name))
			return err_invalid(err, field,
				"\"%s\" is not a valid mode; use a-z 0-9 _ -, but not standard, whose ratio is 1",
				price->mode[i].name);
		for (int k = 0; k < i; k++) {
			if (strcmp(price->mode[k].name, price->mode[i].name) == 0)
				return err_invalid(err, field, "\"%s\" is listed twice", price->mode[i].name);
		}
		snprintf(field, sizeof(field), "modes[%d].numerator", i);
		if (price->mode[i].num < 1 || price->mode[i].num > RATIO_MAX)
			return err_invalid(err, field, "%d is not between 1 and %d", price->mode[i].num, RATIO_MAX);
		snprintf(field, sizeof(field), "modes[%d].denominator", i);
		if (price->mode[i].den < 1 || price->mode[i].den > RATIO_MAX)
			return err_invalid(err, field, "%d is not between 1 and %d", price->mode[i].den, RATIO_MAX);
	}
	return true;
}

static bool check_names(const struct price *price, struct err *err)
{
	if (!id_check(price->provider, strlen(price->provider), "provider", err) ||
		!id_check(price->model, strlen(price->model), "model", err))
		return false;
	if (strchr(price->provider, '/'))
		return err_invalid(err, "provider", "\"%s\" contains a slash, which separates provider and model",
			price->provider);
	if (*price->tenant && !id_check(price->tenant, strlen(price->tenant), "tenant", err))
		return false;
	if (*price->account && !id_check(price->account, strlen(price->account), "account", err))
		return false;
	if (*price->account && !*price->tenant)
		return err_invalid(err, "account", "needs the user's tenant");
	return true;
}

bool price_check(const struct price *price, struct err *err)
{
	if (!check_names(price, err) || !check_rates(&price->base, "", err))
		return false;
	if (price->base.pico[TOKEN_INPUT] == PRICE_NONE)
		return err_invalid(err, "input", "is missing; write 0 for a free model");
	if (!check_context(price, err) || !check_modes(price, err))
		return false;
	if (price->from_us < 0)
		return err_invalid(err, "effective_from_us", "is below 0; 0 means always");
	if (price->to_us < 0)
		return err_invalid(err, "effective_to_us", "is below 0; 0 means no end");
	if (price->to_us != 0 && price->to_us <= price->from_us)
		return err_invalid(err, "effective_to_us", "is not after effective_from_us");
	if (!utf8_valid(price->source, strlen(price->source)))
		return err_invalid(err, "source", "is not valid UTF-8");
	return true;
}

/* The index of the context tier that applies to `tokens`, or -1 for the base rates. */
static int context_of(const struct price *price, const struct tokens *tokens)
{
	wide input = (wide)tokens->count[TOKEN_INPUT] + tokens->count[TOKEN_CACHED_INPUT] +
		     tokens->count[TOKEN_CACHE_WRITE] + tokens->count[TOKEN_AUDIO_INPUT];
	int tier = -1;

	for (int i = 0; i < price->context_tiers; i++) {
		if (input > price->context[i].above_tokens)
			tier = i;
	}
	return tier;
}

static int64_t rate_of(const struct price *price, int tier, enum token_class class)
{
	if (tier >= 0 && price->context[tier].rates.pico[class] != PRICE_NONE)
		return price->context[tier].rates.pico[class];
	return price->base.pico[class];
}

struct ratio {
	wide num, den;
};

/* False, with the standard rate, when the price does not have the mode. */
static bool ratio_of(const struct price *price, const char *mode, struct ratio *out)
{
	*out = (struct ratio){1, 1};
	if (!*mode || strcmp(mode, "standard") == 0)
		return true;
	for (int i = 0; i < price->modes; i++) {
		if (strcmp(price->mode[i].name, mode) == 0) {
			*out = (struct ratio){price->mode[i].num, price->mode[i].den};
			return true;
		}
	}
	return false;
}

static bool mode_refuse(const struct price *price, const char *mode, struct err *err)
{
	char known[160] = "standard";

	for (int i = 0; i < price->modes; i++) {
		size_t n = strlen(known);

		snprintf(known + n, sizeof(known) - n, ", %s", price->mode[i].name);
	}
	return err_invalid(err, "mode", "\"%.32s\" has no price for this model; known: %s", mode, known);
}

static wide div_up(wide n, wide d)
{
	return n / d + (n % d != 0);
}

/* Fills everything but `nano`; returns the sum in nano-USD, however large. */
static wide cost_lines(const struct price *price, const struct tokens *tokens, struct ratio ratio, struct cost *out)
{
	int tier = context_of(price, tokens);
	struct cost cost = {.flags = tier >= 0 ? FLAG_ABOVE_CONTEXT : 0};
	wide sum = 0;

	for (int i = 0; i < TOKEN_CLASS_COUNT; i++) {
		int64_t count = tokens->count[i];
		int64_t rate = rate_of(price, tier, (enum token_class)i);
		wide line;

		if (rate == PRICE_NONE) {
			rate = rate_of(price, tier, parent_of((enum token_class)i));
			if (count > 0)
				cost.flags |= rate == PRICE_NONE ? FLAG_UNPRICED : FLAG_PARENT_RATE;
			if (rate == PRICE_NONE)
				rate = 0;
		}
		line = (wide)count * rate * ratio.num;
		sum += line;
		line = div_up(line, ratio.den);
		cost.rate[i] = (int64_t)div_up(rate * ratio.num, ratio.den);
		cost.pico_line[i] = line > INT64_MAX ? INT64_MAX : (int64_t)line;
	}
	*out = cost;
	return div_up(sum, ratio.den * PICO_PER_NANO);
}

bool price_cost(
	const struct price *price, const struct tokens *tokens, const char *mode, struct cost *out, struct err *err)
{
	struct ratio ratio;
	struct cost cost;
	wide nano;

	if (!ratio_of(price, mode, &ratio))
		return mode_refuse(price, mode, err);
	for (int i = 0; i < TOKEN_CLASS_COUNT; i++) {
		if (tokens->count[i] < 0)
			return err_invalid(err, token_class_name((enum token_class)i), "is below 0");
	}
	nano = cost_lines(price, tokens, ratio, &cost);
	if (nano > COUNT_MAX)
		return err_invalid(
			err, "tokens", "cost more than 9007199.254740991 USD, the most that a counter can hold");
	cost.nano = (int64_t)nano;
	*out = cost;
	return true;
}

void price_charge(const struct price *price, const struct tokens *tokens, const char *mode, struct cost *out)
{
	struct ratio ratio;
	bool known = ratio_of(price, mode, &ratio);
	wide nano = cost_lines(price, tokens, ratio, out);

	if (!known)
		out->flags |= FLAG_STANDARD_RATE | FLAG_UNPRICED;
	if (nano > COUNT_MAX)
		out->flags |= FLAG_CAPPED | FLAG_UNPRICED;
	out->nano = nano > COUNT_MAX ? COUNT_MAX : (int64_t)nano;
}
