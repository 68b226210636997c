/* Price lists: a list that is read contains valid prices, which are found again and cost what their text says. */
#include <string.h>

#include "base/units.h"
#include "base/utf8.h"
#include "domain/limit/limit.h"
#include "domain/price/price_allowance.h"
#include "domain/price/price_csv.h"
#include "fuzz/fuzz.h"

/*
 * Each rate survives writing and reading, and 1,000 of a meter cost as many nano-USD as the rate has pico-USD.
 */
static void check_rates(const struct price *price)
{
	for (int i = 0; i < METER_COUNT; i++) {
		struct meters tokens = {{0}};
		struct err err = {0};
		struct cost cost;
		char text[32];
		int64_t pico, expected;

		price_format(price->base.pico[i], (enum meter)i, text);
		HOLDS(price_parse(text, (enum meter)i, "x", &pico, &err) && pico == price->base.pico[i]);
		tokens.count[i] = 1000;
		HOLDS(price_cost(price, &tokens, (struct purchase){.mode = ""}, &cost, &err));
		expected = price->base.pico[i];
		if (price->hours || (price->context_tiers && meter_rows[i].side == SIDE_INPUT &&
					    price->context[0].above_tokens < 1000))
			continue;
		if (expected == PRICE_NONE)
			HOLDS(cost.flags == FLAG_PARENT_RATE || cost.flags == FLAG_UNPRICED);
		else
			HOLDS(cost.nano == expected && cost.flags == 0);
	}
}

/* A larger ratio costs more, and a cost is never negative. */
static void check_modes(const struct price *price)
{
	struct meters tokens = {{1, 2, 3, 4, 5, 6, 7}};
	struct err err = {0};
	struct cost standard, cost;

	HOLDS(price_cost(price, &tokens, (struct purchase){.mode = ""}, &standard, &err) && standard.nano >= 0);
	for (int i = 0; i < price->modes; i++) {
		HOLDS(price_cost(price, &tokens, (struct purchase){.mode = price->mode[i].name}, &cost, &err));
#ifdef PLANTED_BUG
		/* The mistake: assuming that modes are discounts. */
		HOLDS(cost.nano <= standard.nano);
#endif
		if (price->mode_rates)
			continue;
		if (price->mode[i].num <= price->mode[i].den)
			HOLDS(cost.nano <= standard.nano);
		else
			HOLDS(cost.nano >= standard.nano);
	}
	HOLDS(!price_cost(price, &tokens, (struct purchase){.mode = "no mode"}, &cost, &err) &&
		err.code == ERR_INVALID);
}

/* Allowances survive writing and reading; what they cover is worth no more than all of it costs, and all of it is worth that. */
static void check_allowances(const struct price *price)
{
	struct meters used = {{1, 20, 300, 4000, 50000}}, half = used;
	const struct purchase purchase = {.mode = "", .at_us = INT64_C(1795910400000000)};
	struct price again = {0};
	struct buf text = {0};
	struct err err = {0};
	struct cost cost;
	int64_t worth;

	allowances_format(price, &text);
	HOLDS(allowances_parse(buf_str(&text), "x", &again, &err) && allowances_same(price, &again));
	buf_release(&text);
	for (int i = 0; i < price->allowances; i++) {
		int64_t starts_us = allowance_starts_us(&price->allowance[i], purchase.at_us);

		HOLDS(starts_us <= purchase.at_us && starts_us > purchase.at_us - 32 * DAY_US);
	}
	for (int i = 0; i < METER_COUNT; i++)
		half.count[i] /= 2;
	price_charge(price, &used, purchase, &cost);
	worth = price_worth(price, &used, &half, purchase);
	HOLDS(worth >= 0 && worth <= cost.nano && price_worth(price, &used, &used, purchase) == cost.nano);
}

static void check_book(const struct price_sheet *list)
{
	struct price_book *book = price_book_new(list->prices, list->count, NULL, 0);
	const char *near[3];

	for (int i = 0; i < list->count; i++) {
		const struct price *price = &list->prices[i], *found;
		char name[2 * ID_MAX + 2];

		snprintf(name, sizeof(name), "%s/%s", price->provider, price->model);
		found = price_find(book, "t", "u", name, price->from_us);
		HOLDS(found && found->from_us == price->from_us);
		HOLDS(strcmp(found->model, price->model) == 0 && strcmp(found->provider, price->provider) == 0);
		HOLDS(price_find(book, "t", "u", price->model, price->from_us));
		if (price->to_us) {
			found = price_find(book, "t", "u", name, price->to_us);
			HOLDS(!found || found->from_us >= price->to_us || strcmp(found->model, price->model) != 0);
		}
		if (i < 4)
			HOLDS(price_nearest(book, "t", price->model, near, 3) >= 1);
	}
	price_book_free(book);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct price_sheet list;
	struct err err = {0};

	if (!price_csv_parse((const char *)data, size, &list, &err)) {
		HOLDS(err.code == ERR_INVALID && utf8_valid(err.text, strlen(err.text)));
		HOLDS(strncmp(err.text, "line ", 5) == 0 || strncmp(err.text, "file: ", 6) == 0);
		HOLDS(list.count == 0 && !list.prices);
		return 0;
	}
	for (int i = 0; i < list.count; i++) {
		HOLDS(price_check(&list.prices[i], &err));
		HOLDS(list.lines[i] >= 2);
		check_rates(&list.prices[i]);
		check_modes(&list.prices[i]);
		check_allowances(&list.prices[i]);
	}
	check_book(&list);
	price_sheet_release(&list);
	return 0;
}
