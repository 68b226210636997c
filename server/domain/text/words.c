#include "domain/text/words.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/units.h"
#include "domain/price/price.h"

void words_number(const struct language *language, int64_t n, struct buf *out)
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRId64, n < 0 ? 0 : n);

	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0 && len > 4)
			buf_put_str(out, language->group);
		buf_put(out, &digits[i], 1);
	}
}

/* Which form of a noun goes with `n`. */
static int plural(const struct language *language, int64_t n)
{
	if (!language->slavic)
		return n != 1;
	if (n % 10 == 1 && n % 100 != 11)
		return 0;
	return n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 12 || n % 100 > 14) ? 1 : 2;
}

void words_counted(const struct language *language, int64_t n, enum noun noun, struct buf *out)
{
	const char *word = language->noun[noun][plural(language, n)];

	words_number(language, n, out);
	buf_put_str(out, word[0] ? " " : "");
	buf_put_str(out, word);
}

void words_amount(const struct language *language, enum dimension dimension, int64_t n, struct buf *out)
{
	static const enum noun nouns[DIM_COUNT] = {
#define ROW(NAME, number, name, unit, shown, amount, rate, quota, noun, ...) [DIM_##NAME] = noun,
		DIMENSIONS(ROW)
#undef ROW
	};
	char money[40];

	if (!dimension_is_money(dimension)) {
		words_counted(language, n, nouns[dimension], out);
		return;
	}
	money_format(n, money);
	buf_put_str(out, "$");
	buf_put_str(out, money);
}

void words_duration(const struct language *language, int64_t us, struct buf *out)
{
	static const struct {
		int64_t us;
		enum noun noun;
	} units[] = {{DAY_US, NOUN_DAY}, {HOUR_US, NOUN_HOUR}, {MINUTE_US, NOUN_MINUTE}, {SECOND_US, NOUN_SECOND}};
	size_t i = 0;
	int64_t small;

	while (i < 3 && us < units[i].us)
		i++;
	small = i < 3 ? units[i + 1].us : SECOND_US;
	us = (us + small - 1) / small * small;
	if (us < SECOND_US)
		us = SECOND_US;
	/* Rounds up into the next larger unit: 59 min 59.5 s become an hour. */
	if (i > 0 && us >= units[i - 1].us)
		i--;
	words_counted(language, us / units[i].us, units[i].noun, out);
	if (i < 3 && us % units[i].us >= units[i + 1].us) {
		buf_put_str(out, " ");
		words_counted(language, us % units[i].us / units[i + 1].us, units[i + 1].noun, out);
	}
}

void words_per(const struct language *language, const struct limit *limit, struct buf *out)
{
	if (limit->kind == KIND_LEVEL) {
		buf_put_str(out, language->at_once);
	} else if (limit->kind == KIND_CALENDAR) {
		buf_put_str(out, language->per_window[limit->unit]);
	} else if (limit->period_us == SECOND_US) {
		buf_put_str(out, language->per_second);
	} else if (limit->period_us == MINUTE_US) {
		buf_put_str(out, language->per_minute);
	} else if (limit->period_us == HOUR_US) {
		buf_put_str(out, language->per_hour);
	} else {
		buf_put_str(out, language->per_span);
		if (limit->period_us == DAY_US)
			words_counted(language, 24, NOUN_HOUR, out);
		else
			words_duration(language, limit->period_us, out);
	}
}
