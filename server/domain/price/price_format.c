/* Writes the lists that price_text.c reads (domain/price/price_text.h). */
#include "domain/price/price_text.h"

#include <inttypes.h>

#include "domain/limit/limit.h"

static const char *blank(const struct buf *out, size_t start)
{
	return out->len > start ? " " : "";
}

void rates_format(const struct rates *rates, uint32_t without, struct buf *out)
{
	size_t start = out->len;
	char price[32];

	for (int i = 0; i < METER_COUNT; i++) {
		if (rates->pico[i] == PRICE_NONE || without >> i & 1)
			continue;
		price_format(rates->pico[i], (enum meter)i, price);
		buf_putf(out, "%s%s=%s", blank(out, start), meter_name((enum meter)i), price);
	}
}

void mode_rates_format(const struct price *price, struct buf *out)
{
	for (int i = 0; i < price->mode_rates; i++) {
		const struct mode_rate *row = &price->mode_rate[i];
		char text[32];

		price_format(row->pico, (enum meter)row->meter, text);
		buf_putf(out, "%s%s", i ? " " : "", price->mode[row->mode].name);
		if (row->above_tokens)
			buf_putf(out, ">%" PRId64, row->above_tokens);
		buf_putf(out, ":%s=%s", meter_name((enum meter)row->meter), text);
	}
}

void regions_format(const struct price *price, struct buf *out)
{
	for (int i = 0; i < price->regions; i++)
		buf_putf(out, "%s%s=%" PRId32 "/%" PRId32, i ? " " : "", price->region[i].name, price->region[i].num,
			price->region[i].den);
}

static void days_format(uint8_t days, struct buf *out)
{
	const char *mark = "";

	if (days == PRICE_DAYS_ALL)
		return;
	for (int day = 0; day < 7; day++) {
		int last = day;

		if (!(days >> day & 1))
			continue;
		while (last < 6 && days >> (last + 1) & 1)
			last++;
		buf_putf(out, "%s%s", mark, price_day_names[day]);
		if (last > day)
			buf_putf(out, "-%s", price_day_names[last]);
		mark = ",";
		day = last;
	}
	buf_put_str(out, "@");
}

void hours_format(const struct price *price, struct buf *out)
{
	for (int i = 0; i < price->hours; i++) {
		const struct price_hours *hours = &price->hour[i];
		int offset = hours->offset_minutes < 0 ? -hours->offset_minutes : hours->offset_minutes;

		buf_put_str(out, i ? " " : "");
		days_format(hours->days, out);
		buf_putf(out, "%02d:%02d-%02d:%02d", hours->from_minute / 60, hours->from_minute % 60,
			hours->to_minute / 60, hours->to_minute % 60);
		if (offset)
			buf_putf(out, "%c%02d:%02d", hours->offset_minutes < 0 ? '-' : '+', offset / 60, offset % 60);
		if (hours->zone[0])
			buf_putf(out, "[%s]", hours->zone);
		buf_putf(out, "=%" PRId32 "/%" PRId32, hours->num, hours->den);
	}
}
