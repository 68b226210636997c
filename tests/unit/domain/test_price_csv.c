/* Price lists as CSV: what is read, and how errors are named. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/price/price_csv.h"
#include "lib/test.h"

#define HEADER "provider,model,input_usd_per_1m,output_usd_per_1m,source\n"

static struct price_sheet parsed(const char *text)
{
	struct price_sheet list;
	struct err err = {0};

	if (!price_csv_parse(text, strlen(text), &list, &err))
		fail_msg("%s", err.text);
	return list;
}

static void refused(const char *text, const char *sentence)
{
	struct price_sheet list;
	struct err err = {0};

	assert_false(price_csv_parse(text, strlen(text), &list, &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.text, sentence);
	assert_int_equal(list.count, 0);
}

TEST(a_row_holds_every_part_of_a_price)
{
	struct price_sheet list = parsed(
		"provider,model,input_usd_per_1m,output_usd_per_1m,context_tiers,rates,modes,mode_rates,regions,hours\n"
		"p,m,2,8,\"32000:input=3,output=9 >=128000:input=4\",web_searches=10 cache_write_1h=6,batch=1/2,"
		"flex:input=1 batch>32000:input=1.6,us=11/10,16:30-00:30=1/2\n"
		"p,images,,,,output_images=0.04,,,,\n");
	const struct price *price = list.prices;

	assert_int_equal(
		list.given & (PRICE_GIVEN_RATE(METER_INPUT) | PRICE_GIVEN_CONTEXTS | PRICE_GIVEN_MODE_RATES) ? 1 : 0,
		1);
	assert_true((list.given & PRICE_GIVEN_CONTEXTS) == PRICE_GIVEN_CONTEXTS);
	assert_true((list.given & price_given_rare()) == price_given_rare());
	assert_false(list.given & PRICE_GIVEN_RATE(METER_CACHED_INPUT) ? true : false);
	assert_int_equal(price->context_tiers, 2);
	assert_int_equal(price->context[1].above_tokens, 127999);
	assert_int_equal(price->context[0].rates.pico[METER_OUTPUT], 9000000);
	assert_int_equal(price->base.pico[METER_WEB_SEARCHES], 10000000000);
	assert_int_equal(price->modes, 2);
	assert_string_equal(price->mode[1].name, "flex");
	assert_int_equal(price->mode[1].num, price->mode[1].den);
	assert_int_equal(price->mode_rates, 2);
	assert_int_equal(price->mode_rate[1].above_tokens, 32000);
	assert_int_equal(price->regions, 1);
	assert_int_equal(price->hours, 1);
	assert_int_equal(list.prices[1].base.pico[METER_INPUT], PRICE_NONE);
	assert_int_equal(list.prices[1].base.pico[METER_OUTPUT_IMAGES], 40000000000);
	price_sheet_release(&list);
	refused("provider,model,input_usd_per_1m\np,m,\n", "line 2: input: is missing; write 0 for a free model");
	refused("provider,model,input_usd_per_1m,rates\np,m,1,searches=3\n",
		"line 2: rates: \"searches\" is not a meter; known are input, cached_input, cache_write_1h, web_searches "
		"and those of docs/money.md");
	refused("provider,model,input_usd_per_1m,mode_rates\np,m,1,batch>5:input=3\n",
		"line 2: mode_rates[0]: applies above 5 tokens, but the price has no context tier there");
}

TEST(a_row_becomes_a_price)
{
	struct price_sheet list = parsed(
		"provider,model,input_usd_per_1m,output_usd_per_1m,cached_input_usd_per_1m,cache_write_usd_per_1m,"
		"reasoning_usd_per_1m,audio_input_usd_per_1m,audio_output_usd_per_1m,context_threshold_tokens,input_"
		"above,"
		"output_above,cached_input_above,cache_write_above,modes,effective_from,effective_to,source\n"
		"openai,gpt-x,2.5,15,0.25,3.125,,4,,272000,5,22.5,0.5,,batch=1/2 priority=9/5,2026-07-30,"
		"2026-09-01T12:30:15Z,\"a, \"\"b\"\"\"\n");
	const struct price *price = list.prices;

	assert_int_equal(list.count, 1);
	assert_int_equal(list.lines[0], 2);
	assert_string_equal(price->provider, "openai");
	assert_string_equal(price->model, "gpt-x");
	assert_string_equal(price->source, "a, \"b\"");
	assert_int_equal(price->base.pico[METER_INPUT], 2500000);
	assert_int_equal(price->base.pico[METER_OUTPUT], 15000000);
	assert_int_equal(price->base.pico[METER_CACHED_INPUT], 250000);
	assert_int_equal(price->base.pico[METER_CACHE_WRITE], 3125000);
	assert_int_equal(price->base.pico[METER_REASONING], PRICE_NONE);
	assert_int_equal(price->base.pico[METER_AUDIO_INPUT], 4000000);
	assert_int_equal(price->context_tiers, 1);
	assert_int_equal(price->context[0].above_tokens, 272000);
	assert_int_equal(price->context[0].rates.pico[METER_INPUT], 5000000);
	assert_int_equal(price->context[0].rates.pico[METER_CACHED_INPUT], 500000);
	assert_int_equal(price->context[0].rates.pico[METER_CACHE_WRITE], PRICE_NONE);
	assert_int_equal(price->modes, 2);
	assert_string_equal(price->mode[1].name, "priority");
	assert_int_equal(price->mode[1].num, 9);
	assert_int_equal(price->mode[1].den, 5);
	assert_int_equal(price->from_us, 1785369600000000);
	assert_int_equal(price->to_us, 1788265815000000);
	price_sheet_release(&list);
}

TEST(line_ends_blank_lines_and_the_byte_order_mark_do_not_matter)
{
	struct price_sheet list = parsed("\xef\xbb\xbfmodel,provider,input_usd_per_1m\r\n\r\nm1,p,1\r\n\nm2,p,0.5");

	assert_int_equal(list.count, 2);
	assert_string_equal(list.prices[1].model, "m2");
	assert_int_equal(list.lines[0], 3);
	assert_int_equal(list.lines[1], 5);
	price_sheet_release(&list);
	list = parsed(HEADER);
	assert_int_equal(list.count, 0);
	price_sheet_release(&list);
}

TEST(days_are_counted_in_utc)
{
	static const struct {
		const char *day;
		int64_t s;
	} cases[] = {{"1970-01-02", 86400}, {"2000-02-29", 951782400}, {"2024-02-29", 1709164800},
		{"2026-12-31", 1798675200}, {"2027-01-01", 1798761600}, {"2100-03-01", 4107542400}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[128];
		struct price_sheet list;

		snprintf(
			text, sizeof(text), "provider,model,input_usd_per_1m,effective_from\np,m,1,%s\n", cases[i].day);
		list = parsed(text);
		assert_int_equal(list.prices[0].from_us, cases[i].s * 1000000);
		price_sheet_release(&list);
	}
}

TEST(what_is_wrong_is_named_with_line_and_column)
{
	refused("", "line 1: header: is missing; the first line must name the columns");
	refused("provider,model\n", "line 1: header: the column input_usd_per_1m is missing");
	refused("provider,model,input_usd_per_1m,model\n", "line 1: header: the column model is listed twice");
	refused("provider,model,input_usd_per_1m,input\n",
		"line 1: header: unknown column \"input\"; known columns: provider, model, input_usd_per_1m, "
		"output_usd_per_1m and those of docs/money.md");
	refused(HEADER "p,m,1\n", "line 2: row: has 3 fields, but the header has 5");
	refused(HEADER "p,m,1,2,s,\n", "line 2: row: has 6 fields, but the header has 5");
	refused(HEADER "p,m,1,2,s\np,n,1e3,2,s\n",
		"line 3: input_usd_per_1m: \"1e3\" is not a price; write USD per 1M tokens as digits, like 0.075");
	refused(HEADER "p,m,1,0.0000001,s\n",
		"line 2: output_usd_per_1m: 0.0000001 is finer than 0.000001 USD per 1M tokens");
	refused(HEADER "p,m,1,1000000.5,s\n",
		"line 2: output_usd_per_1m: 1000000.5 is above 1000000 USD per 1M tokens");
	refused(HEADER "p,m,,2,s\n", "line 2: input: is missing; write 0 for a free model");
	refused(HEADER ",m,1,2,s\n", "line 2: provider: is empty; 1 to 128 bytes are needed");
	refused(HEADER "p,\"m\n\",1,2,s\n", "line 2, field 2: the closing quote is missing on this line");
	refused(HEADER "p,\"m\"x,1,2,s\n",
		"line 2, field 2: double each quote inside quotes, and put a comma after the closing quote");
	refused(HEADER "p,m\"x,1,2,s\n",
		"line 2, field 2: quote inside a field; put the field into quotes and double it");
	refused(HEADER "p,m\xff,1,2,s\n", "line 2, field 1: is not valid UTF-8");
	refused(HEADER "p,m,1,2,s\nq,m,1,2,s\np,m,3,4,s\n",
		"line 4: model: p/m is also in force in line 2; give them dates that do not overlap");
}

TEST(dates_modes_and_thresholds_are_checked)
{
#define DATED "provider,model,input_usd_per_1m,effective_from,effective_to\n"
	refused(DATED "p,m,1,2026-02-29,\n",
		"line 2: effective_from: 2026-02-29 is not a day of the calendar since 1970");
	refused(DATED "p,m,1,1969-12-31,\n",
		"line 2: effective_from: 1969-12-31 is not a day of the calendar since 1970");
	refused(DATED "p,m,1,2026-13-01,\n",
		"line 2: effective_from: 2026-13-01 is not a day of the calendar since 1970");
	refused(DATED "p,m,1,30.7.2026,\n",
		"line 2: effective_from: \"30.7.2026\" is not a date; write 2026-07-30 or 2026-07-30T16:30:00Z");
	refused(DATED "p,m,1,2026-07-30,2026-07-30\n", "line 2: effective_to_us: is not after effective_from_us");
	refused(DATED "p,m,1,,2026-07-31\np,m,1,2026-07-30,\n",
		"line 3: model: p/m is also in force in line 2; give them dates that do not overlap");
#define MODED "provider,model,input_usd_per_1m,modes\n"
	refused(MODED "p,m,1,batch=half\n",
		"line 2: modes: \"batch=half\" is not a list of modes; write batch=1/2 flex=1/2");
	refused(MODED "p,m,1,batch=1/0\n", "line 2: modes[0].denominator: 0 is not between 1 and 10000");
	refused(MODED "p,m,1,a=1/2 b=1/2 c=1/2 d=1/2 e=1/2 f=1/2 g=1/2\n", "line 2: modes: has more than 6 entries");
#define TIERED "provider,model,input_usd_per_1m,context_threshold_tokens,input_above\n"
	refused(TIERED "p,m,1,,5\n", "line 2: context_threshold_tokens: is missing, but there is a price above it");
	refused(TIERED "p,m,1,200k,5\n",
		"line 2: context_threshold_tokens: \"200k\" is not a number of tokens; write 200000");
	refused(TIERED "p,m,1,200000,\n", "line 2: context_tiers[0].input: is missing; a context tier needs a rate "
					  "of its own, usually that of the input");
}

TEST(adjacent_rows_of_one_model_are_accepted)
{
	struct price_sheet list = parsed(DATED "p,m,2,2026-07-30,\np,m,1,,2026-07-30\nq,m,1,,\n");

	assert_int_equal(list.count, 3);
	price_sheet_release(&list);
}

TEST(sizes_are_bounded)
{
	size_t size = PRICE_CSV_BYTES_MAX + 1;
	char *text = calloc(1, size + 64);
	struct price_sheet list;
	struct err err = {0};
	int at;

	assert_false(price_csv_parse(text, size, &list, &err));
	assert_string_equal(err.text, "file: is 8388609 bytes long; a price list has at most 8 MiB");
	assert_false(price_csv_parse(text, 3, &list, &err));
	assert_string_equal(err.text, "line 1, field 1: has a NUL byte; the file must be CSV text");
	at = sprintf(text, HEADER "p,");
	memset(text + at, 'm', 129);
	strcpy(text + at + 129, ",1,2,s\n");
	refused(text, "line 2: model: is 129 bytes long; at most 128 are allowed");
	memset(text + at, 'm', 9000);
	strcpy(text + at + 9000, ",1,2,s\n");
	refused(text, "line 2, field 2: the row is longer than 8 KiB");
	at = sprintf(text, HEADER);
	for (int i = 0; i < PRICE_CSV_ROWS_MAX + 1; i++)
		at += sprintf(text + at, "p,m%d,1,2,s\n", i);
	refused(text, "line 10002: row: at most 10000 rows are allowed");
	memset(text, ',', 300);
	text[300] = '\0';
	refused(text, "line 1, field 257: a row has at most 256 fields");
	free(text);
}
