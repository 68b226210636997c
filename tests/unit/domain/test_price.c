/* What a request costs: numbers computed by hand, then random ones against a second computation. */
#include <stdlib.h>
#include <string.h>

#include "domain/limit/limit.h"
#include "domain/price/price.h"
#include "lib/test.h"

#define NONE PRICE_NONE

/*
 * gpt-5.6-terra as seeded: 2 / 12 USD, cached 0.2, cache write 2.5; above 272,000, twice and one and a half times that.
 */
static const struct price terra = {
	.provider = "openai",
	.model = "gpt-5.6-terra",
	.base = {{2000000, 200000, 2500000, 12000000, NONE, NONE, NONE}},
	.context_tiers = 1,
	.context = {{272000, {{4000000, 400000, 5000000, 18000000, NONE, NONE, NONE}}}},
	.modes = 3,
	.mode = {{"batch", 1, 2}, {"flex", 1, 2}, {"priority", 2, 1}},
};

static struct cost cost_of(const struct price *price, const struct meters *tokens, const char *mode)
{
	struct err err = {0};
	struct cost cost;

	assert_true(price_check(price, &err));
	if (!price_cost(price, tokens, (struct purchase){.mode = mode}, &cost, &err))
		fail_msg("%s", err.text);
	return cost;
}

/* The worked example of docs/money.md. */
TEST(the_worked_example_of_the_documentation_holds)
{
	struct meters tokens = {
		{[METER_INPUT] = 1234, [METER_CACHED_INPUT] = 8001, [METER_OUTPUT] = 567, [METER_REASONING] = 89}};
	struct cost cost = cost_of(&terra, &tokens, "");

	/* 1234 x 2,000,000 + 8001 x 200,000 + 567 x 12,000,000 + 89 x 12,000,000 pico-USD */
	assert_int_equal(cost.pico_line[METER_INPUT], 2468000000);
	assert_int_equal(cost.pico_line[METER_CACHED_INPUT], 1600200000);
	assert_int_equal(cost.pico_line[METER_OUTPUT], 6804000000);
	assert_int_equal(cost.pico_line[METER_REASONING], 1068000000);
	assert_int_equal(cost.nano, 11940200);
	assert_int_equal(cost.flags, FLAG_PARENT_RATE);
	assert_int_equal(cost_of(&terra, &tokens, "batch").nano, 5970100);
	assert_int_equal(cost_of(&terra, &tokens, "priority").nano, 23880400);
}

TEST(the_sum_is_rounded_up_once)
{
	/* deepseek-v4-pro: 0.435, 0.87, cached 0.003625 */
	struct price price = {.provider = "deepseek",
		.model = "deepseek-v4-pro",
		.base = {{435000, 3625, NONE, 870000, NONE, NONE, NONE}},
		.modes = 1,
		.mode = {{"batch", 1, 2}}};
	struct meters one = {{[METER_CACHED_INPUT] = 1}};
	struct meters eight = {{[METER_CACHED_INPUT] = 8}};
	struct meters mixed = {{[METER_INPUT] = 1, [METER_CACHED_INPUT] = 3}};

	assert_int_equal(cost_of(&price, &one, "").nano, 4); /* 3.625 */
	assert_int_equal(cost_of(&price, &eight, "").nano, 29); /* exactly 29.000, so not rounded up */
	assert_int_equal(cost_of(&price, &mixed, "").nano, 446); /* 435 + 10.875 */
	assert_int_equal(cost_of(&price, &one, "batch").nano, 2); /* 1.8125 */
	assert_int_equal(cost_of(&price, &one, "batch").rate[METER_CACHED_INPUT], 1813); /* shown rounded up */
	assert_int_equal(cost_of(&price, &eight, "batch").nano, 15); /* 14.5, not 8 x 1813 / 1000 = 14.504 */
}

