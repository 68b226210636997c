/* Reads lists of rates, modes, regions and hours from text (domain/price/price_text.h). */
#include "domain/price/price_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "domain/limit/limit.h"

#define ITEM_MAX 512

const char price_day_names[7][4] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/* Copies the next item of *text; false at the end. An item that is too long is cut, and then found invalid. */
static bool next_item(const char **text, char item[ITEM_MAX])
{
	size_t len;

	*text += strspn(*text, " ");
	len = strcspn(*text, " ");
	snprintf(item, ITEM_MAX, "%.*s", (int)(len < ITEM_MAX ? len : ITEM_MAX - 1), *text);
	*text += len;
	return len > 0;
}

/* "name=value" in place: the value, or NULL. */
static char *split_value(char *item)
{
	char *value = strrchr(item, '=');

	if (!value || value == item || !value[1])
		return NULL;
	*value = '\0';
	return value + 1;
}

/* Puts the '=' back, for an error message. */
static const char *join_value(char *item, char *value)
{
	if (value)
		value[-1] = '=';
	return item;
}

/* "1/2" */
static bool ratio_read(const char *text, int32_t *num, int32_t *den)
{
	int used = 0;

	return sscanf(text, "%9" SCNd32 "/%9" SCNd32 "%n", num, den, &used) == 2 && used > 0 && !text[used];
}

static bool meter_read(const char *name, const char *field, int *out, struct err *err)
{
	*out = meter_find(name);
	return *out >= 0 || err_invalid(err, field,
				    "\"%.40s\" is not a meter; known are input, cached_input, cache_write_1h, "
				    "web_searches and those of docs/money.md",
				    name);
}

bool rates_parse(const char *text, const char *field, struct rates *rates, struct err *err)
{
	bool seen[METER_COUNT] = {false};
	char item[ITEM_MAX];

	while (next_item(&text, item)) {
		char *value = split_value(item);
		int meter;

		if (!value)
			return err_invalid(err, field, "\"%.40s\" is not a rate; write web_searches=10", item);
		if (!meter_read(item, field, &meter, err))
			return false;
		if (seen[meter])
			return err_invalid(err, field, "%s is listed twice", item);
		seen[meter] = true;
		if (!price_parse(value, (enum meter)meter, field, &rates->pico[meter], err))
			return false;
	}
	return true;
}

/* "input=4,output=15", in place */
static bool context_rates_read(char *list, const char *field, struct rates *rates, struct err *err)
{
	for (char *p = list; *p; p++)
		if (*p == ',')
			*p = ' ';
	rates_clear(rates);
	return rates_parse(list, field, rates, err);
}

bool contexts_parse(const char *text, const char *field, struct price *price, struct err *err)
{
	char item[ITEM_MAX];

	while (next_item(&text, item)) {
		const char *start = item + (strncmp(item, ">=", 2) == 0 ? 2 : 0);
		int at = price->context_tiers, used = 0;
		int64_t tokens;

		if (at == CONTEXT_TIERS_MAX)
			return err_invalid(err, field, "has more than %d tiers", CONTEXT_TIERS_MAX);
		if (sscanf(start, "%16" SCNd64 ":%n", &tokens, &used) != 1 || used == 0)
			return err_invalid(
				err, field, "\"%.60s\" is not a context tier; write 200000:input=4,output=15", item);
		price->context[at].above_tokens = start > item ? tokens - 1 : tokens;
		if (!context_rates_read(item + (start - item) + used, field, &price->context[at].rates, err))
			return false;
		price->context_tiers++;
	}
	return true;
}

static int mode_at(const struct price *price, const char *name)
{
	for (int i = 0; i < price->modes; i++)
		if (strcmp(price->mode[i].name, name) == 0)
			return i;
	return -1;
}

static bool mode_add(struct price *price, const char *name, const char *field, int *out, struct err *err)
{
	if (strlen(name) >= sizeof(price->mode[0].name))
		return err_invalid(err, field, "the mode \"%.40s\" is longer than %zu bytes", name,
			sizeof(price->mode[0].name) - 1);
	if (price->modes == MODES_MAX)
		return err_invalid(err, field, "has more than %d entries", MODES_MAX);
	*out = price->modes++;
	memset(&price->mode[*out], 0, sizeof(price->mode[0]));
	memcpy(price->mode[*out].name, name, strlen(name) + 1);
	return true;
}

bool modes_parse(const char *text, const char *field, struct price *price, struct err *err)
{
	char item[ITEM_MAX];

	while (next_item(&text, item)) {
		char *value = split_value(item);
		int32_t num, den;
		int mode;

		if (!value || !ratio_read(value, &num, &den))
			return err_invalid(err, field, "\"%.32s\" is not a list of modes; write batch=1/2 flex=1/2",
				join_value(item, value));
		if (!mode_add(price, item, field, &mode, err))
			return false;
		price->mode[mode].num = num;
		price->mode[mode].den = den;
	}
	return true;
}

/* "batch>200000": cuts the tier off. */
static bool tier_cut(char *name, int64_t *above)
{
	char *mark = strchr(name, '>');
	int used = 0;

	*above = 0;
	if (!mark)
		return true;
	*mark = '\0';
	return sscanf(mark + 1, "%16" SCNd64 "%n", above, &used) == 1 && *above > 0 && !mark[1 + used];
}

