/* Comparing prices: what a list leaves unchanged, moves that are too big, units, overlaps. */
#include <string.h>

#include "domain/price/price_change.h"
#include "lib/test.h"

static struct price priced(int64_t input, int64_t output)
{
	struct price price = {.provider = "p", .model = "m"};

	for (int meter = 0; meter < METER_COUNT; meter++)
		price.base.pico[meter] = PRICE_NONE;
	price.base.pico[METER_INPUT] = input;
	price.base.pico[METER_OUTPUT] = output;
	return price;
}

TEST(what_a_list_does_not_speak_of_stays)
{
	struct price before = priced(1000, 2000), price = priced(1500, PRICE_NONE);

	before.base.pico[METER_CACHED_INPUT] = 100;
	before.context_tiers = 1;
	before.context[0].above_tokens = 200000;
	before.context[0].rates = before.base;
	before.modes = 1;
	strcpy(before.mode[0].name, "batch");
	before.mode[0].num = 1;
	before.mode[0].den = 2;
	price.context[0].rates = priced(3000, PRICE_NONE).base;
	assert_true(price_fill(&price, PRICE_GIVEN_RATE(METER_INPUT), &before, NULL));
	assert_int_equal(price.base.pico[METER_INPUT], 1500);
	assert_int_equal(price.base.pico[METER_OUTPUT], 2000);
	assert_int_equal(price.base.pico[METER_CACHED_INPUT], 100);
	assert_int_equal(price.context_tiers, 1);
	assert_int_equal(price.context[0].rates.pico[METER_INPUT], 1000);
	assert_int_equal(price.modes, 1);
	price.base.pico[METER_INPUT] = 1000;
	assert_true(price_costs_same(&price, &before));

	/* The list has its own threshold and a column for input above it; the other rates above it stay. */
	price.context[0].rates = priced(3000, PRICE_NONE).base;
	assert_true(price_fill(&price, PRICE_GIVEN_CONTEXT | PRICE_GIVEN_ABOVE(METER_INPUT), &before, NULL));
	assert_int_equal(price.context[0].rates.pico[METER_INPUT], 3000);
	assert_int_equal(price.context[0].rates.pico[METER_OUTPUT], 2000);
	assert_false(price_costs_same(&price, &before));
	price.context[0].above_tokens = 100000;
	price.context[0].rates.pico[METER_OUTPUT] = PRICE_NONE;
	assert_true(price_fill(&price, PRICE_GIVEN_CONTEXT, &before, NULL));
	assert_int_equal(price.context[0].rates.pico[METER_OUTPUT], PRICE_NONE);

	/* A rate that the list sets to nothing becomes nothing. */
	price = priced(1, PRICE_NONE);
	assert_true(price_fill(&price, PRICE_GIVEN_ALL, &before, NULL));
	assert_int_equal(price.base.pico[METER_OUTPUT], PRICE_NONE);
	assert_int_equal(price.context_tiers + price.modes, 0);
}

