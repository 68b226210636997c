/* Price lists as CSV. */
#include "domain/price/price_csv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text/csv.h"
#include "domain/limit/limit.h"
#include "domain/limit/name.h"
#include "domain/price/price_allowance.h"
#include "domain/price/price_change.h"
#include "domain/price/price_text.h"

enum kind {
	KIND_PROVIDER,
	KIND_MODEL,
	KIND_RATE,
	KIND_THRESHOLD,
	KIND_CONTEXTS,
	KIND_ABOVE,
	KIND_RATES,
	KIND_RATES_ABOVE,
	KIND_MODES,
	KIND_MODE_RATES,
	KIND_REGIONS,
	KIND_HOURS,
	KIND_ALLOWANCES,
	KIND_FROM,
	KIND_TO,
	KIND_SOURCE
};

static const struct column {
	const char *name;
	enum kind kind;
	enum meter meter;
} columns[] = {
	{"provider", KIND_PROVIDER, 0},
	{"model", KIND_MODEL, 0},
	{"input_usd_per_1m", KIND_RATE, METER_INPUT},
	{"output_usd_per_1m", KIND_RATE, METER_OUTPUT},
	{"cached_input_usd_per_1m", KIND_RATE, METER_CACHED_INPUT},
	{"cache_write_usd_per_1m", KIND_RATE, METER_CACHE_WRITE},
	{"reasoning_usd_per_1m", KIND_RATE, METER_REASONING},
	{"audio_input_usd_per_1m", KIND_RATE, METER_AUDIO_INPUT},
	{"audio_output_usd_per_1m", KIND_RATE, METER_AUDIO_OUTPUT},
	{"context_threshold_tokens", KIND_THRESHOLD, 0},
	{"context_tiers", KIND_CONTEXTS, 0},
	{"input_above", KIND_ABOVE, METER_INPUT},
	{"output_above", KIND_ABOVE, METER_OUTPUT},
	{"cached_input_above", KIND_ABOVE, METER_CACHED_INPUT},
	{"cache_write_above", KIND_ABOVE, METER_CACHE_WRITE},
	{"rates", KIND_RATES, 0},
	{"rates_above", KIND_RATES_ABOVE, 0},
	{"modes", KIND_MODES, 0},
	{"mode_rates", KIND_MODE_RATES, 0},
	{"regions", KIND_REGIONS, 0},
	{"hours", KIND_HOURS, 0},
	{"allowances", KIND_ALLOWANCES, 0},
	{"effective_from", KIND_FROM, 0},
	{"effective_to", KIND_TO, 0},
	{"source", KIND_SOURCE, 0},
};

#define COLUMNS ((int)(sizeof(columns) / sizeof(columns[0])))
#define COLUMNS_NEEDED 3 /* the first of the table */

/* Which column is at which position in the rows of this file. */
struct layout {
	int count;
	const struct column *at[CSV_FIELDS_MAX];
};

static bool layout_read(const struct csv_row *row, struct layout *out, struct err *err)
{
	struct layout layout = {.count = row->count};
	bool seen[COLUMNS] = {false};

	if (row->count == 1 && !csv_separator_check(row->field[0], err))
		return false;

	for (int i = 0; i < row->count; i++) {
		int c = 0;

		while (c < COLUMNS && strcmp(columns[c].name, row->field[i]) != 0)
			c++;
		if (c == COLUMNS && strstr(row->field[i], "per_"))
			return err_invalid(err, "header",
				"\"%.40s\" has another unit; prices are in USD per 1M tokens (input_usd_per_1m): 2.5, "
				"not 0.0000025",
				row->field[i]);
		if (c == COLUMNS)
			return err_invalid(err, "header",
				"unknown column \"%.40s\"; known columns: provider, model, input_usd_per_1m, "
				"output_usd_per_1m and those of docs/money.md",
				row->field[i]);
		if (seen[c])
			return err_invalid(err, "header", "the column %s is listed twice", columns[c].name);
		seen[c] = true;
		layout.at[i] = &columns[c];
	}
	for (int c = 0; c < COLUMNS_NEEDED; c++) {
		if (!seen[c])
			return err_invalid(err, "header", "the column %s is missing", columns[c].name);
	}
	*out = layout;
	return true;
}

