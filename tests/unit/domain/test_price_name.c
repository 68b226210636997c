/* The spellings of resellers and clouds: which price each finds, and which must find none. */
#include <stdio.h>
#include <string.h>

#include "domain/price/price.h"
#include "domain/price/price_name.h"
#include "lib/test.h"

static struct price rows[32];
static struct price_alias aliases[16];
static int count, alias_count;
static struct price_book *book;

static void put(char to[ID_MAX + 1], const char *from)
{
	snprintf(to, ID_MAX + 1, "%s", from);
}

static struct price *row(const char *provider, const char *model)
{
	struct price *price = &rows[count++];

	*price = (struct price){0};
	put(price->provider, provider);
	put(price->model, model);
	return price;
}

static void alias(const char *tenant, const char *name, const char *provider, const char *model)
{
	struct price_alias *one = &aliases[alias_count++];

	*one = (struct price_alias){0};
	put(one->tenant, tenant);
	put(one->alias, name);
	put(one->provider, provider);
	put(one->model, model);
}

/* As the shipped list has them: vendors, and a host of open models. */
static int setup(void **state)
{
	static const char *const models[][2] = {{"openai", "gpt-5"}, {"openai", "gpt-4o"},
		{"anthropic", "claude-sonnet-4-5"}, {"anthropic", "claude-opus-5"},
		{"anthropic", "claude-3-5-sonnet-20241022"}, {"google", "gemini-2.5-pro"},
		{"mistral", "mistral-large-2411"}, {"deepseek", "deepseek-v4-pro"}, {"xai", "grok-4"},
		{"cohere", "command-r-plus"}, {"groq", "llama-3.3-70b"}, {"groq", "openai/gpt-oss-20b"},
		{"ollama", "gpt-oss:20b"}};

	(void)state;
	count = alias_count = 0;
	book = NULL;
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
		row(models[i][0], models[i][1]);
	alias("", "claude-sonnet-4-5-20250929", "anthropic", "claude-sonnet-4-5");
	alias("", "gpt-4o-2024-08-06", "openai", "gpt-4o");
	alias("", "claude-3-5-sonnet-latest", "anthropic", "claude-3-5-sonnet-20241022");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	price_book_free(book);
	return 0;
}

/* "provider/model" of the price, or "". */
static const char *found(const char *tenant, const char *name)
{
	static char text[2 * ID_MAX + 2];
	const struct price *price;

	if (!book)
		book = price_book_new(rows, count, aliases, alias_count);
	price = price_find(book, tenant, "", name, 5);
	snprintf(text, sizeof(text), "%s%s%s", price ? price->provider : "", price ? "/" : "",
		price ? price->model : "");
	return text;
}

#define SPELLED(name) TEST_WITH(name, setup, teardown)

struct spelling {
	const char *name, *found;
};

static void check_all(const struct spelling *each, size_t number)
{
	for (size_t i = 0; i < number; i++) {
		const char *text = found("t", each[i].name);

		if (strcmp(text, each[i].found) != 0)
			print_error("%s\n", each[i].name);
		assert_string_equal(text, each[i].found);
	}
}
#define CHECK_ALL(table) check_all(table, sizeof(table) / sizeof((table)[0]))

