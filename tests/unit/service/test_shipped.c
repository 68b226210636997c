/* The migrations ship exactly what the lists in deploy/data and the table of tiers contain. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/embedded.h"
#include "domain/price/price_csv.h"
#include "lib/source.h"
#include "lib/test.h"
#include "tiers_default.h"

static const char *migration(const char *name)
{
	for (size_t i = 0; i < embedded_migrations_count; i++) {
		if (strcmp(embedded_migrations[i].name, name) == 0)
			return embedded_migrations[i].up;
	}
	fail_msg("no migration %s", name);
	return NULL;
}

static struct price_sheet list_of(const char *name)
{
	struct buf text = {0};
	struct price_sheet list;
	struct err err = {0};
	char path[64];

	snprintf(path, sizeof(path), "deploy/data/%s", name);
	source_read(path, &text);
	if (!price_csv_parse(text.data, text.len, &list, &err))
		fail_msg("%s: %s", name, err.text);
	buf_release(&text);
	return list;
}

/* Finds the SQL line that inserts the price by its key; it must contain the price's dates and rates. */
static void assert_shipped(const char *sql, const struct price *price, bool dated)
{
	char needle[400], rates[256] = "";
	const char *line, *end, *found;

	for (int i = 0; i < METER_COUNT; i++) {
		static const enum meter order[] = {METER_INPUT, METER_OUTPUT, METER_CACHED_INPUT, METER_CACHE_WRITE};
		size_t used = strlen(rates);

		if (i < 4 && price->base.pico[order[i]] == PRICE_NONE)
			snprintf(rates + used, sizeof(rates) - used, "NULL, ");
		else if (i < 4)
			snprintf(rates + used, sizeof(rates) - used, "%" PRId64 ", ", price->base.pico[order[i]]);
	}
	snprintf(needle, sizeof(needle), "('%s', '%s', ", price->provider, price->model);
	for (line = strstr(sql, needle); line; line = strstr(end, needle)) {
		end = strchr(line, '\n');
		found = strstr(line, rates);
		if (!found || found > end)
			continue;
		if (dated) {
			snprintf(rates, sizeof(rates), "%" PRId64 ", %" PRId64 ", ", price->from_us, price->to_us);
			assert_ptr_equal(strstr(line, rates), line + strlen(needle));
		}
		if (price->context_tiers) {
			snprintf(rates, sizeof(rates),
				"[{\"above\":%" PRId64 ",\"input\":%" PRId64 ",\"output\":%" PRId64,
				price->context[0].above_tokens, price->context[0].rates.pico[METER_INPUT],
				price->context[0].rates.pico[METER_OUTPUT]);
			found = strstr(line, rates);
			assert_true(found && found < end);
		}
		return;
	}
	fail_msg("%s/%s is not in the migration with these rates", price->provider, price->model);
}

TEST(every_price_of_the_first_list_is_in_its_migration)
{
	struct price_sheet list = list_of("2026-08/model_prices.csv");
	const char *sql = migration("prices");
	static const char *const providers[] = {
		"openai", "anthropic", "google", "mistral", "deepseek", "xai", "groq", "cohere", "ollama"};
	int priced = 0;

	for (int i = 0; i < list.count; i++) {
		assert_shipped(sql, &list.prices[i], false);
		priced += list.prices[i].base.pico[METER_INPUT] > 0;
		assert_true(strlen(list.prices[i].source) > 0);
	}
	assert_int_equal(list.count, 134);
	assert_true(priced >= 100);
	for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++) {
		char needle[64];

		snprintf(needle, sizeof(needle), "\n('%s', ", providers[i]);
		assert_non_null(strstr(sql, needle));
	}
	price_sheet_release(&list);
}

TEST(every_dated_price_of_the_first_list_is_in_its_migration)
{
	struct price_sheet list = list_of("2026-08/model_price_changes.csv");
	const char *sql = migration("prices");

	for (int i = 0; i < list.count; i++)
		assert_shipped(sql, &list.prices[i], true);
	assert_int_equal(list.count, 7);
	price_sheet_release(&list);
	/* The previous row ends when the next one begins. */
	assert_non_null(strstr(sql, "('openai', 'gpt-5.6-terra', 0, 1785369600000000, 2500000, 15000000, "));
	assert_non_null(strstr(sql, "('openai', 'gpt-5.6-terra', 1785369600000000, 0, 2000000, 12000000, "));
	assert_non_null(strstr(sql, "('openai', 'gpt-5.6-luna', 0, 1785369600000000, 1000000, 6000000, "));
	assert_non_null(strstr(sql, "('openai', 'gpt-5.6-luna', 1785369600000000, 0, 200000, 1200000, "));
	assert_non_null(strstr(sql, "('anthropic', 'claude-sonnet-5', 1788220800000000, 0, 3000000, 15000000, "));
	assert_non_null(strstr(sql, "('google', 'gemini-3.7-flash', 0, 1798761600000000, 750000, 3750000, "));
	assert_non_null(strstr(sql, "('google', 'gemini-3.7-flash', 1798761600000000, 0, 1500000, 7500000, "));
}

