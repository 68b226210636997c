/* What is not a usage object, decimals, and how a request was bought. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "domain/limit/limit.h"
#include "domain/usage/raw_json.h"
#include "domain/usage/usage.h"
#include "lib/test.h"
#include "usage_cases.h"

static bool read_text(
	struct arena *arena, const char *provider, const char *text, struct usage_reading *out, struct err *err)
{
	char *json = usage_case_json(text);
	bool ok = usage_read(provider, json, strlen(json), arena, out, err);

	free(json);
	return ok;
}

static void refused(const char *provider, const char *text, const char *field, const char *says)
{
	struct usage_reading reading = {.rounds = -7};
	struct arena arena = {0};
	struct err err = {0};

	if (read_text(&arena, provider, text, &reading, &err))
		fail_msg("%s was read", text);
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.field, field);
	assert_int_equal(reading.rounds, -7);
	if (!strstr(err.text, says))
		fail_msg("\"%s\" does not say \"%s\"", err.text, says);
	arena_release(&arena);
}

TEST(what_is_not_usage_is_refused_by_its_member)
{
	refused("openai", "", "json", "a value is missing at byte 0");
	refused("openai", "{'prompt_tokens':1", "json", "a comma or a closing bracket is missing");
	refused("openai", "{'prompt_tokens':1} x", "json", "something follows the value");
	refused("openai", "{'prompt_tokens':1,'prompt_tokens':2}", "json", "has a member twice");
	refused("openai", "{'prompt_tokens':01}", "json", "is not valid JSON");
	refused("openai", "{'prompt_tokens':NaN}", "json", "is not valid JSON");
	refused("openai", "{'a':'\\x'}", "json", "a character in a string");
	refused("openai", "7", "json", "must be an object, or a list of objects");
	refused("openai", "[[{'prompt_tokens':1}]]", "json", "must be an object, or a list of objects");
	refused("openai", "{'prompt_tokens':'seven'}", "json", "prompt_tokens must be a whole number from 0 to 2^53-1");
	refused("openai", "{'prompt_tokens':-1}", "json", "prompt_tokens must be a whole number");
	refused("openai", "{'prompt_tokens':1.5}", "json", "prompt_tokens must be a whole number");
	refused("openai", "{'prompt_tokens':true}", "json", "prompt_tokens must be a whole number");
	refused("openai", "{'prompt_tokens':9007199254740992}", "json", "prompt_tokens must be a whole number");
	refused("openai", "{'prompt_tokens':1e99}", "json", "prompt_tokens must be a whole number");
	refused("openai", "{'prompt_tokens':9007199254740991,'completion_tokens':1}", "json", "tokens in total");
	refused("openai", "{'prompt_tokens':1,'prompt_tokens_details':{'cached_tokens':'x'}}", "json",
		"prompt_tokens_details.cached_tokens must be");
	refused("anthropic", "{'iterations':[7]}", "json", "iterations must be a list of objects");
	refused("openrouter", "{'prompt_tokens':1,'cost':-0.1}", "json", "cost must be a decimal number from 0");
	refused("openrouter", "{'prompt_tokens':1,'cost':'about a dollar'}", "json",
		"cost must be a decimal number from 0");
	refused("openrouter", "{'prompt_tokens':1,'cost':9007200}", "json", "cost must be a decimal number from 0");
	refused("", "{'weather':'fine'}", "json", "name the provider");
	refused("acme", "{}", "provider", "is not known; known are openai, anthropic,");
}

TEST(an_object_has_limits)
{
	struct buf text = {0};

	for (int i = 0; i < 40; i++)
		buf_put_str(&text, "{'a':");
	refused("openai", buf_str(&text), "json", "nested more deeply than 32 levels");
	buf_reset(&text);
	for (int i = 0; i < 300; i++)
		buf_putf(&text, "%s'm%d':1", i ? "," : "{", i);
	refused("openai", buf_str(&text), "json", "more than 256 members");
	buf_reset(&text);
	for (int i = 0; i < 5000; i++)
		buf_put_str(&text, i ? ",{}" : "[{}");
	refused("openai", buf_str(&text), "json", "more than 4096 values");
	buf_reset(&text);
	for (int i = 0; i < 513; i++)
		buf_put_str(&text, i ? ",{}" : "[{}");
	buf_put_str(&text, "]");
	refused("openai", buf_str(&text), "json", "is a list of more than 512 items");
	buf_reset(&text);
	for (int i = 0; i <= RAW_JSON_BYTES_MAX; i++)
		buf_put_str(&text, " ");
	refused("openai", buf_str(&text), "json", "longer than 65536 bytes");
	buf_release(&text);
}

TEST(decimals_are_read_exactly_and_rounded_up)
{
	static const struct {
		const char *text;
		int scale;
		int64_t value; /* -1: refused */
	} cases[] = {{"0", 9, 0}, {"1", 9, 1000000000}, {"0.00014", 9, 140000}, {"1.4e-4", 9, 140000},
		{"14E-5", 9, 140000}, {"0.0000000001", 9, 1}, {"1e-400", 9, 1}, {"0e-400", 9, 0}, {"0e400", 9, 0},
		{"0.1234567891", 9, 123456790}, {"0.3", 9, 300000000}, {"9007199.254740991", 9, COUNT_MAX},
		{"9007199.2547409911", 9, -1}, {"1e400", 9, -1}, {"9007200", 9, -1}, {"37756000", -1, 3775600},
		{"37756001", -1, 3775601}, {"5", -1, 1}, {"-1", 9, -1}, {"+1", 9, -1}, {".5", 9, -1}, {"5.", 9, -1},
		{"1e", 9, -1}, {"", 9, -1}, {"0x10", 9, -1}, {"12.0", 0, 12},
		{"0.00000000000000000000000000000000001", 9, 1}, {"100000000000000000000e-14", 0, 1000000}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t value = -1;

		raw_json_decimal(cases[i].text, strlen(cases[i].text), cases[i].scale, &value);
		if (value != cases[i].value)
			fail_msg("%s: %lld", cases[i].text, (long long)value);
	}
}

