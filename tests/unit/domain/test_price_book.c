/* Which price is found for a model, a tenant, a user and a time. */
#include <stdio.h>
#include <string.h>

#include "domain/price/price.h"
#include "lib/test.h"

#define ROWS_MAX 64

static struct price rows[ROWS_MAX];
static struct price_alias aliases[16];
static int count, alias_count;
static struct price_book *book;

static int setup(void **state)
{
	(void)state;
	memset(rows, 0, sizeof(rows));
	memset(aliases, 0, sizeof(aliases));
	count = alias_count = 0;
	book = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	price_book_free(book);
	return 0;
}

/* A row whose input price is `pico`, by which the tests recognize it. */
static struct price *row(const char *provider, const char *model, int64_t pico)
{
	struct price *price = &rows[count++];

	snprintf(price->provider, sizeof(price->provider), "%s", provider);
	snprintf(price->model, sizeof(price->model), "%s", model);
	price->base.pico[METER_INPUT] = pico;
	return price;
}

static void owned(struct price *price, const char *tenant, const char *account)
{
	snprintf(price->tenant, sizeof(price->tenant), "%s", tenant);
	snprintf(price->account, sizeof(price->account), "%s", account);
}

static void alias(const char *tenant, const char *name, const char *provider, const char *model)
{
	struct price_alias *one = &aliases[alias_count++];

	snprintf(one->tenant, sizeof(one->tenant), "%s", tenant);
	snprintf(one->alias, sizeof(one->alias), "%s", name);
	snprintf(one->provider, sizeof(one->provider), "%s", provider);
	snprintf(one->model, sizeof(one->model), "%s", model);
}

/* The input price found, or -1. */
static int64_t find(const char *tenant, const char *account, const char *model, int64_t at_us)
{
	const struct price *price;

	if (!book)
		book = price_book_new(rows, count, aliases, alias_count);
	price = price_find(book, tenant, account, model, at_us);
	return price ? price->base.pico[METER_INPUT] : -1;
}

#define PRICED(name) TEST_WITH(name, setup, teardown)

PRICED(a_model_is_found_by_its_bare_id_and_with_its_provider)
{
	row("openai", "gpt-4o", 1);
	row("groq", "openai/gpt-oss-20b", 2);
	assert_int_equal(find("t", "u", "gpt-4o", 5), 1);
	assert_int_equal(find("t", "u", "openai/gpt-4o", 5), 1);
	assert_int_equal(find("t", "u", "openai/gpt-oss-20b", 5), 2);
	assert_int_equal(find("t", "u", "groq/openai/gpt-oss-20b", 5), 2);
	assert_int_equal(find(NULL, NULL, "gpt-4o", 5), 1);
}

PRICED(an_id_that_only_begins_like_a_model_is_not_found)
{
	row("openai", "gpt-4o", 1);
	row("mistral", "mistral-medium", 2);
	assert_int_equal(find("t", "", "gpt-4o-2024-05-13", 5), -1);
	assert_int_equal(find("t", "", "mistral-medium-2604", 5), -1);
	assert_int_equal(find("t", "", "GPT-4o", 5), -1);
	assert_int_equal(find("t", "", "gpt-4", 5), -1);
	assert_int_equal(find("t", "", "", 5), -1);
	assert_int_equal(find("t", "", "/", 5), -1);
	assert_int_equal(find("t", "", "/gpt-4o", 5), -1);
	assert_int_equal(find("t", "", "openai/", 5), -1);
	assert_int_equal(find("t", "", "openai/gpt-4o-2024-05-13", 5), -1);
}

PRICED(the_price_in_force_at_the_time_counts)
{
	row("openai", "gpt-5.6-terra", 25)->to_us = 1000;
	row("openai", "gpt-5.6-terra", 20)->from_us = 1000;
	assert_int_equal(find("t", "u", "gpt-5.6-terra", 0), 25);
	assert_int_equal(find("t", "u", "gpt-5.6-terra", 999), 25);
	assert_int_equal(find("t", "u", "gpt-5.6-terra", 1000), 20);
	assert_int_equal(find("t", "u", "gpt-5.6-terra", INT64_MAX), 20);
}

