/* Which model a name resolves to, and which account and limits belong to it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "domain/price/price_family.h"
#include "lib/test.h"
#include "store/catalog_build.h"

static struct price prices[16];
static struct price_alias aliases[16];
static struct tenant tenants[2];
static int price_count, alias_count;
static struct catalog *catalog;
static struct arena arena;

static void put(char *to, const char *from)
{
	snprintf(to, ID_MAX + 1, "%s", from);
}

static struct price *price(const char *provider, const char *model)
{
	struct price *row = &prices[price_count++];

	*row = (struct price){0};
	put(row->provider, provider);
	put(row->model, model);
	return row;
}

static void alias(const char *name, const char *provider, const char *model)
{
	struct price_alias *row = &aliases[alias_count++];

	*row = (struct price_alias){0};
	put(row->alias, name);
	put(row->provider, provider);
	put(row->model, model);
}

static int setup(void **state)
{
	(void)state;
	price_count = alias_count = 0;
	for (int i = 0; i < 2; i++) {
		free(tenants[i].model_account);
		tenant_defaults(&tenants[i], i ? "t" : "default");
	}
	price("openai", "gpt-4o");
	price("groq", "openai/gpt-oss");
	price("hub", "Big-Model");
	alias("gpt-4o-2024-08-06", "openai", "gpt-4o");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	catalog_release(catalog);
	catalog = NULL;
	arena_release(&arena);
	return 0;
}

static void account(const char *id)
{
	struct tenant *tenant = &tenants[1];

	if (!tenant->model_account)
		tenant->model_account = mem_zalloc(16, sizeof(*tenant->model_account));
	put(tenant->model_account[tenant->model_accounts++], id);
}

/* A tier of the tenant's own, with one limit on each of the models. */
static void catalog_of(const char *const *models, int count, int64_t at_us)
{
	struct catalog_parts parts = {.tenants = 2, .tiers = 1, .names_at_us = at_us};
	struct policy *policy;
	struct err err;

	parts.tenant = mem_zalloc(2, sizeof(*parts.tenant));
	parts.tier = mem_zalloc(1, sizeof(*parts.tier));
	memcpy(parts.tenant, tenants, sizeof(tenants));
	tenants[1].model_account = NULL; /* taken over */
	tenants[1].model_accounts = 0;
	parts.prices = price_book_new(prices, price_count, aliases, alias_count);
	put(parts.tier[0].tenant, "t");
	strcpy(parts.tier[0].tier.name, "own");
	policy = &parts.tier[0].tier.policy;
	for (int i = 0; i < count; i++) {
		struct limit *limit = &policy->limits[policy->count++];

		*limit = (struct limit){.dimension = DIM_REQUESTS, .kind = KIND_CALENDAR, .amount = i};
		snprintf(limit->name, sizeof(limit->name), "l%d", i);
		put(limit->model, models[i]);
	}
	assert_true(policy_prepare(policy, &err));
	catalog = catalog_new(&parts);
}

static void catalog_plain(void)
{
	catalog_of(NULL, 0, 0);
}

/* "provider/model" */
static const char *leads_to(const char *name)
{
	static char text[2 * ID_MAX + 2];
	struct model_name model;

	catalog_model(catalog, "t", "", name, &model);
	snprintf(text, sizeof(text), "%s/%s", model.provider, model.model);
	assert_int_equal(model.hash, selector_hash(model.key, strlen(model.key)));
	return text;
}

static const char *account_of(const char *name)
{
	struct model_name model;

	catalog_model(catalog, "t", "", name, &model);
	return tenant_model_account(catalog_tenant(catalog, "t"), &model);
}

#define NAMED(name) TEST_WITH(name, setup, teardown)

NAMED(every_name_leads_to_the_model_that_prices_it)
{
	static const char *const names[] = {"gpt-4o", "openai/gpt-4o", "gpt-4o-2024-08-06", "openai/gpt-4o-2024-08-06"};

	catalog_plain();
	for (int i = 0; i < 4; i++)
		assert_string_equal(leads_to(names[i]), "openai/gpt-4o");
	assert_string_equal(leads_to("openai/gpt-oss"), "groq/openai/gpt-oss");
	assert_string_equal(leads_to("Big-Model"), "hub/Big-Model");
	assert_string_equal(leads_to(""), "/");
}

NAMED(a_name_without_a_price_is_itself_in_lower_case)
{
	struct model_name priced, other;

	catalog_plain();
	assert_string_equal(leads_to("GPT-4o"), "/gpt-4o");
	assert_string_equal(leads_to("azure/X"), "/azure/x");
	catalog_model(catalog, "t", "", "Big-Model", &priced);
	catalog_model(catalog, "t", "", "big-MODEL", &other);
	assert_int_equal(priced.hash, other.hash);
}

NAMED(with_a_fallback_it_is_the_fallbacks_unless_the_tenant_speaks_of_it)
{
	static const char *const models[] = {"Own-Limit"};

	tenants[1].unknown_model = MODEL_FALLBACK;
	put(tenants[1].fallback_model, "gpt-4o-2024-08-06");
	account("own-account");
	catalog_of(models, 1, 0);
	assert_string_equal(leads_to("nobody-knows"), "openai/gpt-4o");
	assert_string_equal(leads_to("GPT-4O"), "openai/gpt-4o");
	assert_string_equal(leads_to("own-LIMIT"), "/own-limit");
	assert_string_equal(leads_to("own-account"), "/own-account");
	assert_string_equal(leads_to("Big-Model"), "hub/Big-Model");
}

