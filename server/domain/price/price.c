/* Which prices are valid. */
#include "domain/price/price.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "domain/limit/limit.h"
#include "domain/price/price_allowance.h"
#include "domain/time/zone_file.h"

static bool check_rate(int64_t pico, enum meter meter, const char *prefix, struct err *err)
{
	const struct meter_unit_row *unit = &meter_unit_rows[meter_rows[meter].unit];
	int64_t most = unit->per == 1000000 ? PRICE_MAX : PRICE_OTHER_MAX;
	char field[96];

	if (pico >= 0 && pico <= most)
		return true;
	snprintf(field, sizeof(field), "%s%s", prefix, meter_name(meter));
	return err_invalid(err, field, "is not between 0 and %" PRId64 " USD per %" PRId64 " %s",
		most / 1000000 * unit->per / 1000000, unit->per, unit->noun);
}

static bool check_rates(const struct rates *rates, const char *prefix, struct err *err)
{
	for (int i = 0; i < METER_COUNT; i++) {
		if (rates->pico[i] != PRICE_NONE && !check_rate(rates->pico[i], (enum meter)i, prefix, err))
			return false;
	}
	return true;
}

void rates_clear(struct rates *rates)
{
	for (int i = 0; i < METER_COUNT; i++)
		rates->pico[i] = PRICE_NONE;
}

static bool rates_empty(const struct rates *rates)
{
	for (int i = 0; i < METER_COUNT; i++) {
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

static bool word_valid(const char *name, size_t size)
{
	size_t n = strnlen(name, size);

	return n > 0 && n < size && n == strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");
}

static bool check_ratio(int32_t num, int32_t den, int32_t most, const char *list, int at, struct err *err)
{
	const bool bad_num = num < 1 || num > most;
	char field[48];

	if (!bad_num && den >= 1 && den <= most)
		return true;
	snprintf(field, sizeof(field), "%s[%d].%s", list, at, bad_num ? "numerator" : "denominator");
	return err_invalid(err, field, "%d is not between 1 and %d", bad_num ? num : den, most);
}

static bool check_modes(const struct price *price, struct err *err)
{
	if (price->modes < 0 || price->modes > MODES_MAX)
		return err_invalid(err, "modes", "has %d entries; at most %d are allowed", price->modes, MODES_MAX);
	for (int i = 0; i < price->modes; i++) {
		char field[32];

		snprintf(field, sizeof(field), "modes[%d].mode", i);
		if (!word_valid(price->mode[i].name, sizeof(price->mode[i].name)) ||
			strcmp(price->mode[i].name, "standard") == 0)
			return err_invalid(err, field,
				"\"%s\" is not a valid mode; use a-z 0-9 _ -, but not standard, whose ratio is 1",
				price->mode[i].name);
		for (int k = 0; k < i; k++) {
			if (strcmp(price->mode[k].name, price->mode[i].name) == 0)
				return err_invalid(err, field, "\"%s\" is listed twice", price->mode[i].name);
		}
		if (!check_ratio(price->mode[i].num, price->mode[i].den, RATIO_MAX, "modes", i, err))
			return false;
	}
	return true;
}

static bool has_context(const struct price *price, int64_t above_tokens)
{
	for (int i = 0; i < price->context_tiers; i++)
		if (price->context[i].above_tokens == above_tokens)
			return true;
	return false;
}

static bool check_mode_rates(const struct price *price, struct err *err)
{
	if (price->mode_rates < 0 || price->mode_rates > MODE_RATES_MAX)
		return err_invalid(
			err, "mode_rates", "has %d entries; at most %d are allowed", price->mode_rates, MODE_RATES_MAX);
	for (int i = 0; i < price->mode_rates; i++) {
		const struct mode_rate *row = &price->mode_rate[i];
		char field[48];

		snprintf(field, sizeof(field), "mode_rates[%d]", i);
		if (row->mode >= price->modes)
			return err_invalid(err, field, "names a mode that the price does not have");
		if (row->meter >= METER_COUNT || !check_rate(row->pico, (enum meter)row->meter, "mode_rates.", err))
			return false;
		if (row->above_tokens && !has_context(price, row->above_tokens))
			return err_invalid(err, field,
				"applies above %" PRId64 " tokens, but the price has no context tier there",
				row->above_tokens);
		for (int k = 0; k < i; k++) {
			if (price->mode_rate[k].mode == row->mode && price->mode_rate[k].meter == row->meter &&
				price->mode_rate[k].above_tokens == row->above_tokens)
				return err_invalid(err, field, "is listed twice");
		}
	}
	return true;
}

static bool check_regions(const struct price *price, struct err *err)
{
	if (price->regions < 0 || price->regions > REGIONS_MAX)
		return err_invalid(
			err, "regions", "has %d entries; at most %d are allowed", price->regions, REGIONS_MAX);
	for (int i = 0; i < price->regions; i++) {
		char field[32];

		snprintf(field, sizeof(field), "regions[%d].region", i);
		if (!word_valid(price->region[i].name, sizeof(price->region[i].name)) ||
			strcmp(price->region[i].name, "global") == 0)
			return err_invalid(err, field,
				"\"%s\" is not a valid region; use a-z 0-9 _ -, but not global, whose ratio is 1",
				price->region[i].name);
		for (int k = 0; k < i; k++) {
			if (strcmp(price->region[k].name, price->region[i].name) == 0)
				return err_invalid(err, field, "\"%s\" is listed twice", price->region[i].name);
		}
		if (!check_ratio(price->region[i].num, price->region[i].den, RATIO_MORE_MAX, "regions", i, err))
			return false;
	}
	return true;
}

static bool check_hours(const struct price *price, struct err *err)
{
	if (price->hours < 0 || price->hours > HOURS_MAX)
		return err_invalid(err, "hours", "has %d entries; at most %d are allowed", price->hours, HOURS_MAX);
	for (int i = 0; i < price->hours; i++) {
		const struct price_hours *hours = &price->hour[i];
		char field[48];

		snprintf(field, sizeof(field), "hours[%d]", i);
		if (hours->offset_minutes < -840 || hours->offset_minutes > 840)
			return err_invalid(err, field, "is more than 14 hours away from UTC");
		if (hours->zone[0] && !zone_check(hours->zone, err))
			return err_prefix(err, "%s: ", field);
		if (hours->days == 0 || hours->days > 127)
			return err_invalid(err, field, "has no day of the week");
		if (hours->from_minute < 0 || hours->from_minute > 1439 || hours->to_minute < 0 ||
			hours->to_minute > 1440)
			return err_invalid(err, field, "has a time that is not between 00:00 and 24:00");
		if (!check_ratio(hours->num, hours->den, RATIO_MORE_MAX, "hours", i, err))
			return false;
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

/* A model that takes no tokens, such as one that makes images, has prices for what it takes. */
static bool has_other(const struct rates *rates)
{
	for (int i = 0; i < METER_COUNT; i++)
		if (meter_rows[i].side == SIDE_NONE && rates->pico[i] != PRICE_NONE)
			return true;
	return false;
}

bool price_check(const struct price *price, struct err *err)
{
	if (!check_names(price, err) || !check_rates(&price->base, "", err))
		return false;
	if (price->base.pico[METER_INPUT] == PRICE_NONE && !has_other(&price->base))
		return err_invalid(err, "input", "is missing; write 0 for a free model");
	if (!check_context(price, err) || !check_modes(price, err) || !check_mode_rates(price, err) ||
		!check_regions(price, err) || !check_hours(price, err) || !allowances_check(price, err))
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