SPELLED(the_spellings_of_resellers_find_the_vendors_price)
{
	static const struct spelling spellings[] = {
		{"gpt-5", "openai/gpt-5"},
		{"openai/gpt-5", "openai/gpt-5"},
		{"azure/gpt-5", "openai/gpt-5"},
		{"azure/openai/gpt-5", "openai/gpt-5"},
		{"azure/gpt-4o-2024-08-06", "openai/gpt-4o"},
		{"azure_ai/mistral-large-2411", "mistral/mistral-large-2411"},
		{"azure_ai/claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"},
		{"openrouter/openai/gpt-5", "openai/gpt-5"},
		{"openrouter/anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-4-5"},
		{"openrouter/google/gemini-2.5-pro", "google/gemini-2.5-pro"},
		{"openrouter/x-ai/grok-4", "xai/grok-4"},
		{"openrouter/mistralai/mistral-large-2411", "mistral/mistral-large-2411"},
		{"openrouter/deepseek/deepseek-v4-pro", "deepseek/deepseek-v4-pro"},
		{"openrouter/cohere/command-r-plus", "cohere/command-r-plus"},
		{"anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-4-5"},
		{"claude-sonnet-4.5", "anthropic/claude-sonnet-4-5"},
		{"x-ai/grok-4", "xai/grok-4"},
		{"mistralai/mistral-large-2411", "mistral/mistral-large-2411"},
		{"deepseek-ai/deepseek-v4-pro", "deepseek/deepseek-v4-pro"},
		{"gemini/gemini-2.5-pro", "google/gemini-2.5-pro"},
		{"models/gemini-2.5-pro", "google/gemini-2.5-pro"},
		{"vertex_ai/gemini-2.5-pro", "google/gemini-2.5-pro"},
		{"vertex_ai_beta/gemini-2.5-pro", "google/gemini-2.5-pro"},
		{"vertex_ai/publishers/google/models/gemini-2.5-pro", "google/gemini-2.5-pro"},
		{"vertex_ai/claude-sonnet-4-5@20250929", "anthropic/claude-sonnet-4-5"},
		{"vertex_ai/claude-3-5-sonnet@20241022", "anthropic/claude-3-5-sonnet-20241022"},
		{"publishers/anthropic/models/claude-opus-5@default", "anthropic/claude-opus-5"},
		{"claude-sonnet-4-5@20250929", "anthropic/claude-sonnet-4-5"},
		{"anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic/claude-sonnet-4-5"},
		{"us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic/claude-sonnet-4-5"},
		{"eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic/claude-sonnet-4-5"},
		{"apac.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic/claude-sonnet-4-5"},
		{"global.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic/claude-sonnet-4-5"},
		{"us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic/claude-sonnet-4-5"},
		{"global.anthropic.claude-opus-5-v1", "anthropic/claude-opus-5"},
		{"global.anthropic.claude-opus-5", "anthropic/claude-opus-5"},
		{"bedrock/us.anthropic.claude-3-5-sonnet-20241022-v2:0", "anthropic/claude-3-5-sonnet-20241022"},
		{"bedrock/converse/us.anthropic.claude-opus-5-v1:0", "anthropic/claude-opus-5"},
		{"bedrock_converse/invoke/anthropic.claude-opus-5-v1:0", "anthropic/claude-opus-5"},
		{"bedrock/mistral.mistral-large-2411-v1:0", "mistral/mistral-large-2411"},
		{"cohere.command-r-plus-v1:0", "cohere/command-r-plus"},
		{"litellm_proxy/azure/gpt-5", "openai/gpt-5"},
		{"vercel_ai_gateway/anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-4-5"},
		{"openrouter/anthropic/claude-3-5-sonnet-latest", "anthropic/claude-3-5-sonnet-20241022"},
	};

	CHECK_ALL(spellings);
}

SPELLED(what_only_looks_alike_finds_nothing)
{
	static const struct spelling spellings[] = {
		{"gpt-4o-2024-05-13", ""}, /* it cost twice as much as gpt-4o */
		{"azure/gpt-4o-2024-05-13", ""},
		{"gpt-5-2025-08-07", ""},
		{"gpt-5-latest", ""},
		{"claude-opus-5-20260401", ""},
		{"us.anthropic.claude-opus-5-20260401-v1:0", ""},
		{"vertex_ai/claude-opus-5@20260401", ""},
		{"vertex_ai/claude-opus-5@latest", ""},
		{"anthropic.claude-sonnet-4-5-20250929-v1:0:200k", ""},
		{"anthropic.claude-sonnet-4-5-v", ""},
		{"gpt-5-v1:0", ""},
		{"us.gpt-5", ""},
		{"xx.anthropic.claude-opus-5", ""},
		{"gpt-4.o", ""},
		{"gemini-2-5-pro", ""},
		{"openrouter/openai/gpt-5:free", ""},
		{"openrouter/anthropic/claude-sonnet-4.5:thinking", ""},
		{"openrouter/openai/gpt-oss-20b", ""}, /* Groq's price is Groq's alone */
		{"azure/llama-3.3-70b", ""},
		{"openrouter/meta-llama/llama-3.3-70b", ""},
		{"openai/claude-opus-5", ""},
		{"openrouter/openai/claude-opus-5", ""},
		{"together_ai/gpt-5", ""},
		{"Azure/gpt-5", ""},
		{"azure/GPT-5", ""},
		{"azure/", ""},
		{"azure/azure/", ""},
		{"anthropic.", ""},
		{"us.anthropic.", ""},
		{"@default", ""},
		{"@20250929", ""},
		{"openrouter/", ""},
		{"claude-.", ""},
		{"", ""},
	};

	CHECK_ALL(spellings);
}

