/* Money as people type and read it: decimal text to and from integers, never through a float. */
#include "domain/price/price.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "domain/limit/limit.h"

#define MONEY_DECIMALS 9

enum decimal { DECIMAL_OK, DECIMAL_BAD, DECIMAL_FINE, DECIMAL_BIG };

/* `text`, digits with at most one point, times 10^places. Zeros after the last place are allowed. */
static enum decimal decimal_parse(const char *text, int places, int64_t max, int64_t *out)
{
	int64_t value = 0;
	int after = -1; /* digits after the point; -1 before it */
	int digits = 0;

	for (const char *p = text; *p; p++) {
		if (*p == '.' && after < 0) {
			after = 0;
			continue;
		}
		if (*p < '0' || *p > '9')
			return DECIMAL_BAD;
		digits++;
		if (after >= 0 && ++after > places) {
			if (*p != '0')
				return DECIMAL_FINE;
			continue;
		}
		if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *p - '0', &value))
			return DECIMAL_BIG;
	}
	if (digits == 0)
		return DECIMAL_BAD;
	for (int i = after < 0 ? 0 : after; i < places; i++) {
		if (__builtin_mul_overflow(value, 10, &value))
			return DECIMAL_BIG;
	}
	if (value > max)
		return DECIMAL_BIG;
	*out = value;
	return DECIMAL_OK;
}

/* `value` / 10^places with at least `least` decimals and no zeros after those. */
static void decimal_format(int64_t value, int places, int least, char *out, size_t size)
{
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	char digits[32];
	int len = snprintf(digits, sizeof(digits), "%0*" PRIu64, places + 1, rest);
	int decimals = places;

	while (decimals > least && digits[len - places + decimals - 1] == '0')
		decimals--;
	snprintf(out, size, "%s%.*s%s%.*s", value < 0 ? "-" : "", len - places, digits, decimals > 0 ? "." : "",
		decimals, digits + len - places);
}

/* A pico-USD for one is a 10^-decimals USD for as many as a price is for. */
static int decimals_of(enum meter meter)
{
	int decimals = 12;

	for (int64_t per = meter_unit_rows[meter_rows[meter].unit].per; per > 1; per /= 10)
		decimals--;
	return decimals;
}

static int64_t most_of(enum meter meter)
{
	return meter_unit_rows[meter_rows[meter].unit].per == 1000000 ? PRICE_MAX : PRICE_OTHER_MAX;
}

/* "USD per 1M tokens", "USD per second". */
static const char *unit_text(enum meter meter, char out[48])
{
	const struct meter_unit_row *unit = &meter_unit_rows[meter_rows[meter].unit];

	if (unit->per == 1000000)
		snprintf(out, 48, "USD per 1M %s", unit->noun);
	else if (unit->per == 1)
		snprintf(out, 48, "USD per %.*s", (int)strlen(unit->noun) - 1, unit->noun);
	else
		snprintf(out, 48, "USD per %" PRId64 " %s", unit->per, unit->noun);
	return out;
}

bool price_parse(const char *text, enum meter meter, const char *field, int64_t *out, struct err *err)
{
	int64_t pico = PRICE_NONE;
	int decimals = decimals_of(meter);
	char unit[48], edge[32];

	if (*text) {
		switch (decimal_parse(text, decimals, most_of(meter), &pico)) {
		case DECIMAL_OK:
			break;
		case DECIMAL_BAD:
			return err_invalid(err, field, "\"%.32s\" is not a price; write %s as digits, like 0.075", text,
				unit_text(meter, unit));
		case DECIMAL_FINE:
			price_format(1, meter, edge);
			return err_invalid(err, field, "%.32s is finer than %s %s", text, edge, unit_text(meter, unit));
		case DECIMAL_BIG:
			price_format(most_of(meter), meter, edge);
			return err_invalid(err, field, "%.32s is above %s %s", text, edge, unit_text(meter, unit));
		}
	}
	*out = pico;
	return true;
}

void price_format(int64_t pico, enum meter meter, char out[32])
{
	if (pico < 0)
		out[0] = '\0';
	else
		decimal_format(pico, decimals_of(meter), 0, out, 32);
}

void money_format(int64_t nano, char out[40])
{
	decimal_format(nano, MONEY_DECIMALS, 2, out, 40);
}
