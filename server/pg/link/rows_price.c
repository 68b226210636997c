/* Prices as rows of model_prices (pg/link/rows.h). */
#include "pg/link/rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg/link/link.h"

/* Parses "meter=n meter=n" up to a ';' or the end, and returns that place. Meters of a newer release are left out. */
static const char *parse_rates(const char *text, struct rates *out)
{
	char name[32];
	int64_t pico;
	int used, meter;

	rates_clear(out);
	for (;;) {
		text += strspn(text, " ");
		if (sscanf(text, "%31[a-z0-9_]=%" SCNd64 "%n", name, &pico, &used) != 2)
			return text;
		meter = meter_find(name);
		if (meter >= 0)
			out->pico[meter] = pico;
		text += used;
	}
}

/* Parses "above meter=n meter=n;above ...". */
static void parse_contexts(const char *text, struct price *out)
{
	char *end;

	while (*text && out->context_tiers < CONTEXT_TIERS_MAX) {
		int i = out->context_tiers++;
		out->context[i].above_tokens = strtoll(text, &end, 10);
		text = parse_rates(end, &out->context[i].rates);
		text += *text == ';' ? 1 : strlen(text);
	}
}

/* Parses "name num den" up to a ';', and returns the place behind it; NULL when there is nothing more. */
static const char *parse_ratio(const char *text, char name[16], int32_t *num, int32_t *den)
{
	int used;

	if (sscanf(text, "%15[^ ;] %" SCNd32 " %" SCNd32 "%n", name, num, den, &used) < 3)
		return NULL;
	return text + used + (text[used] == ';');
}

static void parse_modes(const char *text, struct price *out)
{
	while (out->modes < MODES_MAX) {
		int i = out->modes;

		text = parse_ratio(text, out->mode[i].name, &out->mode[i].num, &out->mode[i].den);
		if (!text)
			return;
		out->modes++;
	}
}

static void parse_regions(const char *text, struct price *out)
{
	while (out->regions < REGIONS_MAX) {
		int i = out->regions;

		text = parse_ratio(text, out->region[i].name, &out->region[i].num, &out->region[i].den);
		if (!text)
			return;
		out->regions++;
	}
}

/* Parses "mode above meter n;...". */
static void parse_mode_rates(const char *text, struct price *out)
{
	char mode[16], meter[32];
	struct mode_rate row;
	int used, m;

	while (out->mode_rates < MODE_RATES_MAX && sscanf(text, "%15[^ ;] %" SCNd64 " %31[a-z0-9_] %" SCNd64 "%n", mode,
							   &row.above_tokens, meter, &row.pico, &used) == 4) {
		text += used + (text[used] == ';');
		for (m = 0; m < out->modes && strcmp(out->mode[m].name, mode) != 0;)
			m++;
		if (m == out->modes || meter_find(meter) < 0)
			continue;
		row.mode = (uint8_t)m;
		row.meter = (uint8_t)meter_find(meter);
		out->mode_rate[out->mode_rates++] = row;
	}
}

/* Parses "offset days from to num den =zone;...". */
static void parse_hours(const char *text, struct price *out)
{
	char zone[ZONE_NAME_MAX + 2];
	struct price_hours row = {0};
	int used;

	while (out->hours < HOURS_MAX &&
		sscanf(text, "%" SCNd16 " %" SCNu8 " %" SCNd16 " %" SCNd16 " %" SCNd32 " %" SCNd32 " %65[^ ;]%n",
			&row.offset_minutes, &row.days, &row.from_minute, &row.to_minute, &row.num, &row.den, zone,
			&used) == 7) {
		text += used + (text[used] == ';');
		memcpy(row.zone, zone + 1, strlen(zone)); /* after the = */
		out->hour[out->hours++] = row;
	}
}

/* Parses "meter amount unit =zone =shared;...". Meters of a newer release are left out. */
static void parse_allowances(const char *text, struct price *out)
{
	char meter[32], unit[16], zone[ZONE_NAME_MAX + 2], shared[ALLOWANCE_NAME_MAX + 2];
	struct price_allowance row;
	enum window_unit period;
	int used;

	while (out->allowances < ALLOWANCES_MAX && sscanf(text, "%31[a-z0-9_] %" SCNd64 " %15[a-z] %65[^ ;] %33[^ ;]%n",
							   meter, &row.amount, unit, zone, shared, &used) == 5) {
		text += used + (text[used] == ';');
		if (meter_find(meter) < 0 || !window_unit_parse(unit, &period))
			continue;
		row.meter = (uint8_t)meter_find(meter);
		row.unit = (uint8_t)period;
		snprintf(row.zone, sizeof(row.zone), "%s", zone + 1);
		snprintf(row.shared, sizeof(row.shared), "%s", shared + 1);
		out->allowance[out->allowances++] = row;
	}
}