TEST(more_input_than_the_threshold_moves_the_whole_request)
{
	struct meters at = {{[METER_INPUT] = 272000, [METER_OUTPUT] = 1000}};
	struct meters above = {{[METER_INPUT] = 272001, [METER_OUTPUT] = 1000}};
	struct meters classes = {{[METER_INPUT] = 1, [METER_CACHED_INPUT] = 200000, [METER_CACHE_WRITE] = 72000}};

	assert_int_equal(cost_of(&terra, &at, "").nano, 556000000); /* 272,000 x 2,000 + 1,000 x 12,000 */
	assert_int_equal(cost_of(&terra, &at, "").flags, 0);
	assert_int_equal(cost_of(&terra, &above, "").nano, 1106004000); /* 272,001 x 4,000 + 1,000 x 18,000 */
	assert_int_equal(cost_of(&terra, &above, "").flags, FLAG_ABOVE_CONTEXT);
	/* All classes of input count: 1 x 4,000 + 200,000 x 400 + 72,000 x 5,000 */
	assert_int_equal(cost_of(&terra, &classes, "").nano, 440004000);
}

TEST(output_does_not_count_towards_the_context)
{
	struct meters tokens = {{[METER_INPUT] = 1, [METER_OUTPUT] = 300000, [METER_REASONING] = 1}};

	assert_int_equal(cost_of(&terra, &tokens, "").flags, FLAG_PARENT_RATE);
}

TEST(of_several_context_tiers_the_highest_reached_counts)
{
	struct price price = {.provider = "p",
		.model = "m",
		.base = {{1000000, NONE, NONE, 2000000, NONE, NONE, NONE}},
		.context_tiers = 2,
		.context = {{100, {{3000000, NONE, NONE, NONE, NONE, NONE, NONE}}},
			{200, {{5000000, NONE, NONE, 7000000, NONE, NONE, NONE}}}}};
	struct meters low = {{[METER_INPUT] = 101, [METER_OUTPUT] = 1}};
	struct meters high = {{[METER_INPUT] = 201, [METER_OUTPUT] = 1}};

	assert_int_equal(cost_of(&price, &low, "").nano, 305000); /* the output keeps its base rate */
	assert_int_equal(cost_of(&price, &high, "").nano, 1012000); /* 201 x 5,000 + 7,000 */
}

TEST(a_class_without_a_price_costs_its_parents_and_says_so)
{
	struct price price = {
		.provider = "p", .model = "m", .base = {{1000000, NONE, NONE, 3000000, NONE, NONE, NONE}}};
	static const struct {
		enum meter meter;
		int64_t nano;
		uint32_t flags;
	} cases[] = {{METER_INPUT, 10000, 0}, {METER_CACHED_INPUT, 10000, FLAG_PARENT_RATE},
		{METER_CACHE_WRITE, 10000, FLAG_PARENT_RATE}, {METER_OUTPUT, 30000, 0},
		{METER_REASONING, 30000, FLAG_PARENT_RATE}, {METER_AUDIO_INPUT, 10000, FLAG_PARENT_RATE},
		{METER_AUDIO_OUTPUT, 30000, FLAG_PARENT_RATE}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct meters tokens = {{0}};

		tokens.count[cases[i].meter] = 10;
		assert_int_equal(cost_of(&price, &tokens, "").nano, cases[i].nano);
		assert_int_equal(cost_of(&price, &tokens, "").flags, cases[i].flags);
	}
}

TEST(output_without_any_price_is_flagged_unpriced)
{
	struct price price = {.provider = "mistral",
		.model = "mistral-embed",
		.base = {{100000, NONE, NONE, NONE, NONE, NONE, NONE}}};
	struct meters input = {{[METER_INPUT] = 10}};
	struct meters both = {{[METER_INPUT] = 10, [METER_OUTPUT] = 5}};

	assert_int_equal(cost_of(&price, &input, "").flags, 0);
	assert_int_equal(cost_of(&price, &both, "").flags, FLAG_UNPRICED);
	assert_int_equal(cost_of(&price, &both, "").nano, 1000);
}

TEST(a_free_model_costs_nothing_and_has_no_flags)
{
	struct price price = {.provider = "ollama", .model = "llama3.3", .base = {{0, 0, 0, 0, 0, 0, 0}}};
	struct meters tokens = {{1000000, 2, 3, 4, 5, 6, 7}};

	assert_int_equal(cost_of(&price, &tokens, "").nano, 0);
	assert_int_equal(cost_of(&price, &tokens, "").flags, 0);
}

TEST(an_unknown_mode_is_refused_with_those_there_are)
{
	struct meters tokens = {{1}};
	struct cost cost = {.nano = 77};
	struct err err = {0};

	assert_false(price_cost(&terra, &tokens, (struct purchase){.mode = "turbo"}, &cost, &err));
	assert_string_equal(
		err.text, "mode: \"turbo\" has no price for this model; known: standard, batch, flex, priority");
	assert_int_equal(cost.nano, 77);
	assert_int_equal(cost_of(&terra, &tokens, "standard").nano, cost_of(&terra, &tokens, "").nano);
}

