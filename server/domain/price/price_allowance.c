/* Free allowances of prices (price_allowance.h). */
#include "domain/price/price_allowance.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "domain/limit/window.h"
#include "domain/time/zone_file.h"

enum { ITEM_MAX = 256 };

static bool refuse(const char *item, const char *field, struct err *err)
{
	return err_invalid(err, field,
		"\"%.100s\" is not an allowance; write web_searches=1000/day or "
		"web_searches=1000/day,zone=America/Los_Angeles,shared=name",
		item);
}

static bool copy(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len >= size || *out)
		return false;
	memcpy(out, text, len + 1);
	return true;
}

/* "zone=Europe/Berlin", "shared=name" */
static bool option_read(const char *option, struct price_allowance *out)
{
	if (strncmp(option, "zone=", 5) == 0)
		return copy(out->zone, sizeof(out->zone), option + 5);
	if (strncmp(option, "shared=", 7) == 0)
		return copy(out->shared, sizeof(out->shared), option + 7);
	return false;
}

/* "1500/day" */
static bool amount_read(const char *text, struct price_allowance *out)
{
	size_t digits = strspn(text, "0123456789");
	enum window_unit unit;

	if (digits == 0 || digits > 16 || text[digits] != '/' || !window_unit_parse(text + digits + 1, &unit))
		return false;
	sscanf(text, "%16" SCNd64, &out->amount);
	out->unit = (uint8_t)unit;
	return true;
}

/* Cuts the item into its parts. */
static bool item_read(char *item, struct price_allowance *out)
{
	char *save = NULL, *first = strtok_r(item, ",", &save), *value = first ? strchr(first, '=') : NULL, *option;
	int meter;

	if (!value)
		return false;
	*value++ = '\0';
	meter = meter_find(first);
	if (meter < 0 || !amount_read(value, out))
		return false;
	out->meter = (uint8_t)meter;
	while ((option = strtok_r(NULL, ",", &save)))
		if (!option_read(option, out))
			return false;
	if (strcmp(out->zone, "UTC") == 0)
		out->zone[0] = '\0';
	return true;
}

bool allowances_parse(const char *text, const char *field, struct price *price, struct err *err)
{
	for (;;) {
		struct price_allowance allowance = {0};
		char item[ITEM_MAX], shown[ITEM_MAX];
		size_t len;

		text += strspn(text, " ");
		len = strcspn(text, " ");
		if (len == 0)
			return true;
		if (price->allowances == ALLOWANCES_MAX)
			return err_invalid(err, field, "has more than %d entries", ALLOWANCES_MAX);
		snprintf(item, sizeof(item), "%.*s", (int)(len < ITEM_MAX ? len : ITEM_MAX - 1), text);
		memcpy(shown, item, sizeof(shown));
		if (len >= ITEM_MAX || !item_read(item, &allowance))
			return refuse(shown, field, err);
		price->allowance[price->allowances++] = allowance;
		text += len;
	}
}

void allowances_format(const struct price *price, struct buf *out)
{
	for (int i = 0; i < price->allowances; i++) {
		const struct price_allowance *row = &price->allowance[i];

		buf_putf(out, "%s%s=%" PRId64 "/%s", i ? " " : "", meter_name((enum meter)row->meter), row->amount,
			window_unit_name((enum window_unit)row->unit));
		if (row->zone[0])
			buf_putf(out, ",zone=%s", row->zone);
		if (row->shared[0])
			buf_putf(out, ",shared=%s", row->shared);
	}
}

static bool shared_valid(const char *name)
{
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == strlen(name);
}

bool allowances_check(const struct price *price, struct err *err)
{
	if (price->allowances < 0 || price->allowances > ALLOWANCES_MAX)
		return err_invalid(
			err, "allowances", "has %d entries; at most %d are allowed", price->allowances, ALLOWANCES_MAX);
	for (int i = 0; i < price->allowances; i++) {
		const struct price_allowance *row = &price->allowance[i];
		char field[32];

		snprintf(field, sizeof(field), "allowances[%d]", i);
		if (row->meter >= METER_COUNT || row->unit >= WINDOW_COUNT)
			return err_invalid(err, field, "names a meter or a period that does not exist");
		if (row->amount < 1 || row->amount > COUNT_MAX)
			return err_invalid(err, field, "covers %" PRId64 "; the amount must be from 1 to %" PRId64,
				row->amount, (int64_t)COUNT_MAX);
		if (!shared_valid(row->shared))
			return err_invalid(err, field, "\"%s\" is not a valid name; use a-z 0-9 . _ -", row->shared);
		if (row->zone[0] && !zone_check(row->zone, err))
			return err_prefix(err, "%s: ", field);
		for (int k = 0; k < i; k++)
			if (price->allowance[k].meter == row->meter)
				return err_invalid(
					err, field, "%s is listed twice", meter_name((enum meter)row->meter));
	}
	return true;
}

static bool one_same(const struct price_allowance *a, const struct price_allowance *b)
{
	return a->meter == b->meter && a->unit == b->unit && a->amount == b->amount && strcmp(a->zone, b->zone) == 0 &&
	       strcmp(a->shared, b->shared) == 0;
}

bool allowances_same(const struct price *a, const struct price *b)
{
	if (a->allowances != b->allowances)
		return false;
	for (int i = 0; i < a->allowances; i++) {
		int k = 0;

		while (k < b->allowances && !one_same(&a->allowance[i], &b->allowance[k]))
			k++;
		if (k == b->allowances)
			return false;
	}
	return true;
}

const char *allowance_pool(const struct price *price, const struct price_allowance *allowance)
{
	return allowance->shared[0] ? allowance->shared : price->model;
}

int64_t allowance_starts_us(const struct price_allowance *allowance, int64_t at_us)
{
	struct zone zone = {0};
	struct windows windows;

	memcpy(zone.name, allowance->zone, sizeof(zone.name));
	windows_or_utc(&zone, at_us, &windows);
	return windows_start(&windows, (enum window_unit)allowance->unit, at_us);
}

int64_t allowance_give(int64_t amount, int64_t used, int64_t had, int64_t wanted)
{
	int64_t left = amount - (used - had);

	if (left > wanted)
		left = wanted;
	return left > 0 ? left : 0;
}