static price_parts list_given(enum kind kind)
{
	switch (kind) {
	case KIND_RATES:
		return price_given_rare();
	case KIND_RATES_ABOVE:
		return price_given_rare_above();
	case KIND_MODES:
		return PRICE_GIVEN_MODES;
	case KIND_MODE_RATES:
		return PRICE_GIVEN_MODE_RATES;
	case KIND_REGIONS:
		return PRICE_GIVEN_REGIONS;
	case KIND_HOURS:
		return PRICE_GIVEN_HOURS;
	case KIND_ALLOWANCES:
		return PRICE_GIVEN_ALLOWANCES;
	default:
		return 0;
	}
}

/* The parts of a price that the columns cover. */
static price_parts layout_given(const struct layout *layout)
{
	price_parts given = 0;

	for (int i = 0; i < layout->count; i++) {
		const struct column *column = layout->at[i];

		if (column->kind == KIND_RATE)
			given |= PRICE_GIVEN_RATE(column->meter);
		else if (column->kind == KIND_ABOVE)
			given |= PRICE_GIVEN_ABOVE(column->meter);
		else if (column->kind == KIND_CONTEXTS)
			given |= PRICE_GIVEN_CONTEXTS;
		else if (column->kind == KIND_THRESHOLD)
			given |= PRICE_GIVEN_CONTEXT;
		else
			given |= list_given(column->kind);
	}
	return given;
}

static bool copy_text(const char *text, char *out, size_t size, const char *field, struct err *err)
{
	size_t n = strlen(text);

	if (n >= size)
		return err_invalid(err, field, "is %zu bytes long; at most %zu are allowed", n, size - 1);
	memcpy(out, text, n + 1);
	name_trim(out);
	return true;
}

/* Days from 1970-01-01 to a day of the Gregorian calendar (years begin in March, so that the leap day is the last). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t m = month <= 2 ? month + 9 : month - 3;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

static bool date_read(const char *text, const char *field, int64_t *out, struct err *err)
{
	static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
	char shape[24];
	size_t n = strlen(text);
	int last;

	if (n == 0)
		return true;
	for (size_t i = 0; i <= n && i < sizeof(shape); i++)
		shape[i] = (text[i] >= '0' && text[i] <= '9') ? '9' : text[i];
	shape[sizeof(shape) - 1] = '\0';
	if (strcmp(shape, "9999-99-99") != 0 && strcmp(shape, "9999-99-99T99:99:99Z") != 0)
		return err_invalid(
			err, field, "\"%.24s\" is not a date; write 2026-07-30 or 2026-07-30T16:30:00Z", text);
	sscanf(text, "%4d-%2d-%2d%nT%2d:%2d:%2d", &year, &month, &day, &used, &hour, &minute, &second);
	last = month < 1 || month > 12 ? 0 : month_days[month - 1];
	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		last = 29;
	if (year < 1970 || day < 1 || day > last || hour > 23 || minute > 59 || second > 59)
		return err_invalid(err, field, "%s is not a day of the calendar since 1970", text);
	*out = (((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000000;
	return true;
}

static bool threshold_read(const char *text, const char *field, int64_t *out, struct err *err)
{
	int64_t value = 0;

	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9' || value > COUNT_MAX / 10)
			return err_invalid(err, field, "\"%.24s\" is not a number of tokens; write 200000", text);
		value = value * 10 + (*p - '0');
	}
	*out = value;
	return true;
}

static bool field_read(const struct column *column, const char *text, struct price *price, struct err *err)
{
	const char *name = column->name;

	switch (column->kind) {
	case KIND_PROVIDER:
		return copy_text(text, price->provider, sizeof(price->provider), name, err);
	case KIND_MODEL:
		return copy_text(text, price->model, sizeof(price->model), name, err);
	case KIND_SOURCE:
		return copy_text(text, price->source, sizeof(price->source), name, err);
	case KIND_RATE:
		return price_parse(text, column->meter, name, &price->base.pico[column->meter], err);
	case KIND_ABOVE:
		return price_parse(text, column->meter, name, &price->context[0].rates.pico[column->meter], err);
	case KIND_THRESHOLD:
		return threshold_read(text, name, &price->context[0].above_tokens, err);
	case KIND_CONTEXTS:
		return contexts_parse(text, name, price, err);
	case KIND_RATES:
		return rates_parse(text, name, &price->base, err);
	case KIND_RATES_ABOVE:
		return rates_parse(text, name, &price->context[0].rates, err);
	case KIND_MODES:
		return modes_parse(text, name, price, err);
	case KIND_MODE_RATES:
		return true; /* they need the modes: row_read */
	case KIND_REGIONS:
		return regions_parse(text, name, price, err);
	case KIND_HOURS:
		return hours_parse(text, name, price, err);
	case KIND_ALLOWANCES:
		return allowances_parse(text, name, price, err);
	case KIND_FROM:
		return date_read(text, name, &price->from_us, err);
	case KIND_TO:
		return date_read(text, name, &price->to_us, err);
	}
	return true;
}

