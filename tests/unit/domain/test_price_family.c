/* Whose price is used for a model that has none. */
#include <stdio.h>
#include <string.h>

#include "domain/price/price_family.h"
#include "lib/test.h"

static struct price rows[16];
static struct price_alias aliases[4];
static struct price_family families[16];
static int count, alias_count, family_count;
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

static void family(const char *tenant, const char *pattern, int64_t from_us, const char *provider, const char *model)
{
	struct price_family *one = &families[family_count++];
	struct err err;

	*one = (struct price_family){.from_us = from_us};
	put(one->tenant, tenant);
	assert_true(price_family_prefix(pattern, "pattern", one->prefix, &err));
	put(one->provider, provider);
	put(one->model, model);
}

static int setup(void **state)
{
	(void)state;
	count = alias_count = family_count = 0;
	book = NULL;
	row("openai", "gpt-5");
	row("openai", "gpt-4o");
	row("anthropic", "claude-opus-5");
	row("groq", "gpt-oss");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	price_book_free(book);
	return 0;
}

/* "provider/model" whose price is used, or "". */
static const char *used_at(const char *tenant, const char *name, int64_t at_us)
{
	static char text[2 * ID_MAX + 2];
	const struct price *price;

	if (!book) {
		book = price_book_new(rows, count, aliases, alias_count);
		price_book_families(book, families, family_count);
	}
	price = price_find_family(book, tenant, "", name, at_us);
	snprintf(text, sizeof(text), "%s%s%s", price ? price->provider : "", price ? "/" : "",
		price ? price->model : "");
	return text;
}

static const char *used(const char *tenant, const char *name)
{
	return used_at(tenant, name, 100);
}

#define FAMILY(name) TEST_WITH(name, setup, teardown)

FAMILY(the_longest_rule_counts)
{
	family("", "gpt-*", 0, "openai", "gpt-5");
	family("", "gpt-6-chat*", 0, "openai", "gpt-4o");
	family("", "g*", 0, "groq", "gpt-oss");
	assert_string_equal(used("t", "gpt-6"), "openai/gpt-5");
	assert_string_equal(used("t", "gpt-6-chat"), "openai/gpt-4o");
	assert_string_equal(used("t", "gpt-6-chat-mini"), "openai/gpt-4o");
	assert_string_equal(used("t", "gpt-"), "openai/gpt-5");
	assert_string_equal(used("t", "gpt"), "groq/gpt-oss");
	assert_string_equal(used("t", "a-gpt-6"), "");
	assert_string_equal(used("t", ""), "");
}

FAMILY(of_rules_with_one_pattern_the_newest_that_has_begun_counts)
{
	family("", "gpt-*", 0, "openai", "gpt-4o");
	family("", "gpt-*", 50, "openai", "gpt-5");
	family("", "gpt-*", 200, "groq", "gpt-oss");
	assert_string_equal(used_at("t", "gpt-6", 49), "openai/gpt-4o");
	assert_string_equal(used_at("t", "gpt-6", 50), "openai/gpt-5");
	assert_string_equal(used_at("t", "gpt-6", 199), "openai/gpt-5");
	assert_string_equal(used_at("t", "gpt-6", 200), "groq/gpt-oss");
	assert_int_equal(price_last_turn(book, 0, 1000), 200);
	assert_int_equal(price_last_turn(book, 0, 100), 50);
}

FAMILY(a_tenants_own_rules_come_before_the_general_ones)
{
	family("", "gpt-6*", 0, "openai", "gpt-5");
	family("t", "gpt-*", 0, "openai", "gpt-4o");
	assert_string_equal(used("t", "gpt-6"), "openai/gpt-4o");
	assert_string_equal(used("other", "gpt-6"), "openai/gpt-5");
	assert_string_equal(used(NULL, "gpt-6"), "openai/gpt-5");
}

FAMILY(a_rule_without_a_price_is_passed_over)
{
	family("", "gpt-6*", 0, "openai", "gone");
	family("", "gpt-*", 50, "openai", "gone");
	family("", "gpt-*", 0, "openai", "gpt-5");
	assert_string_equal(used("t", "gpt-6"), "openai/gpt-5");
	assert_string_equal(used("t", "gpt-7"), "openai/gpt-5");
}

FAMILY(rules_match_in_any_case_and_in_the_spellings_of_resellers)
{
	static const char *const names[] = {"gpt-6", "GPT-6", "openai/gpt-6", "azure/gpt-6-2027-01-01",
		"openrouter/openai/gpt-6:free", "Gpt-6-Latest"};

	family("", "GPT-6*", 0, "openai", "gpt-5");
	family("", "claude-*", 0, "anthropic", "claude-opus-5");
	family("", "bedrock/*", 0, "groq", "gpt-oss");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_string_equal(used("t", names[i]), "openai/gpt-5");
	assert_string_equal(used("t", "us.anthropic.claude-opus-9-20270101-v1:0"), "anthropic/claude-opus-5");
	assert_string_equal(used("t", "claude-opus-9@20270101"), "anthropic/claude-opus-5");
	/* As it is written comes first. */
	assert_string_equal(used("t", "bedrock/us.anthropic.claude-opus-9"), "groq/gpt-oss");
}

FAMILY(a_dated_snapshot_costs_what_its_model_does_unless_a_rule_is_as_long)
{
	family("", "gpt-*", 0, "openai", "gpt-5");
	assert_string_equal(used("t", "gpt-4o-2024-05-13"), "openai/gpt-4o");
	assert_string_equal(used("t", "azure/gpt-4o-2024-05-13"), "openai/gpt-4o");
	assert_string_equal(used("t", "gpt-4o-latest"), "openai/gpt-4o");
	assert_string_equal(used("t", "gpt-4o-mini-2024-05-13"), "openai/gpt-5");
	assert_string_equal(used("t", "us.anthropic.claude-opus-5-20270101-v1:0"), "anthropic/claude-opus-5");
	assert_string_equal(used("t", "openrouter/gpt-oss-2027-01-01"), "openai/gpt-5"); /* not Groq's */
	price_book_free(book);
	book = NULL;
	family("", "gpt-4o*", 0, "groq", "gpt-oss");
	assert_string_equal(used("t", "gpt-4o-2024-05-13"), "groq/gpt-oss");
}

FAMILY(a_book_without_rules_knows_only_snapshots)
{
	book = price_book_new(rows, count, aliases, alias_count);
	assert_string_equal(used("t", "gpt-6"), "");
	assert_string_equal(used("t", "gpt-4o-2024-05-13"), "openai/gpt-4o");
}

FAMILY(a_pattern_has_one_star_and_that_at_its_end)
{
	static const char *const wrong[] = {"", "*", "gpt-6", "g*t*", "*gpt", "gpt-6**"};
	char prefix[ID_MAX + 1], all[ID_MAX + 2];
	struct err err;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(price_family_prefix(wrong[i], "pattern", prefix, &err));
		assert_string_equal(err.field, "pattern");
	}
	memset(all, 'a', ID_MAX);
	strcpy(all + ID_MAX - 1, "*");
	assert_true(price_family_prefix(all, "pattern", prefix, &err));
	assert_int_equal(strlen(prefix), ID_MAX - 1);
	assert_true(price_family_prefix("GPT-6*", "pattern", prefix, &err));
	assert_string_equal(prefix, "gpt-6");
}