void row_price(const PGresult *result, int row, int column, struct price *out)
{
	int next = column + 7;

	*out = (struct price){.from_us = pg_i64(result, row, column + 5), .to_us = pg_i64(result, row, column + 6)};
	pg_copy(result, row, column + 1, out->tenant, sizeof(out->tenant));
	pg_copy(result, row, column + 2, out->account, sizeof(out->account));
	pg_copy(result, row, column + 3, out->provider, sizeof(out->provider));
	pg_copy(result, row, column + 4, out->model, sizeof(out->model));
	next += METER_KEPT_COUNT;
	parse_rates(pg_text(result, row, next + 3), &out->base);
	for (int meter = 0; meter < METER_KEPT_COUNT; meter++)
		out->base.pico[meter] = pg_i64(result, row, column + 7 + meter);
	parse_contexts(pg_text(result, row, next), out);
	parse_modes(pg_text(result, row, next + 1), out);
	pg_copy(result, row, next + 2, out->source, sizeof(out->source));
	parse_mode_rates(pg_text(result, row, next + 4), out);
	parse_regions(pg_text(result, row, next + 5), out);
	parse_hours(pg_text(result, row, next + 6), out);
	parse_allowances(pg_text(result, row, next + 7), out);
}

/* Appends ',"name":n' for each rate from meter `first` on. */
static void rates_json(const struct rates *rates, int first, struct buf *out)
{
	for (int meter = first; meter < METER_COUNT; meter++)
		if (rates->pico[meter] != PRICE_NONE)
			buf_putf(out, ",\"%s\":%" PRId64, meter_name((enum meter)meter), rates->pico[meter]);
}

void price_context_json(const struct price *price, struct buf *out)
{
	buf_put_str(out, "[");
	for (int i = 0; i < price->context_tiers; i++) {
		buf_putf(out, "%s{\"above\":%" PRId64, i ? "," : "", price->context[i].above_tokens);
		rates_json(&price->context[i].rates, 0, out);
		buf_put_str(out, "}");
	}
	buf_put_str(out, "]");
}

/* The names of modes and regions consist of a-z 0-9 _ - (price_check), so nothing needs escaping. */
static void ratio_json(int at, const char *name, int32_t num, int32_t den, struct buf *out)
{
	buf_putf(out, "%s\"%s\":[%" PRId32 ",%" PRId32 "]", at ? "," : "", name, num, den);
}

void price_modes_json(const struct price *price, struct buf *out)
{
	buf_put_str(out, "{");
	for (int i = 0; i < price->modes; i++)
		ratio_json(i, price->mode[i].name, price->mode[i].num, price->mode[i].den, out);
	buf_put_str(out, "}");
}

static void mode_rates_json(const struct price *price, struct buf *out)
{
	for (int i = 0; i < price->mode_rates; i++) {
		const struct mode_rate *row = &price->mode_rate[i];

		buf_putf(out, "%s{\"mode\":\"%s\",\"above\":%" PRId64 ",\"meter\":\"%s\",\"pico\":%" PRId64 "}",
			i ? "," : "", price->mode[row->mode].name, row->above_tokens,
			meter_name((enum meter)row->meter), row->pico);
	}
}

static void hours_json(const struct price *price, struct buf *out)
{
	for (int i = 0; i < price->hours; i++) {
		const struct price_hours *row = &price->hour[i];

		buf_putf(out, "%s[%d,%d,%d,%d,%" PRId32 ",%" PRId32, i ? "," : "", row->offset_minutes, row->days,
			row->from_minute, row->to_minute, row->num, row->den);
		if (row->zone[0])
			buf_putf(out, ",\"%s\"", row->zone);
		buf_put_str(out, "]");
	}
}

static void regions_json(const struct price *price, struct buf *out)
{
	for (int i = 0; i < price->regions; i++)
		ratio_json(i, price->region[i].name, price->region[i].num, price->region[i].den, out);
}

/* Names of zones and allowances have no character that needs escaping (price_check). */
static void allowances_json(const struct price *price, struct buf *out)
{
	for (int i = 0; i < price->allowances; i++) {
		const struct price_allowance *row = &price->allowance[i];

		buf_putf(out,
			"%s{\"meter\":\"%s\",\"amount\":%" PRId64 ",\"unit\":\"%s\",\"zone\":\"%s\",\"shared\":\"%s\"}",
			i ? "," : "", meter_name((enum meter)row->meter), row->amount,
			window_unit_name((enum window_unit)row->unit), row->zone, row->shared);
	}
}

static void base_json(const struct price *price, struct buf *out)
{
	struct buf rates = {0};

	rates_json(&price->base, METER_KEPT_COUNT, &rates);
	if (rates.len)
		buf_put_str(out, buf_str(&rates) + 1);
	buf_release(&rates);
}

/* Parts that are empty are left out. */
void price_more_json(const struct price *price, struct buf *out)
{
	static const struct {
		const char *name;
		char open, close;
		void (*put)(const struct price *price, struct buf *out);
	} parts[] = {
		{"rates", '{', '}', base_json},
		{"mode_rates", '[', ']', mode_rates_json},
		{"regions", '{', '}', regions_json},
		{"hours", '[', ']', hours_json},
		{"allowances", '[', ']', allowances_json},
	};
	const char *comma = "";

	buf_put_str(out, "{");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct buf part = {0};

		parts[i].put(price, &part);
		if (part.len) {
			buf_putf(out, "%s\"%s\":%c%s%c", comma, parts[i].name, parts[i].open, buf_str(&part),
				parts[i].close);
			comma = ",";
		}
		buf_release(&part);
	}
	buf_put_str(out, "}");
}
