/* What requests cost beyond plain tokens: meters, rates of modes, regions, hours; figures worked by hand. */
#include <string.h>

#include "base/units.h"
#include "domain/limit/limit.h"
#include "domain/price/price_change.h"
#include "domain/price/price_text.h"
#include "lib/modes_text.h"
#include "lib/test.h"

/* A price from texts, in the units that people write. */
static struct price price_of(const char *rates, const char *contexts, const char *modes, const char *mode_rates,
	const char *regions, const char *hours)
{
	struct price price = {.provider = "p", .model = "m"};
	struct err err = {0};

	rates_clear(&price.base);
	if (!rates_parse(rates, "rates", &price.base, &err) ||
		!contexts_parse(contexts, "context_tiers", &price, &err) ||
		!modes_parse(modes, "modes", &price, &err) ||
		!mode_rates_parse(mode_rates, "mode_rates", &price, &err) ||
		!regions_parse(regions, "regions", &price, &err) || !hours_parse(hours, "hours", &price, &err))
		fail_msg("%s", err.text);
	price_modes_settle(&price);
	if (!price_check(&price, &err))
		fail_msg("%s", err.text);
	return price;
}

static struct cost cost_at(const struct price *price, struct meters meters, const char *mode, int64_t at_us)
{
	struct err err = {0};
	struct cost cost;

	if (!price_cost(price, &meters, (struct purchase){.mode = mode, .at_us = at_us}, &cost, &err))
		fail_msg("%s", err.text);
	return cost;
}

static int64_t nano(const struct price *price, struct meters meters, const char *mode)
{
	return cost_at(price, meters, mode, 0).nano;
}

#define METERS_OF(...) ((struct meters){.count = {__VA_ARGS__}})

/* Claude with an hour's cache and searches: 3 in, 15 out, cached 0.3, write 3.75, an hour's write 6; 10 USD per 1,000 searches. */
TEST(an_hours_cache_and_searches_have_their_own_rates)
{
	struct price price =
		price_of("input=3 output=15 cached_input=0.3 cache_write=3.75 cache_write_1h=6 web_searches=10", "",
			"batch=1/2", "", "", "");
	struct meters used = METERS_OF([METER_INPUT] = 100, [METER_CACHE_WRITE] = 1000, [METER_CACHE_WRITE_1H] = 2000,
		[METER_OUTPUT] = 10, [METER_WEB_SEARCHES] = 3);

	/* 300,000 + 3,750,000 + 12,000,000 + 150,000 nano-USD of tokens and 30,000,000 of searches */
	assert_int_equal(nano(&price, used, ""), 46200000);
	/* Half of the tokens, and all of the searches: a fee does not follow the mode. */
	assert_int_equal(nano(&price, used, "batch"), 38100000);
	assert_int_equal(cost_at(&price, used, "", 0).flags, 0);
}