NAMED(with_families_it_is_the_familys_else_the_fallbacks_unless_the_tenant_speaks_of_it)
{
	static const char *const models[] = {"gpt-own"};
	const struct price_family families[] = {{.prefix = "gpt-", .provider = "openai", .model = "gpt-4o"},
		{.tenant = "other", .prefix = "big-", .provider = "openai", .model = "gpt-4o"}};

	tenants[1].unknown_model = MODEL_FAMILY;
	put(tenants[1].fallback_model, "Big-Model");
	catalog_of(models, 1, 0);
	assert_string_equal(leads_to("gpt-9"), "hub/Big-Model");
	price_book_families((struct price_book *)(uintptr_t)catalog_prices(catalog), families, 2);
	assert_string_equal(leads_to("gpt-9"), "openai/gpt-4o");
	assert_string_equal(leads_to("azure/GPT-9"), "openai/gpt-4o");
	assert_string_equal(leads_to("gpt-OWN"), "/gpt-own");
	assert_string_equal(leads_to("big-one"), "hub/Big-Model");
	assert_string_equal(leads_to(""), "/");
}

NAMED(prices_of_a_user_lead_the_user_alone)
{
	struct price *own = price("openai", "tuned");
	struct model_name model;

	put(own->tenant, "t");
	put(own->account, "ann");
	alias("tuned", "openai", "gpt-4o");
	catalog_plain();
	catalog_model(catalog, "t", "ann", "tuned", &model);
	assert_string_equal(model.model, "tuned");
	catalog_model(catalog, "t", "bob", "tuned", &model);
	assert_string_equal(model.model, "gpt-4o");
}

NAMED(a_name_moves_with_the_time_of_the_names_not_with_the_clock)
{
	price("p", "preview")->to_us = 1000;
	alias("preview", "openai", "gpt-4o");
	catalog_of(NULL, 0, 999);
	assert_string_equal(leads_to("preview"), "p/preview");
	catalog_release(catalog);
	catalog_of(NULL, 0, 1000);
	assert_string_equal(leads_to("preview"), "openai/gpt-4o");
}

NAMED(limits_of_tiers_count_what_their_models_lead_to)
{
	static const char *const models[] = {"gpt-4o", "openai/gpt-4o", "gpt-4o-2024-08-06", "Unknown", ""};
	const struct policy *policy;
	struct policy raw;
	struct err err;

	catalog_of(models, 5, 0);
	policy = &catalog_tier(catalog, "t", "own")->policy;
	for (int i = 0; i < 3; i++)
		assert_int_equal(policy->limits[i].model_hash, selector_hash("gpt-4o", 6));
	assert_int_equal(policy->limits[3].model_hash, selector_hash("unknown", 7));
	assert_int_equal(policy->limits[4].model_hash, 0);
	assert_string_equal(policy->limits[2].model, "gpt-4o-2024-08-06");
	raw = *policy;
	assert_true(policy_prepare(&raw, &err));
	assert_memory_not_equal(raw.pid, policy->pid, sizeof(raw.pid));
}

NAMED(a_model_has_one_account_under_all_its_names)
{
	static const char *const names[] = {"gpt-4o", "openai/gpt-4o", "gpt-4o-2024-08-06"};

	catalog_plain();
	assert_null(account_of("gpt-4o"));
	for (int i = 0; i < 3; i++)
		assert_string_equal(catalog_model_account_id(catalog, "t", names[i], &arena), "gpt-4o");
	catalog_release(catalog);
	account("gpt-4o-2024-08-06");
	catalog_plain();
	for (int i = 0; i < 3; i++) {
		assert_string_equal(account_of(names[i]), "gpt-4o-2024-08-06");
		assert_string_equal(catalog_model_account_id(catalog, "t", names[i], &arena), "gpt-4o-2024-08-06");
	}
	assert_null(account_of("Big-Model"));
	assert_null(account_of(""));
}

NAMED(of_two_accounts_of_one_model_the_one_by_its_id_counts)
{
	account("openai/gpt-4o");
	account("gpt-4o-2024-08-06");
	account("gpt-4o");
	catalog_plain();
	assert_string_equal(account_of("openai/gpt-4o"), "gpt-4o");
	assert_string_equal(catalog_model_account_id(catalog, "t", "openai/gpt-4o", &arena), "gpt-4o");
}

NAMED(a_model_of_several_providers_may_have_an_account_at_each)
{
	price("azure", "gpt-4o");
	account("azure/gpt-4o");
	catalog_plain();
	assert_string_equal(account_of("azure/gpt-4o"), "azure/gpt-4o");
	assert_null(account_of("gpt-4o"));
	assert_string_equal(catalog_model_account_id(catalog, "t", "gpt-4o-2024-08-06", &arena), "gpt-4o");
	assert_string_equal(catalog_model_account_id(catalog, "t", "openai/gpt-4o", &arena), "openai/gpt-4o");
	catalog_release(catalog);
	account("azure/gpt-4o");
	account("gpt-4o");
	catalog_plain();
	assert_string_equal(account_of("azure/gpt-4o"), "azure/gpt-4o");
	assert_string_equal(account_of("openai/gpt-4o"), "gpt-4o");
}

NAMED(a_tenant_without_a_row_and_a_catalog_without_prices_resolve_names_too)
{
	struct catalog_parts parts = {0};
	struct model_name model;

	catalog_plain();
	catalog_model(catalog, "nobody", "", "gpt-4o-2024-08-06", &model);
	assert_string_equal(model.model, "gpt-4o");
	catalog_release(catalog);
	catalog = catalog_new(&parts);
	catalog_model(catalog, "nobody", "", "GPT-4o", &model);
	assert_string_equal(model.model, "gpt-4o");
	assert_string_equal(model.provider, "");
	assert_null(tenant_model_account(catalog_tenant(catalog, "nobody"), &model));
}