SPELLED(the_resellers_own_price_and_alias_come_first)
{
	row("azure", "gpt-5");
	row("bedrock", "anthropic.claude-opus-5-v1:0");
	row("bedrock", "us.anthropic.claude-opus-5-v1:0");
	row("vertex_ai", "claude-opus-5");
	alias("", "openrouter/openai/gpt-5", "openai", "gpt-4o");
	alias("t", "azure/gpt-4o", "xai", "grok-4");
	assert_string_equal(found("t", "azure/gpt-5"), "azure/gpt-5");
	assert_string_equal(found("t", "litellm_proxy/azure/gpt-5"), "azure/gpt-5");
	assert_string_equal(found("t", "gpt-5"), "openai/gpt-5");
	assert_string_equal(
		found("t", "bedrock/us.anthropic.claude-opus-5-v1:0"), "bedrock/us.anthropic.claude-opus-5-v1:0");
	assert_string_equal(found("t", "bedrock/converse/us.anthropic.claude-opus-5-v1:0"),
		"bedrock/us.anthropic.claude-opus-5-v1:0");
	assert_string_equal(found("t", "eu.anthropic.claude-opus-5-v1:0"), "bedrock/anthropic.claude-opus-5-v1:0");
	assert_string_equal(found("t", "vertex_ai/claude-opus-5@default"), "vertex_ai/claude-opus-5");
	assert_string_equal(found("t", "openrouter/openai/gpt-5"), "openai/gpt-4o");
	assert_string_equal(found("t", "azure/gpt-4o"), "xai/grok-4");
	assert_string_equal(found("other", "azure/gpt-4o"), "openai/gpt-4o");
}

SPELLED(an_alias_of_a_dated_snapshot_serves_all_its_spellings)
{
	alias("t", "claude-opus-5-20260401", "anthropic", "claude-opus-5");
	assert_string_equal(found("t", "claude-opus-5-20260401"), "anthropic/claude-opus-5");
	assert_string_equal(found("t", "claude-opus-5@20260401"), "anthropic/claude-opus-5");
	assert_string_equal(found("t", "bedrock/us.anthropic.claude-opus-5-20260401-v1:0"), "anthropic/claude-opus-5");
	assert_string_equal(found("t", "openrouter/anthropic/claude-opus-5-20260401"), "anthropic/claude-opus-5");
	assert_string_equal(found("other", "claude-opus-5@20260401"), "");
}

SPELLED(every_rule_ends_and_leaves_a_text_that_fits)
{
	static const char *const parts[] = {"azure/", "bedrock/", "us.", "anthropic.", "claude-", "9.9", "-v1:0",
		"@123", "@default", "openai/", "models/", "converse/"};
	const int number = (int)(sizeof(parts) / sizeof(parts[0]));

	for (int i = 0; i < number * number * number; i++) {
		char text[ID_MAX + 1];
		struct price_name name;
		int steps = 0;

		snprintf(text, sizeof(text), "%s%s%s%s", parts[i % number], parts[i / number % number],
			parts[i / number / number], parts[i % 7]);
		price_name_init(&name, text);
		while (price_name_next(&name)) {
			assert_true(name.text[0]);
			assert_true(strlen(name.text) <= strlen(text));
			assert_in_range(++steps, 1, ID_MAX);
		}
	}
}

TEST(a_date_is_a_whole_day_at_the_end)
{
	static const struct {
		const char *text;
		size_t undated;
	} each[] = {{"gpt-4o-2024-05-13", 6}, {"claude-opus-5-20260401", 13}, {"gpt-5-latest", 5}, {"gpt-5", 0},
		{"gpt-4-0613", 0}, {"m-20261301", 0}, {"m-2026-00-01", 0}, {"m-2026-12-32", 0}, {"-20260401", 0},
		{"-latest", 0}, {"m-20260401x", 0}, {"m20260401", 0}, {"mistral-large-2512", 0}};

	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++)
		assert_int_equal(price_name_undated(each[i].text), each[i].undated);
}