static const struct price *listed_at(
	const struct price_sheet *list, const char *provider, const char *model, int64_t at_us)
{
	for (int i = 0; i < list->count; i++) {
		const struct price *price = &list->prices[i];

		if (strcmp(price->provider, provider) == 0 && strcmp(price->model, model) == 0 &&
			price->from_us <= at_us && (price->to_us == 0 || price->to_us > at_us))
			return price;
	}
	fail_msg("%s/%s is not listed", provider, model);
	return NULL;
}

/* What 1,000,000 of each kind of token cost then, in that mode, in micro-USD. */
static void assert_costs(
	const struct price *price, const char *mode, int64_t at_us, int64_t input, int64_t output, int64_t cached)
{
	const int64_t expected[] = {input, output, cached};
	static const enum meter meters[] = {METER_INPUT, METER_OUTPUT, METER_CACHED_INPUT};

	for (int i = 0; i < 3; i++) {
		struct meters used = {{0}};
		struct cost cost;
		struct err err;

		used.count[meters[i]] = 1000;
		assert_true(price_cost(price, &used, (struct purchase){.mode = mode, .at_us = at_us}, &cost, &err));
		assert_int_equal(cost.nano, expected[i]);
	}
}

#define NOVEMBER INT64_C(1795910400000000) /* 2026-11-29, a Sunday */
#define HOUR_US INT64_C(3600000000)

/* Rates that the first list had wrong, or did not have. */
TEST(the_shipped_list_has_the_rates_of_the_providers_pages)
{
	struct price_sheet list = list_of("model_prices.csv");
	const struct price *price = listed_at(&list, "openai", "gpt-5.6-sol", NOVEMBER);

	assert_costs(price, "", NOVEMBER, 4000000, 20000000, 400000);
	assert_costs(price, "batch", NOVEMBER, 2000000, 10000000, 200000);
	assert_int_equal(price->from_us, INT64_C(1787270400000000));
	assert_costs(listed_at(&list, "openai", "gpt-5.6", NOVEMBER), "flex", NOVEMBER, 2000000, 10000000, 200000);
	assert_costs(
		listed_at(&list, "anthropic", "claude-sonnet-5", NOVEMBER), "", NOVEMBER, 2000000, 10000000, 200000);
	price = listed_at(&list, "deepseek", "deepseek-v4-pro", NOVEMBER);
	assert_costs(price, "", NOVEMBER + 2 * HOUR_US, 660000, 1980000, 22000);
	assert_costs(price, "", NOVEMBER + 26 * HOUR_US, 1320000, 3960000, 44000);
	assert_costs(price, "", NOVEMBER + 29 * HOUR_US, 660000, 1980000, 22000);
	price = listed_at(&list, "deepseek", "deepseek-v4-flash", NOVEMBER);
	assert_costs(price, "", NOVEMBER + 30 * HOUR_US, 300000, 1200000, 6000);
	assert_int_equal(listed_at(&list, "xai", "grok-4.5", NOVEMBER)->context[0].above_tokens, 199999);
	assert_costs(
		listed_at(&list, "mistral", "mistral-medium-2508", NOVEMBER), "", NOVEMBER, 400000, 2000000, 40000);
	assert_costs(
		listed_at(&list, "google", "gemini-2.5-pro", NOVEMBER), "batch", NOVEMBER, 625000, 5000000, 125000);
	price = listed_at(&list, "google", "gemini-embedding-001", NOVEMBER);
	assert_string_equal(price->mode[0].name, "batch");
	price_sheet_release(&list);
}