/* 1,000,000 USD per 1M tokens = 1 USD a token = 10^9 nano-USD: 9,007,199 tokens fit. */
static const struct price dear = {.provider = "p",
	.model = "m",
	.base = {{PRICE_MAX, NONE, NONE, NONE, NONE, NONE, NONE}},
	.modes = 1,
	.mode = {{"dear", 10000, 1}}};

TEST(a_cost_above_what_a_counter_holds_is_refused)
{
	struct meters fits = {{[METER_INPUT] = 9007199}};
	struct meters over = {{[METER_INPUT] = 9007200}};
	struct meters huge = {{INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}};
	struct meters below = {{[METER_OUTPUT] = -1}};
	struct err err = {0};
	struct cost cost;

	assert_int_equal(cost_of(&dear, &fits, "").nano, 9007199000000000);
	assert_false(price_cost(&dear, &over, (struct purchase){.mode = ""}, &cost, &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_false(price_cost(&dear, &huge, (struct purchase){.mode = "dear"}, &cost, &err));
	assert_false(price_cost(&dear, &below, (struct purchase){.mode = ""}, &cost, &err));
	assert_string_equal(err.field, "usage.output_tokens");
}

TEST(what_was_used_is_charged_whatever_its_mode_and_its_cost)
{
	const struct {
		const struct price *price;
		struct meters meters;
		const char *mode;
		int64_t nano;
		uint32_t flags;
	} cases[] = {
		{&terra, {{1000}}, "", 2000000, 0},
		{&terra, {{1000}}, "standard", 2000000, 0},
		{&terra, {{1000}}, "batch", 1000000, 0},
		{&terra, {{1000}}, "turbo", 2000000, FLAG_STANDARD_RATE | FLAG_UNPRICED},
		{&dear, {{9007199}}, "", 9007199000000000, 0},
		{&dear, {{9007200}}, "", COUNT_MAX, FLAG_CAPPED | FLAG_UNPRICED},
		{&dear, {{COUNT_MAX}}, "dear", COUNT_MAX, FLAG_CAPPED | FLAG_UNPRICED},
		{&dear, {{COUNT_MAX}}, "turbo", COUNT_MAX, FLAG_CAPPED | FLAG_STANDARD_RATE | FLAG_UNPRICED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cost cost;

		price_charge(cases[i].price, &cases[i].meters, (struct purchase){.mode = cases[i].mode}, &cost);
		assert_int_equal(cost.nano, cases[i].nano);
		assert_int_equal(cost.flags, cases[i].flags);
	}
}

TEST(lines_too_large_for_64_bits_saturate)
{
	struct price price = {.provider = "p",
		.model = "m",
		.base = {{1000, NONE, NONE, NONE, NONE, NONE, NONE}},
		.modes = 1,
		.mode = {{"dear", 10000, 1}}};
	struct meters tokens = {{[METER_INPUT] = 900000000000}};

	assert_int_equal(cost_of(&price, &tokens, "dear").nano, 9000000000000000);
	assert_int_equal(cost_of(&price, &tokens, "dear").pico_line[METER_INPUT], 9000000000000000000);
	price.base.pico[METER_CACHED_INPUT] = 0;
	tokens.count[METER_INPUT] = 900719925474;
	assert_int_equal(cost_of(&price, &tokens, "dear").pico_line[METER_INPUT], 9007199254740000000);
}

TEST(a_price_out_of_order_is_refused_with_its_field)
{
	struct price good = terra, price;
	struct err err = {0};

	for (int i = METER_KEPT_COUNT; i < METER_COUNT; i++)
		good.base.pico[i] = good.context[0].rates.pico[i] = NONE;
	assert_true(price_check(&good, &err));
#define REFUSED(change, field_) \
	do { \
		price = good; \
		change; \
		assert_false(price_check(&price, &err)); \
		assert_int_equal(err.code, ERR_INVALID); \
		assert_string_equal(err.field, field_); \
	} while (0)
	REFUSED(price.provider[0] = '\0', "provider");
	REFUSED(strcpy(price.provider, "open/ai"), "provider");
	REFUSED(price.model[0] = '\n', "model");
	REFUSED(strcpy(price.account, "u1"), "account");
	REFUSED(price.base.pico[METER_INPUT] = PRICE_NONE, "input");
	REFUSED(price.base.pico[METER_OUTPUT] = PRICE_MAX + 1, "output");
	REFUSED(price.base.pico[METER_CACHE_WRITE] = -2, "cache_write");
	REFUSED(price.context_tiers = CONTEXT_TIERS_MAX + 1, "context_tiers");
	REFUSED(price.context[0].above_tokens = 0, "context_tiers[0].above_tokens");
	REFUSED((price.context_tiers = 2, price.context[1] = price.context[0]), "context_tiers[1].above_tokens");
	REFUSED(price.context[0].rates.pico[METER_OUTPUT] = -5, "context_tiers[0].output");
	REFUSED(for (int i = 0; i < METER_COUNT; i++) price.context[0].rates.pico[i] = PRICE_NONE,
		"context_tiers[0].input");
	REFUSED(price.modes = MODES_MAX + 1, "modes");
	REFUSED(strcpy(price.mode[1].name, "batch"), "modes[1].mode");
	REFUSED(strcpy(price.mode[1].name, "standard"), "modes[1].mode");
	REFUSED(strcpy(price.mode[1].name, "Flex"), "modes[1].mode");
	REFUSED(price.mode[2].num = 0, "modes[2].numerator");
	REFUSED(price.mode[2].den = 10001, "modes[2].denominator");
	REFUSED(price.from_us = -1, "effective_from_us");
	REFUSED((price.from_us = 5, price.to_us = 5), "effective_to_us");
	REFUSED(strcpy(price.source, "\xff"), "source");
#undef REFUSED
}

static uint64_t rng;

static uint64_t draw(uint64_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng % below;
}

/* The same sum by schoolbook arithmetic on decimal digits, which shares nothing with the code under test. */
struct digits {
	uint8_t d[64]; /* the lowest first */
};

static void digits_add(struct digits *a, uint64_t x, uint64_t y, uint64_t z)
{
	struct digits p = {{0}};
	unsigned carry = 0;

	for (int i = 0; x; i++, x /= 10)
		p.d[i] = (uint8_t)(x % 10);
	for (int factor = 0; factor < 2; factor++) {
		uint64_t by = factor ? z : y;
		struct digits q = {{0}};

		for (int shift = 0; by; shift++, by /= 10) {
			carry = 0;
			for (int i = shift; i < 64; i++) {
				carry += q.d[i] + (unsigned)(by % 10) * p.d[i - shift];
				q.d[i] = (uint8_t)(carry % 10);
				carry /= 10;
			}
		}
		p = q;
	}
	carry = 0;
	for (int i = 0; i < 64; i++) {
		carry += a->d[i] + p.d[i];
		a->d[i] = (uint8_t)(carry % 10);
		carry /= 10;
	}
}

/* The quotient, rounded up; UINT64_MAX if it is larger. */
static uint64_t digits_div_up(const struct digits *a, uint64_t by)
{
	uint64_t rest = 0, quotient = 0;

	for (int i = 63; i >= 0; i--) {
		rest = rest * 10 + a->d[i];
		if (quotient > UINT64_MAX / 10 - 1)
			return UINT64_MAX;
		quotient = quotient * 10 + rest / by;
		rest %= by;
	}
	return quotient + (rest > 0);
}

static void random_price(struct price *price)
{
	*price = (struct price){.provider = "p", .model = "m"};
	for (int i = 0; i < METER_COUNT; i++) {
		price->base.pico[i] = draw(3) && i ? PRICE_NONE : (int64_t)draw(draw(2) ? 100000000 : 1 + PRICE_MAX);
		for (int k = 0; k < CONTEXT_TIERS_MAX; k++)
			price->context[k].rates.pico[i] = draw(2) && i ? PRICE_NONE : (int64_t)draw(100000000);
	}
	price->context_tiers = (int)draw(CONTEXT_TIERS_MAX + 1);
	for (int k = 0; k < CONTEXT_TIERS_MAX; k++)
		price->context[k].above_tokens =
			(k ? price->context[k - 1].above_tokens : 0) + 1 + (int64_t)draw(100000);
	price->modes = 1;
	strcpy(price->mode[0].name, "mode");
	price->mode[0].num = 1 + (int32_t)draw(draw(2) ? 5 : 10000);
	price->mode[0].den = 1 + (int32_t)draw(draw(2) ? 5 : 10000);
}

/* As docs/money.md says it. */
static int parent_in_words(int meter)
{
	const char *name = meter_name((enum meter)meter);

	if (strcmp(name, "cache_write_1h") == 0)
		return METER_CACHE_WRITE;
	if (strncmp(name, "cached_", 7) == 0 && strcmp(name, "cached_input") != 0)
		return METER_CACHED_INPUT;
	if (strcmp(name, "reasoning") == 0 || strcmp(name, "audio_output") == 0 || strcmp(name, "image_output") == 0)
		return METER_OUTPUT;
	if (meter <= METER_AUDIO_OUTPUT && meter != METER_OUTPUT)
		return METER_INPUT;
	return meter == METER_IMAGE_INPUT || meter == METER_VIDEO_INPUT || meter == METER_CITATION ? METER_INPUT
												   : meter;
}

static bool is_fee(int meter)
{
	return meter == METER_CACHE_STORAGE || meter == METER_CALLS || meter >= METER_WEB_SEARCHES;
}

static uint64_t cost_by_digits(const struct price *price, const struct meters *tokens, bool mode)
{
	const uint64_t num = mode ? (uint64_t)price->mode[0].num : 1, den = mode ? (uint64_t)price->mode[0].den : 1;
	const struct rates *tier = NULL;
	struct digits sum = {{0}};
	int64_t input = 0;

	for (int i = 0; i < METER_COUNT; i++)
		input +=
			strstr("input cached_input cache_write cache_write_1h audio_input cached_audio_input image_input "
			       "cached_image_input video_input citation",
				meter_name((enum meter)i))
				? tokens->count[i]
				: 0;
	for (int k = 0; k < price->context_tiers; k++)
		if (input > price->context[k].above_tokens)
			tier = &price->context[k].rates;
	for (int i = 0; i < METER_COUNT; i++) {
		int64_t rate = PRICE_NONE;

		for (int at = i, last = -1; at != last && rate == PRICE_NONE; last = at, at = parent_in_words(at)) {
			rate = tier ? tier->pico[at] : PRICE_NONE;
			if (rate == PRICE_NONE)
				rate = price->base.pico[at];
		}
		if (rate != PRICE_NONE)
			digits_add(&sum, (uint64_t)tokens->count[i], (uint64_t)rate, is_fee(i) ? den : num);
	}
	return digits_div_up(&sum, 1000 * den);
}

TEST(random_costs_equal_a_sum_by_decimal_digits)
{
	rng = 0x9e3779b97f4a7c15u;
	for (int round = 0; round < 5000; round++) {
		struct meters tokens;
		struct price price;
		struct err err = {0};
		struct cost cost;
		bool mode = draw(2);
		uint64_t expected;

		random_price(&price);
		for (int i = 0; i < METER_COUNT; i++)
			tokens.count[i] =
				(int64_t)draw(draw(4) || i >= METER_CACHE_STORAGE ? 300000 : (uint64_t)COUNT_MAX / 16);
		assert_true(price_check(&price, &err));
		expected = cost_by_digits(&price, &tokens, mode);
		if (!price_cost(&price, &tokens, (struct purchase){.mode = mode ? "mode" : ""}, &cost, &err))
			assert_true(expected > (uint64_t)COUNT_MAX);
		else
			assert_int_equal(cost.nano, expected);
	}
}

TEST(without_a_mode_the_lines_sum_up_to_the_cost)
{
	rng = 42;
	for (int round = 0; round < 20000; round++) {
		struct price price;
		struct meters tokens;
		struct err err = {0};
		struct cost cost;
		int64_t sum = 0;

		random_price(&price);
		for (int i = 0; i < METER_COUNT; i++) {
			price.base.pico[i] %= 100000000;
			tokens.count[i] = (int64_t)draw(1000000);
		}
		assert_true(price_cost(&price, &tokens, (struct purchase){.mode = ""}, &cost, &err));
		for (int i = 0; i < METER_COUNT; i++) {
			assert_true(tokens.count[i] == 0 || cost.pico_line[i] == cost.rate[i] * tokens.count[i]);
			sum += cost.pico_line[i];
		}
		assert_int_equal(cost.nano, (sum + 999) / 1000);
	}
}
