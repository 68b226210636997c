/* Public price lists: what is read of them, exactly, and what is listed because it cannot be a price. */
#include <stdio.h>
#include <string.h>

#include "domain/price/public/price_public.h"
#include "domain/price/price_text.h"
#include "domain/price/public/price_tree.h"
#include "lib/modes_text.h"
#include "lib/test.h"

#define NOW_US INT64_C(1795910400000000) /* 2026-11-29 */
#define LITELLM(name_, fields_) "{\"sample_spec\": {\"litellm_provider\": \"x\"}, \"" name_ "\": {" fields_ "}}"
#define GENAI(models_) "[{\"id\": \"x-ai\", \"pricing_urls\": [\"https://x\"], \"models\": [" models_ "]}]"

static struct price_public parsed(const char *text)
{
	struct price_public list;
	struct err err = {0};

	if (!price_public_parse(text, strlen(text), NOW_US, &list, &err))
		fail_msg("%s", err.text);
	return list;
}

static void refused(const char *text, const char *sentence)
{
	struct price_public list;
	struct err err = {0};

	assert_false(price_public_parse(text, strlen(text), NOW_US, &list, &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.text, sentence);
	assert_null(list.sheet.prices);
}

/* A price as text: rates; tiers; modes; rates of modes; regions; hours. */
static const char *shown(const struct price *price)
{
	static char out[2048];
	struct buf text = {0};

	rates_format(&price->base, 0, &text);
	for (int i = 0; i < price->context_tiers; i++) {
		buf_putf(&text, "; %lld: ", (long long)price->context[i].above_tokens);
		rates_format(&price->context[i].rates, 0, &text);
	}
	buf_put_str(&text, price->modes ? "; " : "");
	modes_format(price, &text);
	buf_put_str(&text, price->mode_rates ? "; " : "");
	mode_rates_format(price, &text);
	buf_put_str(&text, price->regions ? "; " : "");
	regions_format(price, &text);
	buf_put_str(&text, price->hours ? "; " : "");
	hours_format(price, &text);
	snprintf(out, sizeof(out), "%s", buf_str(&text));
	buf_release(&text);
	return out;
}

/* The list has one price, which reads so. */
static void reads(const char *text, const char *name, const char *price)
{
	struct price_public list = parsed(text);
	char found[2 * ID_MAX + 2];

	for (int i = 0; i < list.skipped_count; i++)
		print_message("%s: %s\n", list.skipped[i].field, list.skipped[i].why);
	assert_int_equal(list.skipped_count, 0);
	assert_int_equal(list.sheet.count, 1);
	snprintf(found, sizeof(found), "%s %s", list.sheet.prices[0].provider, list.sheet.prices[0].model);
	assert_string_equal(found, name);
	assert_string_equal(shown(&list.sheet.prices[0]), price);
	price_public_release(&list);
}

/* That part is left out; `count` prices remain. */
static void skips(const char *text, const char *field, const char *why, int count)
{
	struct price_public list = parsed(text);

	assert_true(list.skipped_count > 0);
	assert_string_equal(list.skipped[0].field, field);
	assert_string_equal(list.skipped[0].why, why);
	assert_int_equal(list.sheet.count, count);
	price_public_release(&list);
}

TEST(numbers_are_read_exactly_or_not_at_all)
{
	static const struct {
		const char *text;
		int scale;
		enum decimal status;
		int64_t value;
	} cases[] = {
		{"1.25e-06", 12, DECIMAL_OK, 1250000},
		{"0.00000125", 12, DECIMAL_OK, 1250000},
		{"3.625e-09", 12, DECIMAL_OK, 3625},
		{"1E-12", 12, DECIMAL_OK, 1},
		{"1e-13", 12, DECIMAL_FINE, 0},
		{"2.0751953125e-09", 12, DECIMAL_FINE, 0},
		{"5.000000000000001e-07", 12, DECIMAL_FINE, 0},
		{"0", 12, DECIMAL_OK, 0},
		{"0.0e-99", 12, DECIMAL_OK, 0},
		{"00120.500", 1, DECIMAL_OK, 1205},
		{"999999999999999999", 0, DECIMAL_OK, INT64_C(999999999999999999)},
		{"1000000000000000000", 0, DECIMAL_LARGE, 0},
		{"1e999999999999", 0, DECIMAL_LARGE, 0},
		{"1e-999999999999", 0, DECIMAL_FINE, 0},
		{"256000.0", 0, DECIMAL_OK, 256000},
		{"-1", 12, DECIMAL_BAD, 0},
		{"1.2.3", 12, DECIMAL_BAD, 0},
		{"1e", 12, DECIMAL_BAD, 0},
		{".", 12, DECIMAL_BAD, 0},
		{"NaN", 12, DECIMAL_BAD, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t value = 0;

		if (decimal_scale(cases[i].text, cases[i].scale, &value) != cases[i].status || value != cases[i].value)
			fail_msg("%s: %lld", cases[i].text, (long long)value);
	}
}

TEST(a_model_of_litellm_becomes_a_price)
{
	reads(LITELLM("gemini/gemini-x",
		      "\"litellm_provider\": \"gemini\", \"mode\": \"chat\", \"input_cost_per_token\": 1.25e-06, "
		      "\"output_cost_per_token\": 1e-05, \"cache_read_input_token_cost\": 1.25e-07, "
		      "\"input_cost_per_token_above_200k_tokens\": 2.5e-06, \"output_cost_per_token_above_200k_tokens\": "
		      "1.5e-05, \"max_tokens\": 8192, \"supports_vision\": true, \"metadata\": null"),
		"google gemini-x", "input=1.25 cached_input=0.125 output=10; 200000: input=2.5 output=15");
	reads(LITELLM("xai/grok-x", "\"litellm_provider\": \"xai\", \"input_cost_per_token\": 2e-06, "
				    "\"input_cost_per_token_above_200k_tokens\": 4e-06"),
		"xai grok-x", "input=2; 199999: input=4");
	reads(LITELLM("claude-x",
		      "\"litellm_provider\": \"anthropic\", \"input_cost_per_token\": 3e-06, "
		      "\"cache_creation_input_token_cost\": 3.75e-06, \"cache_creation_input_token_cost_above_1hr\": "
		      "6e-06, \"cache_creation_input_token_cost_above_1hr_above_200k_tokens\": 1.2e-05, "
		      "\"search_context_cost_per_query\": {\"search_context_size_high\": 0.01, "
		      "\"search_context_size_low\": 0.01}, \"provider_specific_entry\": {\"us\": 1.1, \"fast\": 2.0}"),
		"anthropic claude-x",
		"input=3 cache_write=3.75 cache_write_1h=6 web_searches=10; 200000: cache_write_1h=12; fast=2/1; us=11/10");
}

TEST(units_of_litellm_depend_on_what_a_model_does)
{
	reads(LITELLM("whisper-x",
		      "\"litellm_provider\": \"openai\", \"mode\": \"audio_transcription\", \"input_cost_per_second\": "
		      "0.0001, \"output_cost_per_second\": 0.0"),
		"openai whisper-x", "audio_seconds=0.0001");
	reads(LITELLM("openai/sora-x",
		      "\"litellm_provider\": \"openai\", \"mode\": \"video_generation\", \"output_cost_per_second\": 0.1"),
		"openai sora-x", "video_seconds=0.1");
	reads(LITELLM("image-x",
		      "\"litellm_provider\": \"openai\", \"mode\": \"image_generation\", \"input_cost_per_image\": 0.04"),
		"openai image-x", "output_images=0.04");
	reads(LITELLM("rerank-x",
		      "\"litellm_provider\": \"cohere\", \"mode\": \"rerank\", \"input_cost_per_query\": 0.002, "
		      "\"input_cost_per_token\": 0.0"),
		"cohere rerank-x", "input=0 search_units=2");
	reads(LITELLM("ocr-x", "\"litellm_provider\": \"mistral\", \"mode\": \"ocr\", \"ocr_cost_per_page\": 0.004"),
		"mistral ocr-x", "pages=4");
	skips(LITELLM("bedrock/1-month-commitment/x",
		      "\"litellm_provider\": \"bedrock\", \"mode\": \"chat\", \"input_cost_per_second\": 0.01"),
		"input_cost_per_second", "is for rented throughput, not for a request", 0);
}

/* Batch halves input and output, but the list says nothing of cached input: it costs what it always costs. */
TEST(a_mode_has_a_ratio_and_the_rates_that_do_not_follow_it)
{
	reads(LITELLM("m",
		      "\"litellm_provider\": \"p\", \"input_cost_per_token\": 2e-06, \"output_cost_per_token\": 8e-06, "
		      "\"cache_read_input_token_cost\": 5e-07, \"input_cost_per_token_batches\": 1e-06, "
		      "\"output_cost_per_token_batches\": 4e-06, \"input_cost_per_token_flex\": 2e-06, "
		      "\"input_cost_per_token_priority\": 3.5e-06, \"output_cost_per_token_priority\": 1.4e-05, "
		      "\"cache_read_input_token_cost_priority\": 8.75e-07, \"file_search_cost_per_1k_calls\": 2.5, "
		      "\"input_cost_per_token_above_200k_tokens\": 4e-06, "
		      "\"input_cost_per_token_above_200k_tokens_batches\": 3e-06, "
		      "\"input_cost_per_token_above_200k_tokens_priority\": 7e-06"),
		"p m",
		"input=2 cached_input=0.5 output=8 file_searches=2.5; 200000: input=4; batch=1/2 priority=7/4; "
		"batch:cached_input=0.5 batch>200000:input=3");
}

TEST(a_price_that_repeats_its_parents_follows_it_into_a_mode)
{
	reads(LITELLM("m",
		      "\"litellm_provider\": \"p\", \"input_cost_per_token\": 2e-06, \"output_cost_per_token\": 8e-06, "
		      "\"output_cost_per_reasoning_token\": 8e-06, \"input_cost_per_image_token\": 3e-06, "
		      "\"input_cost_per_token_batches\": 1e-06, \"output_cost_per_token_batches\": 4e-06"),
		"p m", "input=2 output=8 reasoning=8 image_input=3; batch=1/2; batch:image_input=3");
}

TEST(hours_are_a_ratio_of_all_rates)
{
	reads(LITELLM("m",
		      "\"litellm_provider\": \"p\", \"input_cost_per_token\": 3e-07, \"output_cost_per_token\": 1.2e-06, "
		      "\"cache_creation_input_token_cost\": 0.0, \"off_peak_pricing\": {\"input_cost_per_token\": 1.5e-07, "
		      "\"output_cost_per_token\": 6e-07, \"weekday_timezone\": \"Asia/Shanghai\", \"windows\": "
		      "[{\"hours_utc\": [\"04:00-06:00\", \"10:00-00:00\"], \"weekdays\": [1, 2, 3, 4, 5]}, "
		      "{\"hours_utc\": \"00:00-00:00\", \"weekdays\": [6, 7]}]}"),
		"p m",
		"input=0.3 cache_write=0 output=1.2; mon-fri@12:00-14:00+08:00=1/2 mon-fri@18:00-24:00+08:00=1/2 "
		"mon-fri@00:00-08:00+08:00=1/2 sat-sun@00:00-24:00+08:00=1/2");
	skips(LITELLM("m",
		      "\"litellm_provider\": \"p\", \"input_cost_per_token\": 3e-07, \"output_cost_per_token\": 1.2e-06, "
		      "\"off_peak_pricing\": {\"input_cost_per_token\": 1e-07, \"output_cost_per_token\": 6e-07, "
		      "\"hours_utc\": \"16:30-00:30\"}"),
		"off_peak_pricing", "its prices are not one ratio of the others; the model is left out", 0);
}

TEST(tiers_of_ranges_are_context_tiers)
{
	reads(LITELLM("m",
		      "\"litellm_provider\": \"dashscope\", \"tiered_pricing\": [{\"range\": [0, 32000.0], "
		      "\"input_cost_per_token\": 1e-06}, {\"range\": [32000.0, 128000.0], \"input_cost_per_token\": "
		      "1.8e-06}]"),
		"dashscope m", "input=1; 32000: input=1.8");
	skips(LITELLM("m",
		      "\"litellm_provider\": \"p\", \"tiered_pricing\": [{\"range\": [0, 32000], "
		      "\"input_cost_per_token\": 1e-06}, {\"range\": [64000, 128000], \"input_cost_per_token\": 2e-06}]"),
		"tiered_pricing", "is not a series of ranges of tokens", 0);
}

TEST(what_cannot_be_a_price_is_listed_and_never_guessed)
{
#define M(fields_) LITELLM("m", "\"litellm_provider\": \"p\", \"output_cost_per_token\": 1e-06, " fields_)
	skips(M("\"input_cost_per_token\": 1e-06, \"output_cost_per_pixel\": 1e-08"), "output_cost_per_pixel",
		"there is no meter of pixels", 1);
	skips(M("\"input_cost_per_token\": 1e-06, \"telepathy_cost_per_thought\": 1"), "telepathy_cost_per_thought",
		"is not known", 1);
	skips(M("\"input_cost_per_token\": 1e-06, \"cache_read_input_token_cost\": 2.5e-13"),
		"cache_read_input_token_cost", "is finer than a pico-USD", 1);
	skips(M("\"input_cost_per_token\": 1.5e-12"), "input_cost_per_token", "is finer than a pico-USD", 0);
	skips(M("\"input_cost_per_token\": \"1e-06\""), "input_cost_per_token", "is not a number from 0", 0);
	skips(M("\"input_cost_per_token\": 1e-06, \"cache_read_input_token_cost\": 1e-07, "
		"\"input_cost_per_token_cache_hit\": 2e-07"),
		"input_cost_per_token_cache_hit", "another field has another price of cached_input", 1);
	skips(M("\"input_cost_per_token\": 1e-06, \"search_context_cost_per_query\": {\"search_context_size_low\": 0.01, "
		"\"search_context_size_high\": 0.02}"),
		"search_context_cost_per_query", "depends on the size of the search's context", 1);
	skips(M("\"input_cost_per_token\": 1e-06, \"search_free_requests\": {\"count\": 1500}"), "search_free_requests",
		"the list does not say in which time so many are free", 1);
	skips("{\"a\": {\"litellm_provider\": \"p\", \"input_cost_per_token\": 1e-06}, \"b\": {\"alias_of\": \"a\"}}",
		"", "is another name of a model", 1);
#undef M
}

TEST(a_csv_with_the_fields_of_litellm_is_the_same_list)
{
#define CSV \
	"model,litellm_provider,mode,input_cost_per_token,output_cost_per_token,cache_read_input_token_cost,tiered_pricing\n"
	reads(CSV "xai/grok-x,xai,chat,2e-06,0.00001,,\n", "xai grok-x", "input=2 output=10");
	reads(CSV "m,p,chat,,1e-06,1e-07,\"[{\"\"range\"\": [0, 32000], \"\"input_cost_per_token\"\": 1e-06}, "
		  "{\"\"range\"\": [32000, 64000], \"\"input_cost_per_token\"\": 3e-06}]\"\n",
		"p m", "input=1 cached_input=0.1 output=1; 32000: input=3");
	/* As pandas writes it: the names without a heading, a byte order mark, lists as Python shows them. */
	reads("\xef\xbb\xbf,litellm_provider,input_cost_per_token,supported_endpoints,supports_vision\r\n"
	      "gemini/g,gemini,1.25e-06,\"['/v1/chat']\",True\r\n",
		"google g", "input=1.25");
	reads("litellm_provider,model_name,input_cost_per_token,input_cost_per_token_batches\np,m,2e-06,1e-06\n", "p m",
		"input=2; batch=1/2");
	skips(CSV "m,p,chat,1e-06,1e-06,2.5e-13,\n", "cache_read_input_token_cost", "is finer than a pico-USD", 1);
	skips(CSV "m,p,chat,nan,1e-06,,\n", "input_cost_per_token", "is not a number from 0", 0);
	skips("model,litellm_provider,output_cost_per_pixel,input_cost_per_token\nm,p,1e-08,1e-06\n",
		"output_cost_per_pixel", "there is no meter of pixels", 1);
	skips("model,litellm_provider,input_cost_per_token\nm,p,1e-06\nm,p,2e-06\n", "",
		"the list has different prices for it", 0);
}

static void csv_refused(const char *text, const char *why)
{
	struct price_public list;
	struct err err = {0};

	assert_false(price_public_parse(text, strlen(text), 0, &list, &err));
	assert_string_equal(err.text, why);
}

TEST(a_csv_of_litellm_that_is_broken_is_refused_with_its_line)
{
	csv_refused("name,litellm_provider,input_cost_per_token\nm,p,1\n", "line 1: the column model is missing");
	csv_refused("model,litellm_provider,litellm_provider\nm,p,1\n",
		"line 1: the column litellm_provider is listed twice");
	csv_refused(CSV "m,p\n", "line 2: has 2 fields, but the header has 7");
	csv_refused(CSV "m,p,chat,1,1,1,{'range': 1}\n", "line 2: tiered_pricing: is not JSON");
	csv_refused(CSV "\n,p,chat,1,1,1,\n", "line 3: the model has no name");
#undef CSV
}

TEST(names_that_the_list_has_twice_must_agree)
{
	static const char same[] =
		"{\"cohere/a\": {\"litellm_provider\": \"cohere\", \"input_cost_per_token\": 1e-06}, "
		"\"a\": {\"litellm_provider\": \"cohere_chat\", \"input_cost_per_token\": 1e-6}}";

	reads(same, "cohere a", "input=1");
	skips("{\"cohere/a\": {\"litellm_provider\": \"cohere\", \"input_cost_per_token\": 1e-06}, "
	      "\"a\": {\"litellm_provider\": \"cohere_chat\", \"input_cost_per_token\": 2e-6}}",
		"", "the list has different prices for it", 0);
}

#define FLAT "\"prices\": {\"input_mtok\": 2, \"output_mtok\": 6}"

TEST(a_model_of_genai_prices_becomes_a_price_under_each_id_that_is_said)
{
	struct price_public list = parsed(GENAI(
		"{\"id\": \"grok-x\", \"match\": {\"or\": [{\"equals\": \"grok-x\"}, {\"starts_with\": \"grok-x-0\"}, "
		"{\"equals\": \"grok-latest\"}, {\"equals\": \"grok-y\"}]}, " FLAT "}, "
		"{\"id\": \"grok-y\", \"match\": {\"equals\": \"grok-latest\"}, \"prices\": {\"input_mtok\": "
		"{\"base\": 0.435, \"tiers\": [{\"start\": 199999, \"price\": 0.87}]}, \"web_searches_kcount\": 5}}"));

	assert_int_equal(list.sheet.count, 3);
	assert_string_equal(list.sheet.prices[0].model, "grok-x");
	assert_string_equal(list.sheet.prices[1].model, "grok-latest");
	assert_string_equal(shown(&list.sheet.prices[1]), "input=2 output=6");
	assert_string_equal(list.sheet.prices[2].model, "grok-y");
	assert_string_equal(list.sheet.prices[2].provider, "xai");
	assert_string_equal(list.sheet.prices[2].source, "genai-prices: https://x (2026-11-29)");
	assert_string_equal(shown(&list.sheet.prices[2]), "input=0.435 web_searches=5; 199999: input=0.87");
	price_public_release(&list);
}

TEST(prices_that_have_ended_are_not_read_and_later_ones_have_their_date)
{
	struct price_public list = parsed(GENAI(
		"{\"id\": \"m\", \"prices\": [{\"prices\": {\"input_mtok\": 9}}, {\"constraint\": {\"start_date\": "
		"\"2026-08-21\"}, \"prices\": {\"input_mtok\": 4, \"output_mtok\": 20}}, {\"constraint\": {\"start_date\": "
		"\"2027-01-01\"}, \"prices\": {\"input_mtok\": 5}}], \"price_variants\": [{\"when\": {\"processing\": "
		"\"batch\"}, \"constraint\": {\"start_date\": \"2026-10-14\"}, \"prices\": {\"input_mtok\": 2}}]}"));

	assert_int_equal(list.sheet.count, 2);
	assert_int_equal(list.sheet.prices[0].from_us, 0);
	assert_int_equal(list.sheet.prices[0].to_us, INT64_C(1798761600000000));
	assert_string_equal(shown(&list.sheet.prices[0]), "input=4 output=20; batch=1/2; batch:output=20");
	assert_int_equal(list.sheet.prices[1].from_us, INT64_C(1798761600000000));
	assert_string_equal(shown(&list.sheet.prices[1]), "input=5; batch=2/5");
	price_public_release(&list);
}

TEST(times_of_day_of_genai_prices_are_hours)
{
#define AT(from_, to_) "\"constraint\": {\"start_time\": \"" from_ "\", \"end_time\": \"" to_ "\"}"
	reads(GENAI("{\"id\": \"m\", \"prices\": [{" FLAT
		    "}, {" AT("16:30:00Z", "00:30:00Z") ", \"prices\": {\"input_mtok\": 1, \"output_mtok\": 3}}]}"),
		"xai m", "input=2 output=6; 16:30-00:30=1/2");
	skips(GENAI("{\"id\": \"m\", \"prices\": [{" FLAT
		    "}, {" AT("16:30:00Z", "00:30:00Z") ", \"prices\": {\"input_mtok\": 1, \"output_mtok\": 2}}]}"),
		"constraint", "its prices are not one ratio of the others; the model is left out", 0);
	skips(GENAI("{\"id\": \"m\", \"prices\": [{" FLAT "}, {" AT(
		      "16:30:00+02:00", "00:30:00Z") ", \"prices\": {\"input_mtok\": 1, \"output_mtok\": 2}}]}"),
		"constraint", "is not a date or a time of day in UTC; the model is left out", 0);
	skips(GENAI("{\"id\": \"m\", " FLAT ", \"price_variants\": [{\"when\": {\"route\": \"eu\"}, \"prices\": "
		    "{\"input_mtok\": 3}}]}"),
		"price_variants", "route=eu is not a mode", 1);
	skips(GENAI("{\"id\": \"m\", \"prices\": {\"audio_hours\": 0.111}}"), "audio_hours", "is finer than a pico-USD",
		0);
	reads(GENAI("{\"id\": \"m\", \"prices\": {\"audio_hours\": 0.36}}"), "xai m", "audio_seconds=0.0001");
#undef AT
}

TEST(parts_of_another_kind_than_expected_are_listed)
{
	skips(GENAI("{\"id\": \"m\", \"prices\": [{\"prices\": [1]}, {\"constraint\": {\"start_time\": \"16:30:00Z\", "
		    "\"end_time\": \"00:30:00Z\"}, \"prices\": [2]}]}"),
		"", "is not known", 0);
	skips(LITELLM("m", "\"litellm_provider\": \"p\", \"input_cost_per_token\": [1], \"tiered_pricing\": {}"),
		"input_cost_per_token", "is not a number from 0", 0);
}

/* As in the package, whose data is a Python file. */
TEST(python_data_says_the_same_as_json)
{
	reads("\"\"\"DO NOT EDIT\"\"\"\n\nimport datetime\nfrom .types import *\n\n__all__ = ('providers',)\n\n"
	      "providers: list[Provider] = [\n    Provider(\n        id='x-ai',\n        name='x \\u00e9 \\'',\n"
	      "        models=[\n            ModelInfo(\n                id='m',\n"
	      "                match=ClauseOr(or_=[ClauseEquals(equals='m')]),\n"
	      "                prices=[ConditionalPrice(prices=ModelPrice(input_mtok=TieredPrices(base=Decimal('0.15'), "
	      "tiers=[Tier(start=200000, price=Decimal('0.3'))]))),\n ConditionalPrice(constraint=TimeOfDateConstraint("
	      "start_time=datetime.time(1, 0, tzinfo=datetime.UTC), end_time=datetime.time(4, 0, tzinfo=datetime.UTC)), "
	      "prices=ModelPrice(input_mtok=Decimal('0.3'))),\n ConditionalPrice(constraint=StartDateConstraint("
	      "start_date=datetime.date(2020, 1, 2)), prices=ModelPrice(input_mtok=Decimal('0.2')))],\n"
	      "                deprecated=True,\n                price_variants=[PriceVariant(when={'processing': 'batch'}, "
	      "prices=ModelPrice(input_mtok=Decimal('0.1')), constraint=None)],\n            ),\n        ],\n    ),\n]\n",
		"xai m", "input=0.2; batch=1/2");
}

TEST(a_text_that_is_no_price_public_is_refused_with_its_line)
{
	static const char neither[] =
		"line 1: is neither litellm's model_prices_and_context_window.json nor a data file of genai-prices";
	char deep[80];

	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	refused("", "line 1: is empty");
	refused("provider,model\n", "line 1: is neither JSON nor genai-prices' data.py");
	refused("{}", neither);
	refused("[]", neither);
	refused("[1]", neither);
	refused("{\"a\": 1}", neither);
	refused("{\"a\":\n {\"b\"\n 1}}", "line 3: expected ':'");
	refused("{\"a\": 1,}", "line 1: expected the name of a member");
	refused("[1] 2", "line 1: something follows the end");
	refused("['a']", "line 1: expected a value");
	refused("[True]", "line 1: expected a value");
	refused("[\"a", "line 1: a text does not end");
	refused("[\"a\\", "line 1: a text does not end");
	refused("[\"a\nb\"]", "line 1: a text contains a control character");
	refused("[\"\\ud800x\"]", "line 1: half of a surrogate pair is missing");
	refused("[\"\\u0000\"]", "line 1: a text contains a NUL");
	refused("[\"\\u00g0\"]", "line 1: an escape has a character that is not a hexadecimal digit");
	refused("[\"\xff\"]", "line 1: a text is not valid UTF-8");
	refused(deep, "line 1: values are nested too deep");
}

TEST(at_most_so_many_skipped_parts_are_kept_but_all_are_counted)
{
	struct buf text = {0};
	struct price_public list;

	buf_put_str(&text, "{\"a\": {\"litellm_provider\": \"p\", \"input_cost_per_token\": 1");
	for (int i = 0; i < PRICE_SKIPPED_MAX + 7; i++)
		buf_putf(&text, ", \"cost_%d\": 1", i);
	buf_put_str(&text, "}}");
	list = parsed(buf_str(&text));
	assert_int_equal(list.skipped_count, PRICE_SKIPPED_MAX + 7);
	assert_string_equal(list.skipped[PRICE_SKIPPED_MAX - 1].field, "cost_999");
	price_public_release(&list);
	buf_release(&text);
}