/* The row of the new list with these dates must have the price's rates and source. */
static void assert_listed(const char *sql, const struct price *price)
{
	static const enum meter order[] = {METER_INPUT, METER_OUTPUT, METER_CACHED_INPUT, METER_CACHE_WRITE};
	struct buf needle = {0};
	const char *line;

	buf_putf(&needle, "\n('%s', '%s', %" PRId64 ", %" PRId64, price->provider, price->model, price->from_us,
		price->to_us);
	for (int i = 0; i < 4; i++) {
		if (price->base.pico[order[i]] == PRICE_NONE)
			buf_put_str(&needle, ", NULL");
		else
			buf_putf(&needle, ", %" PRId64, price->base.pico[order[i]]);
	}
	line = strstr(strstr(sql, "INSERT INTO price_list_after"), buf_str(&needle));
	if (!line)
		fail_msg("the migration lacks %s", buf_str(&needle));
	buf_release(&needle);
}

TEST(every_listed_price_is_in_the_migration_with_a_source_and_its_date)
{
	struct price_sheet list = list_of("model_prices.csv");
	const char *sql = migration("price_list");
	int models = 0, providers = 0;

	for (int i = 0; i < list.count; i++) {
		const struct price *price = &list.prices[i], *before = i ? &list.prices[i - 1] : NULL;
		bool same_provider = before && strcmp(before->provider, price->provider) == 0;

		assert_listed(sql, price);
		assert_true(strcmp(price->provider, "ollama") == 0 || strstr(price->source, "(2026-") ||
			    strstr(price->source, ",2026-"));
		providers += !same_provider;
		models += !same_provider || strcmp(before->model, price->model) != 0;
	}
	assert_true(models >= 400);
	assert_true(providers >= 25);
	price_sheet_release(&list);
}

/* As in 0003, without the cost bucket that 0013 removes, which comes before the last limit. */
TEST(the_shipped_tiers_are_those_of_the_table)
{
	const char *sql = migration("shipped");
	char row[256];
	int rows = 0;

	for (int i = 0; i < TIERS_DEFAULT; i++) {
		const struct tier_default *tier = &tiers_default[i];
		struct policy policy;
		struct err err;

		snprintf(row, sizeof(row), "('', '%s', %d, %d, %d, '%s')", tier->name, tier->pool_priority,
			tier->pool_concurrent, TIERS_DEFAULT_OUTPUT_TOKENS, tier->upgrade_to);
		assert_non_null(strstr(sql, row));
		assert_true(tier_default_policy(tier, &policy, &err));
		for (int k = 0; k < policy.count; k++) {
			const struct limit *limit = &policy.limits[k];

			snprintf(row, sizeof(row), "('', '%s', %d, '%s', %d, %d, %d, %" PRId64 ", %" PRId64 ", %s, %s)",
				tier->name, k + (k == 6), limit->name, (int)limit->dimension, (int)limit->kind,
				(int)limit->unit, limit->amount, limit->period_us, limit->shadow ? "true" : "false",
				limit->notify ? "true" : "false");
			if (!strstr(sql, row))
				fail_msg("the migration lacks %s", row);
			rows++;
		}
	}
	for (const char *p = strstr(sql, "\n('', '"); p; p = strstr(p + 1, "\n('', '"))
		rows--;
	assert_int_equal(rows, -TIERS_DEFAULT - TIERS_DEFAULT);
	assert_non_null(
		strstr(migration("corrections"), "DELETE FROM tier_limits WHERE tenant = '' AND name = 'cost_refill'"));
}

TEST(the_shipped_tiers_are_those_of_the_design)
{
	static const int64_t amounts[TIERS_DEFAULT][6] = {
		{3, 40000, 50, 1000, 250000000, 5000000000},
		{20, 200000, 1000, 20000, 5000000000, 100000000000},
		{100, 1000000, 10000, 200000, 50000000000, 1000000000000},
	};

	for (int i = 0; i < TIERS_DEFAULT; i++) {
		struct policy policy;
		struct err err;

		assert_ptr_equal(tier_default_find(tiers_default[i].name), &tiers_default[i]);
		assert_true(tier_default_policy(&tiers_default[i], &policy, &err));
		assert_int_equal(policy.count, 7);
		for (int k = 0; k < 6; k++) {
			assert_int_equal(policy.limits[k].amount, amounts[i][k]);
			if (policy.limits[k].kind == KIND_BUCKET)
				assert_int_equal(policy.limits[k].burst, amounts[i][k]);
		}
		assert_string_equal(policy.limits[6].name, "tokens_per_month");
		assert_true(policy.limits[6].shadow);
	}
	assert_null(tier_default_find("gold"));
}