static bool row_read(const struct csv_row *row, const struct layout *layout, struct price *price, struct err *err)
{
	bool above = false;

	*price = (struct price){0};
	rates_clear(&price->base);
	rates_clear(&price->context[0].rates);
	if (row->count != layout->count)
		return err_invalid(err, "row", "has %d fields, but the header has %d", row->count, layout->count);
	for (int i = 0; i < row->count; i++) {
		if (!field_read(layout->at[i], row->field[i], price, err))
			return false;
		above = above || ((layout->at[i]->kind == KIND_ABOVE || layout->at[i]->kind == KIND_RATES_ABOVE) &&
					 *row->field[i]);
	}
	for (int i = 0; i < row->count; i++)
		if (layout->at[i]->kind == KIND_MODE_RATES &&
			!mode_rates_parse(row->field[i], layout->at[i]->name, price, err))
			return false;
	price_modes_settle(price);
	if (above && price->context[0].above_tokens == 0)
		return err_invalid(err, "context_threshold_tokens", "is missing, but there is a price above it");
	if (price->context_tiers == 0)
		price->context_tiers = price->context[0].above_tokens > 0;
	return price_check(price, err);
}

static bool overlaps_check(const struct price_sheet *list, struct err *err)
{
	const struct price **prices = mem_zalloc((size_t)list->count + 1, sizeof(*prices));
	int first = 0, second = 0;
	bool overlap;

	for (int i = 0; i < list->count; i++)
		prices[i] = &list->prices[i];
	overlap = prices_overlap(prices, list->count, &first, &second);
	free(prices);
	return !overlap ||
	       err_set(err, ERR_INVALID,
		       "line %d: model: %.60s/%.60s is also in force in line %d; give them dates that do not "
		       "overlap",
		       list->lines[second], list->prices[second].provider, list->prices[second].model,
		       list->lines[first]);
}

static struct price *list_add(struct price_sheet *list, int *room, int line)
{
	if (list->count == *room) {
		*room = *room ? *room * 2 : 64;
		list->prices = mem_realloc(list->prices, (size_t)*room * sizeof(*list->prices));
		list->lines = mem_realloc(list->lines, (size_t)*room * sizeof(*list->lines));
	}
	list->lines[list->count] = line;
	return &list->prices[list->count++];
}

static bool rows_read(struct csv *csv, struct csv_row *row, struct price_sheet *list, struct err *err)
{
	struct layout layout = {0};
	int room = 0;

	if (!csv_next(csv, row, err))
		return false;
	if (row->count == 0)
		return err_set(err, ERR_INVALID, "line 1: header: is missing; the first line must name the columns");
	if (!layout_read(row, &layout, err))
		return err_prefix(err, "line %d: ", csv->line);
	list->given = layout_given(&layout);
	for (;;) {
		if (!csv_next(csv, row, err))
			return false;
		if (row->count == 0)
			return overlaps_check(list, err);
		if (list->count == PRICE_CSV_ROWS_MAX)
			return err_set(err, ERR_INVALID, "line %d: row: at most %d rows are allowed", csv->line,
				PRICE_CSV_ROWS_MAX);
		if (!row_read(row, &layout, list_add(list, &room, csv->line), err))
			return err_prefix(err, "line %d: ", csv->line);
	}
}

bool price_csv_parse(const char *text, size_t len, struct price_sheet *out, struct err *err)
{
	struct csv csv = {.at = text, .left = len};
	struct csv_row *row;
	bool ok;

	*out = (struct price_sheet){0};
	if (len > PRICE_CSV_BYTES_MAX)
		return err_set(err, ERR_INVALID, "file: is %zu bytes long; a price list has at most 8 MiB", len);
	row = mem_zalloc(1, sizeof(*row));
	ok = rows_read(&csv, row, out, err);
	free(row);
	if (!ok)
		price_sheet_release(out);
	return ok;
}

void price_sheet_release(struct price_sheet *list)
{
	free(list->prices);
	free(list->lines);
	*list = (struct price_sheet){0};
}
