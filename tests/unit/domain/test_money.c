/* Money as text. */
#include <string.h>

#include "domain/limit/limit.h"
#include "domain/price/price.h"
#include "lib/test.h"

TEST(prices_are_read_exactly_to_the_pico_dollar)
{
	static const struct {
		const char *text;
		int64_t pico;
	} cases[] = {
		{"0", 0},
		{"0.075", 75000},
		{"0.003625", 3625},
		{"0.0028", 2800},
		{"0.0375", 37500},
		{"30", 30000000},
		{"2.50", 2500000},
		{"2.5000000000", 2500000},
		{".5", 500000},
		{"5.", 5000000},
		{"000001", 1000000},
		{"0.000001", 1},
		{"1000000", PRICE_MAX},
		{"", PRICE_NONE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = {0};
		int64_t pico = -7;

		assert_true(price_parse(cases[i].text, METER_INPUT, "input", &pico, &err));
		assert_int_equal(pico, cases[i].pico);
	}
}

TEST(an_invalid_price_is_refused_with_its_field)
{
	static const char *const bad[] = {"-1", "+1", " 1", "1 ", "1e3", "1,5", "$2", ".", "1.2.3", "0.0000001",
		"1000000.1", "1000001", "NaN", "inf", "0x10", "99999999999999999999", "9223372036854.775808",
		"1\xc3\xa9"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = {0};
		int64_t pico = -7;

		assert_false(price_parse(bad[i], METER_INPUT, "price.input", &pico, &err));
		assert_int_equal(pico, -7);
		assert_int_equal(err.code, ERR_INVALID);
		assert_string_equal(err.field, "price.input");
	}
}

TEST(every_price_survives_writing_and_reading)
{
	static const struct {
		int64_t pico;
		const char *text;
	} cases[] = {{0, "0"}, {1, "0.000001"}, {75000, "0.075"}, {2500000, "2.5"}, {10000000, "10"},
		{3625, "0.003625"}, {PRICE_MAX, "1000000"}, {PRICE_NONE, ""}, {1234567, "1.234567"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = {0};
		char text[32];
		int64_t pico;

		price_format(cases[i].pico, METER_INPUT, text);
		assert_string_equal(text, cases[i].text);
		assert_true(price_parse(text, METER_INPUT, "x", &pico, &err));
		assert_int_equal(pico, cases[i].pico);
	}
}

TEST(amounts_show_two_to_nine_decimals)
{
	static const struct {
		int64_t nano;
		const char *text;
	} cases[] = {{0, "0.00"}, {1, "0.000000001"}, {250000000, "0.25"}, {12340000000, "12.34"},
		{12345000000, "12.345"}, {1000000000, "1.00"}, {-250000000, "-0.25"}, {COUNT_MAX, "9007199.254740991"},
		{INT64_MIN, "-9223372036.854775808"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[40];

		money_format(cases[i].nano, text);
		assert_string_equal(text, cases[i].text);
	}
}