PRICED(a_row_before_its_time_or_after_its_end_is_not_found)
{
	struct price *price = row("p", "m", 1);

	price->from_us = 10;
	price->to_us = 20;
	assert_int_equal(find("t", "", "m", 9), -1);
	assert_int_equal(find("t", "", "m", 10), 1);
	assert_int_equal(find("t", "", "m", 19), 1);
	assert_int_equal(find("t", "", "m", 20), -1);
}

PRICED(of_two_rows_in_force_the_one_that_began_later_counts)
{
	row("p", "m", 1);
	row("p", "m", 2)->from_us = 50;
	assert_int_equal(find("t", "", "m", 49), 1);
	assert_int_equal(find("t", "", "m", 50), 2);
}

PRICED(the_users_price_goes_before_the_tenants_before_everybodys)
{
	row("p", "m", 1);
	owned(row("p", "m", 2), "t", "");
	owned(row("p", "m", 3), "t", "u");
	assert_int_equal(find("t", "u", "m", 5), 3);
	assert_int_equal(find("t", "u", "p/m", 5), 3);
	assert_int_equal(find("t", "v", "m", 5), 2);
	assert_int_equal(find("other", "u", "m", 5), 1);
	assert_int_equal(find("", "u", "m", 5), 1);
}

PRICED(an_override_counts_only_while_it_is_in_force)
{
	struct price *own;

	row("p", "m", 1);
	own = row("p", "m", 2);
	owned(own, "t", "u");
	own->from_us = 10;
	own->to_us = 20;
	assert_int_equal(find("t", "u", "m", 9), 1);
	assert_int_equal(find("t", "u", "m", 15), 2);
	assert_int_equal(find("t", "u", "m", 20), 1);
}

PRICED(a_bare_id_of_several_providers_is_the_preferred_ones)
{
	row("zeta", "m", 1);
	row("alpha", "m", 2);
	row("xai", "m", 3);
	row("anthropic", "m", 4);
	row("alpha", "n", 5);
	row("beta", "n", 6);
	assert_int_equal(find("t", "", "m", 5), 4);
	assert_int_equal(find("t", "", "zeta/m", 5), 1);
	assert_int_equal(find("t", "", "n", 5), 5);
}

PRICED(an_alias_decides_between_several_providers)
{
	row("openai", "m", 1);
	row("groq", "m", 2);
	row("openai", "n", 3);
	row("groq", "o", 4);
	alias("", "m", "groq", "m");
	alias("", "n", "groq", "o");
	assert_int_equal(find("t", "", "m", 5), 2);
	assert_int_equal(find("t", "", "openai/m", 5), 1);
	/* The exact id of one provider is unambiguous, so the alias is not used. */
	assert_int_equal(find("t", "", "n", 5), 3);
}

PRICED(an_alias_leads_to_its_model_and_no_further)
{
	row("openai", "gpt-4o", 1);
	owned(row("openai", "gpt-4o", 2), "t", "");
	alias("", "gpt-4o-2024-08-06", "openai", "gpt-4o");
	alias("", "chained", "openai", "gpt-4o-2024-08-06");
	alias("", "dangling", "openai", "gone");
	assert_int_equal(find("x", "", "gpt-4o-2024-08-06", 5), 1);
	assert_int_equal(find("t", "", "gpt-4o-2024-08-06", 5), 2);
	assert_int_equal(find("t", "", "openai/gpt-4o-2024-08-06", 5), 2);
	assert_int_equal(find("t", "", "chained", 5), -1);
	assert_int_equal(find("t", "", "dangling", 5), -1);
}

PRICED(a_tenants_own_alias_goes_before_everybodys)
{
	row("p", "m", 1);
	row("p", "n", 2);
	alias("", "best", "p", "m");
	alias("t", "best", "p", "n");
	assert_int_equal(find("t", "", "best", 5), 2);
	assert_int_equal(find("other", "", "best", 5), 1);
}

PRICED(an_empty_book_finds_nothing)
{
	const char *out[3];

	assert_int_equal(find("t", "u", "m", 5), -1);
	assert_int_equal(price_nearest(book, "t", "m", out, 3), 0);
}

