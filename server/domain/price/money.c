/* Money as people type and read it: decimal text to and from integers, never through a float. */
#include "domain/price/price.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "domain/limit/limit.h"

#define PRICE_DECIMALS 6 /* a millionth of a USD per 1M tokens is a pico-USD per token */
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

bool price_parse(const char *text, const char *field, int64_t *out, struct err *err)
{
	int64_t pico = PRICE_NONE;

	if (*text) {
		switch (decimal_parse(text, PRICE_DECIMALS, PRICE_MAX, &pico)) {
		case DECIMAL_OK:
			break;
		case DECIMAL_BAD:
			return err_invalid(err, field,
				"\"%.32s\" is not a price; write USD per 1M tokens as digits, like 0.075", text);
		case DECIMAL_FINE:
			return err_invalid(err, field, "%.32s is finer than 0.000001 USD per 1M tokens", text);
		case DECIMAL_BIG:
			return err_invalid(err, field, "%.32s is above 1000000 USD per 1M tokens", text);
		}
	}
	*out = pico;
	return true;
}

void price_format(int64_t pico, char out[32])
{
	if (pico < 0)
		out[0] = '\0';
	else
		decimal_format(pico, PRICE_DECIMALS, 0, out, 32);
}

void money_format(int64_t nano, char out[40])
{
	decimal_format(nano, MONEY_DECIMALS, 2, out, 40);
}
