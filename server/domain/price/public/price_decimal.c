/* Decimal numbers with an exponent as integers: exact, or not at all. */
#include <string.h>

#include "domain/price/public/price_tree.h"

enum { DIGITS_MAX = 18, EXPONENT_MAX = 1000 };

/* The digits of a number without zeros at either end: value = 0.d1 d2 d3... * 10^point. */
struct digits {
	int count; /* may exceed what is kept */
	int point;
	char digit[DIGITS_MAX];
};

static bool exponent_read(const char *p, int *out)
{
	bool below = *p == '-';

	p += *p == '-' || *p == '+';
	if (!*p)
		return false;
	for (*out = 0; *p >= '0' && *p <= '9'; p++)
		*out = *out < EXPONENT_MAX ? *out * 10 + (*p - '0') : *out;
	*out = below ? -*out : *out;
	return !*p;
}

static bool digits_read(const char *p, struct digits *out)
{
	int zeros = 0, places = 0, exponent = 0, seen = 0;
	bool fraction = false;

	for (; (*p >= '0' && *p <= '9') || (*p == '.' && !fraction); p++) {
		if (*p == '.') {
			fraction = true;
			continue;
		}
		seen++;
		places += fraction;
		if (*p == '0' && (++zeros, true))
			continue;
		/* Zeros before the first digit do not count; those between two do. */
		for (; zeros > 0 && out->count > 0; zeros--, out->count++)
			if (out->count < DIGITS_MAX)
				out->digit[out->count] = '0';
		zeros = 0;
		if (out->count < DIGITS_MAX)
			out->digit[out->count] = *p;
		out->count++;
	}
	if (!seen || seen > EXPONENT_MAX)
		return false;
	if (*p && ((*p | 32) != 'e' || !exponent_read(p + 1, &exponent)))
		return false;
	/* The last digit that counts stands `zeros` places before the last one that is written. */
	out->point = out->count + zeros - places + exponent;
	return true;
}

enum decimal decimal_scale(const char *text, int scale, int64_t *out)
{
	struct digits digits = {0};
	int64_t value = 0;

	if (!digits_read(text, &digits))
		return DECIMAL_BAD;
	if (digits.count > 0 && digits.point + scale > DIGITS_MAX)
		return DECIMAL_LARGE;
	if (digits.count > 0 && digits.count > digits.point + scale)
		return DECIMAL_FINE;
	for (int i = 0; digits.count > 0 && i < digits.point + scale; i++)
		value = value * 10 + (i < digits.count ? digits.digit[i] - '0' : 0);
	*out = value;
	return DECIMAL_OK;
}
