/* Aliases and families of models in a PostgreSQL of the test's own. */
#include <stdio.h>
#include <string.h>

#include "lib/test.h"
#include "pg_bench.h"
#include "pg_server.h"

static struct price_alias alias_of(const char *tenant, const char *name, const char *model)
{
	struct price_alias alias = {.provider = "openai"};

	snprintf(alias.tenant, sizeof(alias.tenant), "%s", tenant);
	snprintf(alias.alias, sizeof(alias.alias), "%s", name);
	snprintf(alias.model, sizeof(alias.model), "%s", model);
	return alias;
}

static struct price_family family_of(const char *prefix, const char *model, int64_t from_us)
{
	struct price_family family = {.tenant = "t", .provider = "openai", .from_us = from_us};

	snprintf(family.prefix, sizeof(family.prefix), "%s", prefix);
	snprintf(family.model, sizeof(family.model), "%s", model);
	return family;
}

static const char *audited(void)
{
	return pg_server_ask(bench.db,
		"SELECT string_agg(concat_ws(' ', action, tenant, target, before::text, details::text), '; ' ORDER BY id) "
		"FROM audit_log WHERE action ~ '^(alias|family)'");
}

ON_BENCH(an_alias_is_put_replaced_and_deleted_with_a_row_in_the_log_each)
{
	struct alias_put put = {.job = JOB, .alias = alias_of("t", "best", "gpt-5")};
	struct alias_delete gone = {.job = JOB, .alias = alias_of("t", "best", "")};
	long long names = pg_server_ask_number(bench.db, "SELECT names FROM catalog_epoch");

	RUN_OK(alias_put, &put);
	put.alias = alias_of("t", "best", "gpt-6");
	RUN_OK(alias_put, &put);
	RUN_OK(alias_delete, &gone);
	assert_string_equal(gone.alias.model, "gpt-6");
	assert_string_equal(audited(),
		"alias.put t best null {\"leads_to\": \"openai/gpt-5\"}; alias.put t best {\"leads_to\": "
		"\"openai/gpt-5\"} {\"leads_to\": \"openai/gpt-6\"}; alias.delete t best {\"leads_to\": "
		"\"openai/gpt-6\"} null");
	assert_true(pg_server_ask_number(bench.db, "SELECT names FROM catalog_epoch") >= names + 3);
	RUN(alias_delete, &gone);
	assert_int_equal(gone.job.err.code, ERR_NOT_FOUND);
}

ON_BENCH(the_last_of_the_aliases_has_room_and_one_more_has_none)
{
	struct alias_put put = {.job = JOB, .alias = alias_of("t", "z", "gpt-5")};

	assert_true(pg_server_exec(
		bench.db, "INSERT INTO model_aliases SELECT 't', 'a' || n, 'p', 'm' FROM generate_series(1, 4999) n"));
	RUN_OK(alias_put, &put);
	put.alias = alias_of("t", "zz", "gpt-5");
	RUN(alias_put, &put);
	assert_int_equal(put.job.err.code, ERR_PRECONDITION);
	put.alias = alias_of("u", "zz", "gpt-5");
	RUN_OK(alias_put, &put);
}

ON_BENCH(the_first_rule_applies_always_and_another_one_from_now_on)
{
	struct family_put put = {.job = JOB, .family = family_of("gpt-", "gpt-5", 0), .now_us = 1000};

	RUN_OK(family_put, &put);
	assert_int_equal(put.family.from_us, 0);
	put.now_us = 2000;
	RUN_OK(family_put, &put); /* the same again changes nothing */
	put.family = family_of("gpt-", "gpt-6", 0);
	RUN_OK(family_put, &put);
	assert_int_equal(put.family.from_us, 2000);
	put.family = family_of("gpt-", "gpt-7", 5000);
	RUN_OK(family_put, &put);
	assert_string_equal(pg_server_ask(bench.db,
				    "SELECT string_agg(concat_ws(' ', pattern, from_us, model), ', ' ORDER BY from_us) "
				    "FROM model_families WHERE tenant = 't'"),
		"gpt-* 0 gpt-5, gpt-* 2000 gpt-6, gpt-* 5000 gpt-7");
	assert_int_equal(
		pg_server_ask_number(bench.db, "SELECT count(*) FROM audit_log WHERE action = 'family.put'"), 3);
}

ON_BENCH(rules_are_deleted_one_by_one_or_all_with_their_pattern)
{
	struct family_put put = {.job = JOB, .family = family_of("gpt-", "gpt-5", 0), .now_us = 1000};
	struct family_delete gone = {.job = JOB, .tenant = "t", .prefix = "gpt-", .from_us = 7};

	RUN_OK(family_put, &put);
	put.family = family_of("gpt-", "gpt-6", 7);
	RUN_OK(family_put, &put);
	put.family = family_of("gpt-", "gpt-7", 9);
	RUN_OK(family_put, &put);
	RUN_OK(family_delete, &gone);
	assert_int_equal(gone.count, 1);
	assert_string_equal(gone.rows[0].model, "gpt-6");
	gone.from_us = 0;
	RUN_OK(family_delete, &gone);
	assert_int_equal(gone.count, 2);
	assert_string_equal(gone.rows[0].model, "gpt-7");
	RUN(family_delete, &gone);
	assert_int_equal(gone.job.err.code, ERR_NOT_FOUND);
}

TEST_GROUP(pg_bench_start, NULL);