TEST(what_is_merged_keeps_the_others)
{
	struct price before = priced(1000, 2000), price = priced(PRICE_NONE, PRICE_NONE);
	struct err err;

	before.context_tiers = 1;
	before.context[0].above_tokens = 200;
	before.context[0].rates = priced(3000, 4000).base;
	before.modes = MODES_MAX;
	for (int i = 0; i < MODES_MAX; i++) {
		before.mode[i].name[0] = (char)('a' + i);
		before.mode[i].num = before.mode[i].den = 1;
	}
	price.context_tiers = 3;
	price.context[0].above_tokens = 100;
	price.context[0].rates = priced(1, PRICE_NONE).base;
	price.context[1].above_tokens = 200;
	price.context[1].rates = priced(PRICE_NONE, 2).base;
	price.context[2].above_tokens = 300;
	price.context[2].rates = priced(3, PRICE_NONE).base;
	price.modes = 1;
	strcpy(price.mode[0].name, "b");
	price.mode[0].num = 7;
	price.mode[0].den = 2;
	assert_true(price_fill(&price, PRICE_MERGED_CONTEXT | PRICE_MERGED_MODES, &before, &err));
	assert_int_equal(price.base.pico[METER_INPUT], 1000);
	assert_int_equal(price.context_tiers, 3);
	assert_int_equal(price.context[0].rates.pico[METER_INPUT], 1);
	assert_int_equal(price.context[1].rates.pico[METER_INPUT], 3000);
	assert_int_equal(price.context[1].rates.pico[METER_OUTPUT], 2);
	assert_int_equal(price.context[2].above_tokens, 300);
	assert_int_equal(price.modes, MODES_MAX);
	assert_int_equal(price.mode[1].num, 7);
	assert_int_equal(price.mode[2].num, 1);

	/* More modes than a price has room for. */
	strcpy(price.mode[0].name, "new");
	price.modes = 1;
	assert_false(price_fill(&price, PRICE_MERGED_MODES, &before, &err));
	assert_string_equal(err.field, "modes");
	before.context_tiers = CONTEXT_TIERS_MAX;
	for (int i = 1; i < CONTEXT_TIERS_MAX; i++)
		before.context[i].above_tokens = 1000 * i;
	price.context_tiers = 1;
	price.context[0].above_tokens = 100;
	assert_false(price_fill(&price, PRICE_MERGED_CONTEXT, &before, &err));
	assert_string_equal(err.field, "context_tiers");
}

TEST(modes_are_the_same_in_any_order)
{
	struct price a = priced(1, 2), b = priced(1, 2);

	a.modes = b.modes = 2;
	strcpy(a.mode[0].name, "batch");
	strcpy(a.mode[1].name, "flex");
	strcpy(b.mode[0].name, "flex");
	strcpy(b.mode[1].name, "batch");
	a.mode[0].num = b.mode[1].num = 1;
	a.mode[0].den = b.mode[1].den = 2;
	a.mode[1].num = b.mode[0].num = 1;
	a.mode[1].den = b.mode[0].den = 3;
	assert_true(price_costs_same(&a, &b));
	b.mode[0].den = 4;
	assert_false(price_costs_same(&a, &b));
}

TEST(a_move_is_big_beyond_ten_times_either_way)
{
	static const struct {
		int64_t was, is;
		int class;
	} cases[] = {{100, 1000, -1}, {100, 1001, METER_OUTPUT}, {1000, 100, -1}, {1001, 100, METER_OUTPUT},
		{0, 5000, -1}, {5000, 0, -1}, {PRICE_NONE, 5000, -1}, {PRICE_MAX, 1, METER_OUTPUT}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct price before = priced(7, cases[i].was), after = priced(7, cases[i].is);
		assert_int_equal(price_big_move(&before, &after), cases[i].class);
	}
}

TEST(prices_per_token_are_told_from_prices_per_million)
{
	struct price cheap = priced(99, 50), usual = priced(100, 50), free_of_charge = priced(0, 0);
	const struct price *all[] = {&cheap, &free_of_charge, &usual};

	assert_true(prices_look_per_token(all, 2));
	assert_false(prices_look_per_token(all, 3));
	assert_false(prices_look_per_token(all + 1, 1));
	assert_false(prices_look_per_token(all, 0));
}

TEST(two_prices_in_force_at_once_are_found)
{
	struct price a = priced(1, 1), b = priced(2, 2), other = priced(3, 3);
	const struct price *all[] = {&b, &other, &a};
	int first = -1, second = -1;

	strcpy(other.account, "ann");
	a.to_us = 100;
	b.from_us = 100;
	assert_false(prices_overlap(all, 3, &first, &second));
	b.from_us = 99;
	assert_true(prices_overlap(all, 3, &first, &second));
	assert_int_equal(first, 2);
	assert_int_equal(second, 0);
	a.to_us = 0;
	b.from_us = 5000;
	assert_true(prices_overlap(all, 3, &first, &second));
}
