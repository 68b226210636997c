/* Times of day at which a public list has other prices: one ratio of all of them, or nothing a price can say. */
#include "domain/price/public/price_draft.h"

#include <string.h>

bool draft_hours_ratio(struct draft *draft, const struct rates *other, const char *field, int32_t *num, int32_t *den)
{
	const struct rates *own = &draft->price.base;
	bool found = false, one = true;

	for (int meter = 0; meter < METER_COUNT && one; meter++) {
		int64_t a = other->pico[meter], b = own->pico[meter];

		/* Hours leave fees as they are; a meter without a price, or with 0, has none to change. */
		if ((meter_unit_rows[meter_rows[meter].unit].fees && a == PRICE_NONE) || (a <= 0 && b <= 0))
			continue;
		if (!found)
			one = found = ratio_of(a, b, RATIO_MORE_MAX, num, den);
		else
			one = a > 0 && b > 0 && (__int128)a * *den == (__int128)b * *num;
	}
	if (one && found)
		return true;
	draft_skip(draft, field, "its prices are not one ratio of the others; the model is left out");
	return false;
}

bool draft_hours_add(struct draft *draft, const struct price_hours *hours, const char *field)
{
	if (draft->price.hours < HOURS_MAX) {
		draft->price.hour[draft->price.hours++] = *hours;
		return true;
	}
	draft_skip(draft, field, "a price has at most %d times of day; the model is left out", HOURS_MAX);
	return false;
}
