/* Tenants, tiers and their catalog, in a PostgreSQL of the test's own. */

#include "base/clock.h"
#include "lib/test.h"
#include "pg_accounts.h"
#include "pg_server.h"

/* A load that began between two changes has only the first, and there may be several loads before one has both. */
static struct catalog *acquire_with(struct catalog_source *source, const char *name, int64_t amount)
{
	for (int i = 0; i < 6000; i++) {
		struct catalog *catalog = catalog_acquire(source);
		const struct tier *tier = catalog_tier(catalog, "fleet", name);

		if (tier && tier->policy.limits[0].amount == amount)
			return catalog;
		catalog_release(catalog);
		uv_sleep(10);
	}
	fail_msg("the catalog has no tier %s with %lld after a minute", name, (long long)amount);
	return NULL;
}

ON_BENCH(a_tier_raises_the_epoch_and_reaches_the_catalog)
{
	struct tier_put op = {.job = JOB,
		.tenant = "fleet",
		.tier = {.name = "gold",
			.pool_priority = 7,
			.pool_concurrent = 3,
			.default_output_tokens = 500,
			.fail_policy = FAIL_OPEN,
			.upgrade_to = "enterprise"}};
	struct err err;
	struct catalog_source *source = pg_catalog_start(bench.db, 5, &err);

	assert_non_null(source);
	assert_true(pg_catalog_wait(source, 10000, &err));
	op.tier.policy.limits[op.tier.policy.count++] = limit_example("a", 10);
	RUN_OK(tier_put, &op);
	op.tier.policy.limits[0].amount = 11;
	RUN_OK(tier_put, &op);
	pg_catalog_poke(source);
	struct catalog *catalog = acquire_with(source, "gold", 11);
	const struct tier *tier = catalog_tier(catalog, "fleet", "gold");
	assert_non_null(tier);
	assert_int_equal(tier->policy.limits[0].amount, 11);
	assert_int_equal(tier->fail_policy, FAIL_OPEN);
	assert_null(catalog_tier(catalog, "other", "gold"));
	assert_true(catalog_tier(catalog, "other", "free")->shipped);
	assert_int_equal(catalog_tenant(catalog, "fleet")->epoch, catalog_tenant(catalog, "other")->epoch + 2);
	assert_string_equal(catalog_tier_next(catalog, "fleet", "free")->name, "gold");
	catalog_release(catalog);
	pg_catalog_stop(source);
}

static const char *account_of(const struct catalog *catalog, const char *tenant, const char *model)
{
	struct model_name name;

	catalog_model(catalog, tenant, "", model, &name);
	return tenant_model_account(catalog_tenant(catalog, tenant), &name);
}

ON_BENCH(the_catalog_knows_prices_aliases_and_model_accounts)
{
	struct err err;

	assert_true(pg_server_exec(bench.db,
		"INSERT INTO accounts (tenant, kind, id) VALUES ('x', 4, 'gpt-5.6'), ('x', 5, 'x'), "
		"('default', 4, 'm2'), ('default', 4, 'm1')"));
	struct catalog_source *source = pg_catalog_start(bench.db, 5, &err);
	assert_true(pg_catalog_wait(source, 10000, &err));
	struct catalog *catalog = catalog_acquire(source);
	const struct price *price = price_find(catalog_prices(catalog), "x", "", "openai/gpt-5.6", clock_wall_us());
	assert_non_null(price);
	assert_int_equal(price->base.pico[METER_INPUT], 4000000);
	assert_int_equal(price->context_tiers, 1);
	assert_int_equal(price->context[0].above_tokens, 272000);
	assert_int_equal(price->context[0].rates.pico[METER_OUTPUT], 30000000);
	assert_int_equal(price->context[0].rates.pico[METER_REASONING], PRICE_NONE);
	assert_int_equal(price->modes, 4);
	assert_string_equal(price->mode[0].name, "batch");
	assert_int_equal(price->mode[0].den, 2);
	assert_string_equal(account_of(catalog, "x", "openai/gpt-5.6"), "gpt-5.6");
	assert_true(catalog_tenant(catalog, "x")->has_account);
	assert_string_equal(catalog_tenant(catalog, "x")->id, "x");
	assert_string_equal(account_of(catalog, "default", "m1"), "m1");
	assert_null(account_of(catalog, "elsewhere", "m1"));
	catalog_release(catalog);
	pg_server_crash();
	pg_catalog_poke(source);
	catalog = catalog_acquire(source);
	assert_non_null(catalog);
	catalog_release(catalog);
	pg_catalog_stop(source);
	pg_server_revive();
}

ON_BENCH(a_tenants_settings_are_kept)
{
	struct tenant_put op = {.job = JOB,
		.tenant = {.id = "t",
			.default_tier = "pro",
			.unknown_users = UNKNOWN_REFUSE,
			.unknown_model = MODEL_FREE,
			.language = "de",
			.cost_source = COST_PROVIDER}};
	struct tenant_list list = {.job = JOB, .after = "default", .limit = 10};

	RUN_OK(tenant_put, &op);
	assert_true(op.tenant.epoch >= 2);
	RUN_OK(tenant_list, &list);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.rows[0].default_tier, "pro");
	assert_int_equal(list.rows[0].unknown_model, MODEL_FREE);
	assert_int_equal(list.rows[0].cost_source, COST_PROVIDER);
	assert_int_equal(list.rows[0].epoch, op.tenant.epoch);
}

TEST_GROUP(pg_bench_start, NULL);