PRICED(a_book_of_many_rows_finds_each)
{
	static struct price many[4000];
	struct price_book *large;

	for (int i = 0; i < 4000; i++) {
		memset(&many[i], 0, sizeof(many[i]));
		snprintf(many[i].provider, sizeof(many[i].provider), "p%d", i % 3);
		snprintf(many[i].model, sizeof(many[i].model), "m%d", i * 7919 % 4000);
		snprintf(many[i].tenant, sizeof(many[i].tenant), "%s", i % 5 ? "" : "t");
		many[i].base.pico[METER_INPUT] = i;
	}
	large = price_book_new(many, 4000, NULL, 0);
	for (int i = 0; i < 4000; i++) {
		const struct price *price = price_find(large, "t", "", many[i].model, 1);

		assert_non_null(price);
		assert_int_equal(price->base.pico[METER_INPUT], i);
		assert_int_equal(price_find(large, "x", "", many[i].model, 1) != NULL, i % 5 != 0);
	}
	price_book_free(large);
}

PRICED(the_nearest_ids_are_named_best_first)
{
	const char *out[3];

	row("openai", "gpt-4o", 1);
	row("openai", "gpt-4o-mini", 1);
	row("openai", "gpt-4.1", 1);
	row("anthropic", "claude-sonnet-5", 1);
	owned(row("p", "gpt-40", 1), "other", "");
	owned(row("p", "gpt-4p", 1), "t", "u");
	owned(row("p", "gpt-4oo", 1), "t", "");
	find("t", "", "x", 0);
	assert_int_equal(price_nearest(book, "t", "gpt-4o0", out, 3), 3);
	assert_true(strcmp(out[0], "gpt-4o") == 0 || strcmp(out[0], "gpt-4oo") == 0);
	assert_string_equal(out[2], "gpt-4.1");
	assert_int_equal(price_nearest(book, "t", "openai/gpt-4o-mni", out, 1), 1);
	assert_string_equal(out[0], "gpt-4o-mini");
	assert_int_equal(price_nearest(book, "t", "claude-sonet-5", out, 3), 1);
	assert_string_equal(out[0], "claude-sonnet-5");
	assert_int_equal(price_nearest(book, "t", "bedrock/us.anthropic.claude-sonet-5-v1:0", out, 1), 1);
	assert_string_equal(out[0], "claude-sonnet-5");
	assert_int_equal(price_nearest(book, "t", "zzzzzzzzzzzzzzzz", out, 3), 0);
	assert_int_equal(price_nearest(book, "t", "gpt-4o", out, 0), 0);
}

PRICED(an_id_that_several_providers_have_is_known_as_such)
{
	row("openai", "gpt-4o", 1);
	row("openai", "gpt-4o", 2)->from_us = 10;
	row("groq", "llama", 3);
	row("azure", "llama", 4)->from_us = 10;
	owned(row("azure", "gpt-4o", 5), "t", "");
	owned(row("azure", "gpt-4o", 6), "other", "u");
	assert_int_equal(find("t", "", "gpt-4o", 5), 5);
	assert_true(price_has_providers(book, "t", "gpt-4o", 5));
	assert_false(price_has_providers(book, "other", "gpt-4o", 5));
	assert_false(price_has_providers(book, "", "llama", 9));
	assert_true(price_has_providers(book, "", "llama", 10));
	assert_false(price_has_providers(book, "t", "none", 5));
}

PRICED(the_last_beginning_or_end_within_a_time_is_found)
{
	row("p", "a", 1)->to_us = 10;
	row("p", "a", 2)->from_us = 20;
	row("p", "b", 3);
	assert_int_equal(find("t", "", "b", 5), 3);
	assert_int_equal(price_last_turn(book, 0, 9), 0);
	assert_int_equal(price_last_turn(book, 0, 10), 10);
	assert_int_equal(price_last_turn(book, 10, 19), 10);
	assert_int_equal(price_last_turn(book, 0, INT64_MAX), 20);
	assert_int_equal(price_last_turn(book, 30, INT64_MAX), 30);
}