TEST(what_has_no_rate_costs_its_parents_or_is_flagged)
{
	struct price price = price_of("input=2 cached_input=0.5 output=8", "", "", "", "", "");
	static const struct {
		enum meter meter;
		int64_t nano; /* of 1,000 */
		uint32_t flags;
	} cases[] = {
		{METER_CACHE_WRITE_1H, 2000000, FLAG_PARENT_RATE},
		{METER_CACHED_AUDIO_INPUT, 500000, FLAG_PARENT_RATE},
		{METER_IMAGE_INPUT, 2000000, FLAG_PARENT_RATE},
		{METER_CACHED_IMAGE_INPUT, 500000, FLAG_PARENT_RATE},
		{METER_IMAGE_OUTPUT, 8000000, FLAG_PARENT_RATE},
		{METER_VIDEO_INPUT, 2000000, FLAG_PARENT_RATE},
		{METER_WEB_SEARCHES, 0, FLAG_UNPRICED},
		{METER_OUTPUT_IMAGES, 0, FLAG_UNPRICED},
		{METER_CALLS, 0, FLAG_UNPRICED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct meters used = {.count = {[METER_INPUT] = 0}};

		used.count[cases[i].meter] = 1000;
		assert_int_equal(cost_at(&price, used, "", 0).nano, cases[i].nano);
		assert_int_equal(cost_at(&price, used, "", 0).flags, cases[i].flags);
	}
}

/* The cached rate of Gemini's batch is that of the standard: no half of it. Above 200,000 it is 0.25 (and not 0.125). */
TEST(a_mode_has_its_own_rate_where_its_ratio_would_be_wrong)
{
	struct price price =
		price_of("input=1.25 cached_input=0.125 output=10", "200000:input=2.5,cached_input=0.25,output=15",
			"batch=1/2", "batch:cached_input=0.125 batch>200000:cached_input=0.25", "", "");
	struct meters low = METERS_OF([METER_INPUT] = 1000, [METER_CACHED_INPUT] = 1000, [METER_OUTPUT] = 100);
	struct meters high = METERS_OF([METER_INPUT] = 200000, [METER_CACHED_INPUT] = 1000);

	/* 625,000 + 125,000 + 500,000 */
	assert_int_equal(nano(&price, low, "batch"), 1250000);
	/* 200,000 x 1,250 + 1,000 x 250 */
	assert_int_equal(nano(&price, high, "batch"), 250250000);
	assert_int_equal(nano(&price, high, ""), 500250000);
}

TEST(a_tier_without_the_modes_own_rate_follows_the_ratio)
{
	struct price price =
		price_of("input=2 output=8", "1000:input=4", "batch=1/2", "batch:input=1.5 batch:output=3", "", "");
	struct meters low = METERS_OF([METER_INPUT] = 1000, [METER_OUTPUT] = 1000);
	struct meters high = METERS_OF([METER_INPUT] = 2000, [METER_OUTPUT] = 1000);

	assert_int_equal(nano(&price, low, "batch"), 4500000);
	/* The tier has a rate for input, which the mode halves; for output it has none, so the mode's own remains. */
	assert_int_equal(nano(&price, high, "batch"), 4000000 + 3000000);
}

TEST(a_region_is_charged_on_top_of_the_mode_but_not_on_fees)
{
	struct price price =
		price_of("input=3 output=15 web_searches=10", "", "batch=1/2", "batch:output=9", "us=11/10", "");
	struct meters used = METERS_OF([METER_INPUT] = 1000, [METER_OUTPUT] = 1000, [METER_WEB_SEARCHES] = 1);
	struct err err = {0};
	struct cost cost;

	assert_int_equal(nano(&price, used, "@us"), 3300000 + 16500000 + 10000000);
	assert_int_equal(nano(&price, used, "batch@us"), 1650000 + 9900000 + 10000000);
	assert_int_equal(nano(&price, used, "@global"), 28000000);
	assert_int_equal(nano(&price, used, "standard@us"), 29800000);
	assert_false(price_cost(&price, &used, (struct purchase){.mode = "batch@mars"}, &cost, &err));
	assert_string_equal(err.text, "mode: \"@mars\" has no price for this model; known: @global, @us");
	price_charge(&price, &used, (struct purchase){.mode = "batch@mars"}, &cost);
	assert_int_equal(cost.flags, FLAG_STANDARD_RATE | FLAG_UNPRICED);
	/* A price without regions is the same everywhere. */
	price.regions = 0;
	assert_int_equal(nano(&price, used, "@mars"), 28000000);
}

#define MINUTES(day, hour, minute) ((((day)*INT64_C(24) + (hour)) * 60 + (minute)) * 60000000)

/* Day 4 of 1970 is Monday, the 5th of January. */
TEST(hours_are_of_the_day_on_which_they_begin)
{
	struct price price = price_of("input=1", "", "", "", "", "mon-fri@16:30-00:30=1/2 sat@00:00-24:00=1/4");
	static const struct {
		int64_t at_us, nano; /* of 1,000,000 tokens */
	} cases[] = {
		{MINUTES(4, 16, 29), 1000000000},
		{MINUTES(4, 16, 30), 500000000},
		{MINUTES(4, 23, 59), 500000000},
		{MINUTES(5, 0, 29), 500000000},
		{MINUTES(5, 0, 30), 1000000000},
		/* Monday at 00:10 belongs to Sunday's hours, of which there are none. */
		{MINUTES(4, 0, 10), 1000000000},
		/* Saturday at 00:10 is still Friday's half price: the first that contains the time counts. */
		{MINUTES(9, 0, 10), 500000000},
		{MINUTES(9, 0, 31), 250000000},
		{MINUTES(9, 23, 59), 250000000},
		{MINUTES(10, 0, 0), 1000000000},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
			cost_at(&price, METERS_OF([METER_INPUT] = 1000000), "", cases[i].at_us).nano, cases[i].nano);
}

TEST(hours_have_an_offset_from_utc)
{
	struct price price = price_of("input=1", "", "", "", "", "mon@09:00-12:00+08:00=2/1 mon@09:00-12:00-03:30=3/1");
	struct meters used = METERS_OF([METER_INPUT] = 1000);

	assert_int_equal(cost_at(&price, used, "", MINUTES(4, 0, 59)).nano, 1000000);
	assert_int_equal(cost_at(&price, used, "", MINUTES(4, 1, 0)).nano, 2000000);
	assert_int_equal(cost_at(&price, used, "", MINUTES(4, 4, 0)).nano, 1000000);
	assert_int_equal(cost_at(&price, used, "", MINUTES(4, 12, 30)).nano, 3000000);
	assert_int_equal(cost_at(&price, used, "", MINUTES(4, 15, 30)).nano, 1000000);
}

#define AT(day_s, hour, minute) (((day_s) + (hour)*INT64_C(3600) + (minute)*INT64_C(60)) * 1000000)
enum { JULY = 1782864000, DECEMBER = 1796083200 }; /* midnight UTC of the first, 2026 */

TEST(hours_follow_the_clocks_of_a_zone)
{
	struct price price = price_of("input=1", "", "", "", "", "09:00-17:00[America/New_York]=2/1");
	struct meters used = METERS_OF([METER_INPUT] = 1000);

	assert_int_equal(cost_at(&price, used, "", AT(JULY, 12, 59)).nano, 1000000); /* 08:59 EDT */
	assert_int_equal(cost_at(&price, used, "", AT(JULY, 13, 0)).nano, 2000000);
	assert_int_equal(cost_at(&price, used, "", AT(JULY, 21, 0)).nano, 1000000);
	assert_int_equal(cost_at(&price, used, "", AT(DECEMBER, 13, 59)).nano, 1000000); /* 08:59 EST */
	assert_int_equal(cost_at(&price, used, "", AT(DECEMBER, 14, 0)).nano, 2000000);
	assert_int_equal(cost_at(&price, used, "", AT(DECEMBER, 21, 59)).nano, 2000000);
}

TEST(a_zone_that_does_not_exist_is_refused)
{
	struct price price = price_of("input=1", "", "", "", "", "");
	struct err err = {0};

	assert_true(hours_parse("09:00-17:00[America/Gotham]=2/1", "hours", &price, &err));
	assert_false(price_check(&price, &err));
	assert_non_null(strstr(err.text, "hours[0]: time_zone: unknown zone"));
}

/* A ratio of a mode, a region and an hour: 1,000 x 1 x 1/3 x 11/10 x 1/2 = 183.33, rounded up once. */
TEST(ratios_multiply_and_the_sum_is_rounded_once)
{
	struct price price = price_of("input=0.001 calls=0.000001", "", "third=1/3", "", "us=11/10", "00:00-24:00=1/2");
	struct meters used = METERS_OF([METER_INPUT] = 1000, [METER_CALLS] = 1);

	/* 1,000 pico-USD of 1,000 tokens at 1,000 each, 1,000,000 x 11/60 = 183,333.3; and a call of 1,000 pico-USD */
	assert_int_equal(cost_at(&price, used, "third@us", 0).nano, 185);
}

TEST(a_threshold_includes_its_number_if_written_so)
{
	struct price price = price_of("input=1", ">=200000:input=2", "", "", "", "");

	assert_int_equal(price.context[0].above_tokens, 199999);
	assert_int_equal(nano(&price, METERS_OF([METER_INPUT] = 199999), ""), 199999000);
	assert_int_equal(nano(&price, METERS_OF([METER_INPUT] = 200000), ""), 400000000);
}

TEST(the_largest_usage_of_everything_does_not_overflow)
{
	struct price price = price_of("calls=1000000", "", "dear=10000/1", "", "far=1000/1", "00:00-24:00=1000/1");
	struct meters all = {.count = {0}};
	struct cost cost;

	for (int i = 0; i < METER_COUNT; i++) {
		bool tokens = meter_rows[i].side != SIDE_NONE;

		price.base.pico[i] = meter_unit_rows[meter_rows[i].unit].per == 1000000 ? PRICE_MAX : PRICE_OTHER_MAX;
		all.count[i] = tokens ? COUNT_MAX / 14 : METER_OTHER_MAX;
	}
	assert_true(meters_check(&all, "usage", NULL));
	price_charge(&price, &all, (struct purchase){.mode = "dear@far", .at_us = 0}, &cost);
	assert_int_equal(cost.nano, COUNT_MAX);
	assert_int_equal(cost.flags, FLAG_CAPPED | FLAG_UNPRICED);
}

TEST(lists_are_read_as_they_are_written)
{
	struct price price =
		price_of("input=2.5 cache_write_1h=6 web_searches=10 output_images=0.04 audio_seconds=0.0001", "",
			"batch=1/2 flex=3/4", "batch:input=1.1", "eu=12/10 us=11/10",
			"16:30-00:30=1/2 mon-wed,sat@09:00-12:00+08:00=2/1 09:00-17:00[Europe/Berlin]=2/1");
	struct buf text = {0};

	rates_format(&price.base, METERS_KEPT_MASK, &text);
	assert_string_equal(buf_str(&text), "cache_write_1h=6 audio_seconds=0.0001 output_images=0.04 web_searches=10");
	buf_reset(&text);
	mode_rates_format(&price, &text);
	assert_string_equal(buf_str(&text), "batch:input=1.1");
	buf_reset(&text);
	modes_format(&price, &text);
	regions_format(&price, &text);
	assert_string_equal(buf_str(&text), "batch=1/2 flex=3/4eu=12/10 us=11/10");
	buf_reset(&text);
	hours_format(&price, &text);
	assert_string_equal(
		buf_str(&text), "16:30-00:30=1/2 mon-wed,sat@09:00-12:00+08:00=2/1 09:00-17:00[Europe/Berlin]=2/1");
	buf_release(&text);
}

TEST(what_is_no_list_is_refused_with_what_would_be_right)
{
	static const struct {
		bool (*parse)(const char *, const char *, struct price *, struct err *);
		const char *text, *error;
	} cases[] = {
		{mode_rates_parse, "batch=1/2",
			"f: \"batch=1/2\" is not a mode's rate; write batch:cached_input=0.25 or batch>200000:cached_input=0.5"},
		{mode_rates_parse, "batch>x:input=1",
			"f: \"batch>x:input=1\" is not a mode's rate; write batch:cached_input=0.25 or "
			"batch>200000:cached_input=0.5"},
		{mode_rates_parse, "batch:inputs=1",
			"f: \"inputs\" is not a meter; known are input, cached_input, cache_write_1h, web_searches and those "
			"of docs/money.md"},
		{regions_parse, "us=1.1", "f: \"us=1.1\" is not a list of regions; write us=11/10"},
		{hours_parse, "25:00-26:00=1/2",
			"f: \"25:00-26:00=1/2\" is not a time of day; write 16:30-00:30=1/2 (UTC), "
			"mon-fri@09:00-12:00+08:00=2/1 or 09:00-17:00[Europe/Berlin]=2/1"},
		{hours_parse, "mon-xyz@09:00-12:00=1/2",
			"f: \"mon-xyz@09:00-12:00=1/2\" is not a time of day; write 16:30-00:30=1/2 (UTC), "
			"mon-fri@09:00-12:00+08:00=2/1 or 09:00-17:00[Europe/Berlin]=2/1"},
		{contexts_parse, "200k:input=2",
			"f: \"200k:input=2\" is not a context tier; write 200000:input=4,output=15"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct price price = {.provider = "p", .model = "m"};
		struct err err = {0};

		assert_false(cases[i].parse(cases[i].text, "f", &price, &err));
		assert_string_equal(err.text, cases[i].error);
	}
}

TEST(units_of_prices_are_those_of_providers)
{
	static const struct {
		enum meter meter;
		const char *text;
		int64_t pico;
	} cases[] = {{METER_INPUT, "2.5", 2500000}, {METER_WEB_SEARCHES, "10", 10000000000},
		{METER_WEB_SEARCHES, "0.000000001", 1}, {METER_OUTPUT_IMAGES, "0.04", 40000000000},
		{METER_AUDIO_SECONDS, "0.0001", 100000000}, {METER_CHARACTERS, "15", 15000000},
		{METER_PAGES, "1.5", 1500000000}, {METER_CACHE_STORAGE, "4.5", 4500000}};
	char text[32];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = {0};
		int64_t pico;

		assert_true(price_parse(cases[i].text, cases[i].meter, "f", &pico, &err));
		assert_int_equal(pico, cases[i].pico);
		price_format(pico, cases[i].meter, text);
		assert_string_equal(text, cases[i].text);
	}
}

TEST(a_part_that_a_list_does_not_give_stays)
{
	struct price before = price_of("input=2 output=8 web_searches=10", "", "batch=1/2 flex=1/2",
		"flex:output=5 batch:input=1.5", "us=11/10", "16:30-00:30=1/2");
	struct price price = price_of("input=3", "", "", "batch:input=1.6", "", "");
	struct buf text = {0};

	/* As merged from a message that has only these: the mode named by its rate keeps its ratio. */
	price.mode[0].num = price.mode[0].den = 0;
	assert_true(price_fill(&price,
		PRICE_GIVEN_RATE(METER_INPUT) | PRICE_MERGED_CONTEXT | PRICE_MERGED_MODES | PRICE_GIVEN_MODE_RATES,
		&before, NULL));
	modes_format(&price, &text);
	assert_string_equal(buf_str(&text), "batch=1/2 flex=1/2");
	buf_reset(&text);
	mode_rates_format(&price, &text);
	assert_string_equal(buf_str(&text), "batch:input=1.6");
	assert_int_equal(price.base.pico[METER_WEB_SEARCHES], 10000000000);
	assert_int_equal(price.regions, 1);
	assert_int_equal(price.hours, 1);
	assert_false(price_costs_same(&price, &before));
	buf_release(&text);
}