TEST(a_model_that_is_not_an_id_is_not_told)
{
	static const char *const bad[] = {"\\u0000", "a\\nb", "\\ud800", "\\ud800\\u0041", "", "\xff"};
	struct arena arena = {0};
	struct usage_reading reading;
	struct err err;
	char text[128];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "{'model':'%s','usage':{'prompt_tokens':1}}", bad[i]);
		assert_true(read_text(&arena, "openai", text, &reading, &err));
		assert_string_equal(reading.model, "");
	}
	assert_true(read_text(
		&arena, "openai", "{'model':'x\\/\\u00e9\\ud83d\\ude00','usage':{'prompt_tokens':1}}", &reading, &err));
	assert_string_equal(reading.model, "x/\xc3\xa9\xf0\x9f\x98\x80");
	arena_release(&arena);
}

TEST(rounds_have_their_own_meters_and_models)
{
	struct arena arena = {0};
	struct usage_reading reading;
	struct err err;

	assert_true(read_text(&arena, "anthropic",
		"{'input_tokens':10,'output_tokens':20,'server_tool_use':{'web_search_requests':3},'iterations':["
		"{'type':'advisor_message','model':'claude-opus-5','input_tokens':800,'output_tokens':90},"
		"{'type':'message','input_tokens':10,'output_tokens':20}]}",
		&reading, &err));
	assert_int_equal(reading.rounds, 2);
	assert_string_equal(reading.round[0].model, "claude-opus-5");
	assert_int_equal(reading.round[0].meters.count[METER_INPUT], 800);
	assert_int_equal(reading.round[0].meters.count[METER_WEB_SEARCHES], 0);
	assert_string_equal(reading.round[1].model, "");
	assert_int_equal(reading.round[1].meters.count[METER_OUTPUT], 20);
	assert_int_equal(reading.round[1].meters.count[METER_WEB_SEARCHES], 3);
	arena_release(&arena);
}

TEST(more_rounds_than_are_kept_are_in_the_last_one)
{
	struct arena arena = {0};
	struct buf text = {0};
	struct usage_reading reading;
	struct err err;

	for (int i = 0; i < 100; i++)
		buf_put_str(
			&text, i ? ",{'input_tokens':1,'output_tokens':2}" : "[{'input_tokens':1,'output_tokens':2}");
	buf_put_str(&text, "]");
	assert_true(read_text(&arena, "langchain", buf_str(&text), &reading, &err));
	assert_int_equal(reading.rounds, USAGE_ROUNDS_MAX);
	assert_int_equal(reading.meters.count[METER_INPUT], 100);
	assert_int_equal(
		reading.round[USAGE_ROUNDS_MAX - 1].meters.count[METER_OUTPUT], 2 * (100 - USAGE_ROUNDS_MAX + 1));
	buf_release(&text);
	arena_release(&arena);
}

TEST(what_the_provider_tells_of_the_purchase_replaces_what_the_check_knew)
{
	static const struct {
		const char *mode, *region, *checked, *bought;
	} cases[] = {{"", "", "", ""}, {"", "", "batch", "batch"}, {"", "", "batch@us", "batch@us"},
		{"standard", "", "priority", "standard"}, {"standard", "", "batch", "batch"},
		{"flex", "", "priority", "flex"}, {"", "us", "", "@us"}, {"", "us", "batch", "batch@us"},
		{"standard", "us", "priority", "@us"}, {"priority", "eu", "batch@us", "priority@eu"},
		{"standard", "", "@us", "@us"}};
	struct arena arena = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct usage_reading reading = {.mode = cases[i].mode, .region = cases[i].region};

		assert_string_equal(usage_purchase(&reading, cases[i].checked, &arena), cases[i].bought);
	}
	arena_release(&arena);
}