bool mode_rates_parse(const char *text, const char *field, struct price *price, struct err *err)
{
	char item[ITEM_MAX], whole[ITEM_MAX];

	while (next_item(&text, item)) {
		struct mode_rate row = {0};
		char *value, *name;
		int meter, mode;

		memcpy(whole, item, sizeof(whole));
		value = split_value(item);
		name = strchr(item, ':');
		if (!value || !name || (*name = '\0', !tier_cut(item, &row.above_tokens)))
			return err_invalid(err, field,
				"\"%.60s\" is not a mode's rate; write batch:cached_input=0.25 or "
				"batch>200000:cached_input=0.5",
				whole);
		if (!meter_read(name + 1, field, &meter, err) ||
			!price_parse(value, (enum meter)meter, field, &row.pico, err))
			return false;
		mode = mode_at(price, item);
		if (mode < 0 && !mode_add(price, item, field, &mode, err))
			return false;
		if (price->mode_rates == MODE_RATES_MAX)
			return err_invalid(err, field, "has more than %d entries", MODE_RATES_MAX);
		row.mode = (uint8_t)mode;
		row.meter = (uint8_t)meter;
		price->mode_rate[price->mode_rates++] = row;
	}
	return true;
}

void price_modes_settle(struct price *price)
{
	for (int i = 0; i < price->modes; i++)
		if (price->mode[i].num == 0 && price->mode[i].den == 0)
			price->mode[i].num = price->mode[i].den = 1;
}

bool regions_parse(const char *text, const char *field, struct price *price, struct err *err)
{
	char item[ITEM_MAX];

	while (next_item(&text, item)) {
		char *value = split_value(item);
		int at = price->regions;

		if (at == REGIONS_MAX)
			return err_invalid(err, field, "has more than %d entries", REGIONS_MAX);
		if (!value || strlen(item) >= sizeof(price->region[0].name) ||
			!ratio_read(value, &price->region[at].num, &price->region[at].den))
			return err_invalid(err, field, "\"%.32s\" is not a list of regions; write us=11/10",
				join_value(item, value));
		memcpy(price->region[at].name, item, strlen(item) + 1);
		price->regions++;
	}
	return true;
}

static int day_of(const char *text)
{
	for (int i = 0; i < 7; i++)
		if (strncmp(text, price_day_names[i], 3) == 0)
			return i;
	return -1;
}

/* "mon-fri" or "sat,sun" or "mon-wed,sun", up to the '@'. */
static bool days_read(const char *text, uint8_t *out)
{
	uint8_t days = 0;

	for (;;) {
		int first = day_of(text), last = first;

		if (first < 0)
			return false;
		text += 3;
		if (*text == '-') {
			last = day_of(text + 1);
			if (last < 0)
				return false;
			text += 4;
		}
		for (int day = first;; day = (day + 1) % 7) {
			days |= (uint8_t)(1 << day);
			if (day == last)
				break;
		}
		if (*text == '@') {
			*out = days;
			return true;
		}
		if (*text++ != ',')
			return false;
	}
}

/* "+08:00", "Z", "[Europe/Berlin]", or nothing for UTC. Whether there is such a zone, price_check says. */
static bool place_read(const char *text, struct price_hours *out)
{
	size_t len = strlen(text);
	int hour, minute, used = 0;
	char sign[2];

	if (len == 0 || strcmp(text, "Z") == 0)
		return true;
	if (text[0] == '[') {
		if (len < 3 || text[len - 1] != ']' || len - 2 > ZONE_NAME_MAX)
			return false;
		if (strcmp(text, "[UTC]") != 0)
			memcpy(out->zone, text + 1, len - 2); /* the rest is 0 */
		return true;
	}
	if (sscanf(text, "%1[+-]%2d:%2d%n", sign, &hour, &minute, &used) != 3 || text[used])
		return false;
	if (hour < 0 || minute < 0 || minute > 59)
		return false;
	out->offset_minutes = (int16_t)((hour * 60 + minute) * (sign[0] == '-' ? -1 : 1));
	return true;
}

/* "09:00-12:00+08:00", "16:30-00:30", "09:00-17:00[Europe/Berlin]" */
static bool times_read(const char *text, struct price_hours *out)
{
	int from_hour, from, to_hour, to, used = 0;

	if (sscanf(text, "%2d:%2d-%2d:%2d%n", &from_hour, &from, &to_hour, &to, &used) != 4 || used == 0)
		return false;
	if (from_hour < 0 || from_hour > 23 || from < 0 || from > 59 || to_hour < 0 || to_hour > 24 || to < 0 ||
		to > 59)
		return false;
	out->from_minute = (int16_t)(from_hour * 60 + from);
	out->to_minute = (int16_t)(to_hour * 60 + to);
	return place_read(text + used, out);
}

bool hours_parse(const char *text, const char *field, struct price *price, struct err *err)
{
	char item[ITEM_MAX], whole[ITEM_MAX];

	while (next_item(&text, item)) {
		struct price_hours hours = {.days = PRICE_DAYS_ALL};
		char *value, *times;

		memcpy(whole, item, sizeof(whole));
		if (price->hours == HOURS_MAX)
			return err_invalid(err, field, "has more than %d entries", HOURS_MAX);
		value = split_value(item);
		times = strchr(item, '@');
		if (!value || (times && !days_read(item, &hours.days)) ||
			!times_read(times ? times + 1 : item, &hours) || !ratio_read(value, &hours.num, &hours.den))
			return err_invalid(err, field,
				"\"%.60s\" is not a time of day; write 16:30-00:30=1/2 (UTC), "
				"mon-fri@09:00-12:00+08:00=2/1 or 09:00-17:00[Europe/Berlin]=2/1",
				whole);
		price->hour[price->hours++] = hours;
	}
	return true;
}
