/* Accounts, tenants, tiers, prices and reports in a PostgreSQL of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "base/clock.h"
#include "pg_entries.h"
#include "pg_server.h"

static struct ledger_bench bench;
static struct arena arena;
static char db[256];

static void job_done(struct admin_job *job)
{
	(void)job;
	bench.waiting--;
}

#define JOB \
	{ \
		.arena = &arena, .done = job_done, .actor = "alice", .reason = "why not" \
	}
/* Runs an operation of the admin store to its end. */
#define RUN(name, op) (bench.waiting++, bench.admin->ops->name(bench.admin, (op)), ledger_bench_run(&bench))
#define RUN_OK(name, op) \
	do { \
		RUN(name, op); \
		if (!(op)->job.ok) \
			fail_msg("%s", (op)->job.err.text); \
	} while (0)

static struct limit example_limit(const char *name, int64_t amount)
{
	struct limit limit = {.dimension = DIM_TOKENS,
		.kind = KIND_CALENDAR,
		.unit = WINDOW_MONTH,
		.amount = amount,
		.interface = "telegram",
		.notify = true,
		.warn_percent = 70};
	struct err err;

	snprintf(limit.name, sizeof(limit.name), "%s", name);
	assert_true(limit_prepare(&limit, &err));
	return limit;
}

static bool to_pro(struct account_change *op, struct account_row *row, struct err *err)
{
	(void)op, (void)err;
	struct limit *limits = arena_zalloc(&arena, 2, sizeof(*limits));
	snprintf(row->profile.tier, sizeof(row->profile.tier), "pro");
	snprintf(row->profile.team, sizeof(row->profile.team), "red");
	snprintf(row->profile.zone.name, sizeof(row->profile.zone.name), "Europe/Berlin");
	row->profile.grace_until_us = 123456789;
	row->profile.grace_percent = 50;
	row->profile.suspended = true;
	row->suspended_reason = "spam";
	limits[0] = example_limit("a", 10);
	limits[1] = example_limit("b", 20);
	row->profile.overrides = limits;
	row->profile.override_count = 2;
	return true;
}

static bool refuse(struct account_change *op, struct account_row *row, struct err *err)
{
	(void)op, (void)row;
	return err_set(err, ERR_NOT_FOUND, "nobody of that name");
}

static struct account_change change_account(
	const char *id, bool (*change)(struct account_change *, struct account_row *, struct err *))
{
	struct account_change op = {.job = JOB, .key = {ACCOUNT_USER, "t", id}, .change = change};

	RUN(account_change, &op);
	return op;
}

static void a_change_is_the_row_its_version_and_its_trail(void **state)
{
	(void)state;
	struct account_change op = change_account("ann", to_pro);
	assert_true(op.job.ok);
	assert_int_equal(op.row.profile.version, 1);
	assert_true(op.row.pending);
	op = change_account("ann", to_pro);
	assert_int_equal(op.row.profile.version, 2);

	struct account_get get = {.job = JOB, .key = {ACCOUNT_USER, "t", "ann"}};
	RUN_OK(account_get, &get);
	assert_true(get.row.known && get.row.pending && get.row.profile.suspended);
	assert_string_equal(get.row.suspended_reason, "spam");
	assert_string_equal(get.row.profile.team, "red");
	assert_string_equal(get.row.profile.zone.name, "Europe/Berlin");
	assert_int_equal(get.row.profile.grace_percent, 50);
	assert_int_equal(get.row.profile.override_count, 2);
	assert_string_equal(get.row.profile.overrides[1].name, "b");
	assert_int_equal(get.row.profile.overrides[1].amount, 20);
	assert_string_equal(get.row.profile.overrides[1].interface, "telegram");
	assert_int_equal(get.row.profile.overrides[1].warn_percent, 70);
	assert_true(get.row.created_at_us > 0);
	assert_int_equal(pg_server_ask_number(db, "SELECT count(*) FROM policy_changes"), 2);
	assert_string_equal(pg_server_ask(db, "SELECT actor || action || target || (details->'limits'->1->>'amount') "
					      "FROM audit_log ORDER BY id DESC"),
		"aliceaccount.changeuser/ann20");
	assert_false(pg_server_exec(db, "DELETE FROM audit_log"));

	struct policy_note note = {.key = {ACCOUNT_USER, "t", "ann"}, .version = 1};
	struct account_confirm confirm = {.job = JOB, .count = 1, .note = &note};
	RUN_OK(account_confirm, &confirm);
	assert_int_equal(pg_server_ask_number(db, "SELECT max(version) FROM policy_changes"), 2);
	note.version = 2;
	note.again_us = 5000000;
	RUN_OK(account_confirm, &confirm);
	assert_int_equal(
		pg_server_ask_number(db, "SELECT count(*) FROM policy_changes WHERE repeat_at > now() + '3s'"), 1);
	note.again_us = 0;
	RUN_OK(account_confirm, &confirm);
	RUN_OK(account_get, &get);
	assert_false(get.row.pending);
}

static bool with_ends(struct account_change *op, struct account_row *row, struct err *err)
{
	assert_true(to_pro(op, row, err));
	row->profile.overrides[0].until_us = 1000;
	row->profile.overrides[1].until_us = 2000;
	return true;
}

static void overrides_whose_end_has_come_are_found_by_index(void **state)
{
	(void)state;
	assert_true(change_account("ann", to_pro).job.ok);
	assert_true(change_account("bob", with_ends).job.ok);
	struct override_ends op = {.job = JOB, .now_us = 999, .limit = 10};
	RUN_OK(override_ends, &op);
	assert_int_equal(op.count, 0);
	op.now_us = 2000;
	RUN_OK(override_ends, &op);
	assert_int_equal(op.count, 1);
	assert_string_equal(op.key[0].tenant, "t");
	assert_string_equal(op.key[0].id, "bob");
	assert_int_equal(op.key[0].kind, ACCOUNT_USER);
	struct account_get get = {.job = JOB, .key = {ACCOUNT_USER, "t", "bob"}};
	RUN_OK(account_get, &get);
	assert_int_equal(get.row.profile.overrides[1].until_us, 2000);
	assert_non_null(strstr(pg_server_ask(db, "SET enable_seqscan = off; SET enable_bitmapscan = off; EXPLAIN "
						 "SELECT FROM account_limits WHERE until_us > 0 AND until_us <= 5"),
		"account_limits_by_end"));
}

static void those_who_share_an_account_are_counted(void **state)
{
	(void)state;
	assert_true(pg_server_exec(db,
		"INSERT INTO accounts (tenant, kind, id, team, org, deleted) VALUES ('t', 2, 'red', '', 'acme', "
		"false), "
		"('t', 1, 'a', 'red', '', false), ('t', 1, 'b', 'red', 'other', false), ('t', 1, 'c', '', 'acme', "
		"false), "
		"('t', 1, 'd', 'red', '', true), ('u', 1, 'a', 'red', '', false), ('t', 3, 'acme', '', '', false)"));
	assert_true(pg_server_exec(db, "INSERT INTO accounts (tenant, kind, id, team) SELECT 'many', 1, n, 'big' FROM "
				       "generate_series(1, 10001) n"));
	struct shared_counts op = {.job = JOB,
		.count = 7,
		.key = {{ACCOUNT_TEAM, "t", "red"}, {ACCOUNT_ORG, "t", "acme"}, {ACCOUNT_ORG, "t", "other"},
			{ACCOUNT_TENANT, "t", "t"}, {ACCOUNT_MODEL, "t", "gpt"}, {ACCOUNT_TEAM, "many", "big"},
			{ACCOUNT_TEAM, "t", "none"}}};
	static const int64_t expected[] = {2, 3, 0, 3, 3, SHARED_MOST, 0};
	RUN_OK(shared_counts, &op);
	for (int i = 0; i < op.count; i++)
		assert_int_equal(op.users[i], expected[i]);
}

static void a_refused_change_leaves_nothing(void **state)
{
	(void)state;
	struct account_change op = change_account("bob", refuse);
	assert_false(op.job.ok);
	assert_int_equal(op.job.err.code, ERR_NOT_FOUND);
	assert_int_equal(pg_server_ask_number(db, "SELECT count(*) FROM accounts"), 0);
}

static void accounts_are_listed_page_by_page(void **state)
{
	struct account_list op = {
		.job = JOB, .tenant = "t", .kind = ACCOUNT_USER, .filter = {.id_prefix = "u"}, .limit = 3};

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_true(change_account(arena_printf(&arena, "u%d", i), to_pro).job.ok);
	assert_true(pg_server_exec(db, "INSERT INTO accounts (tenant, kind, id) VALUES ('t', 1, 'u9'), ('t', 1, 'x')"));
	RUN_OK(account_list, &op);
	assert_int_equal(op.count, 3);
	assert_true(op.more);
	assert_int_equal(op.rows[2].profile.override_count, 2);
	op.after = op.rows[2].key.id;
	RUN_OK(account_list, &op);
	assert_int_equal(op.count, 3);
	assert_false(op.more);
	op.after = "";
	op.filter.tier = "free";
	RUN_OK(account_list, &op);
	assert_int_equal(op.count, 1);
	assert_string_equal(op.rows[0].key.id, "u9");
	op.filter.tier = "";
	op.filter.state = WANTED_SUSPENDED;
	op.limit = 100;
	RUN_OK(account_list, &op);
	assert_int_equal(op.count, 5);
}

static void a_tier_raises_the_epoch_and_reaches_the_catalog(void **state)
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
	struct catalog_source *source = pg_catalog_start(db, 5, &err);

	(void)state;
	assert_non_null(source);
	assert_true(pg_catalog_wait(source, 10000, &err));
	uint64_t before = catalog_source_generation(source);
	op.tier.policy.limits[op.tier.policy.count++] = example_limit("a", 10);
	RUN_OK(tier_put, &op);
	op.tier.policy.limits[0].amount = 11;
	RUN_OK(tier_put, &op);
	pg_catalog_poke(source);
	for (int i = 0; i < 200 && catalog_source_generation(source) == before; i++)
		uv_sleep(10);
	struct catalog *catalog = catalog_acquire(source);
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

static void the_catalog_knows_prices_aliases_and_model_accounts(void **state)
{
	struct err err;

	(void)state;
	assert_true(
		pg_server_exec(db, "INSERT INTO accounts (tenant, kind, id) VALUES ('x', 4, 'gpt-5.6'), ('x', 5, 'x'), "
				   "('default', 4, 'm2'), ('default', 4, 'm1')"));
	struct catalog_source *source = pg_catalog_start(db, 5, &err);
	assert_true(pg_catalog_wait(source, 10000, &err));
	struct catalog *catalog = catalog_acquire(source);
	const struct price *price = price_find(catalog_prices(catalog), "x", "", "openai/gpt-5.6", clock_wall_us());
	assert_non_null(price);
	assert_int_equal(price->base.pico[TOKEN_INPUT], 5000000);
	assert_int_equal(price->context_tiers, 1);
	assert_int_equal(price->context[0].above_tokens, 272000);
	assert_int_equal(price->context[0].rates.pico[TOKEN_OUTPUT], 45000000);
	assert_int_equal(price->context[0].rates.pico[TOKEN_REASONING], PRICE_NONE);
	assert_int_equal(price->modes, 3);
	assert_string_equal(price->mode[0].name, "batch");
	assert_int_equal(price->mode[0].den, 2);
	assert_true(tenant_has_model_account(catalog_tenant(catalog, "x"), "gpt-5.6"));
	assert_true(catalog_tenant(catalog, "x")->has_account);
	assert_string_equal(catalog_tenant(catalog, "x")->id, "x");
	assert_true(tenant_has_model_account(catalog_tenant(catalog, "default"), "m1"));
	assert_false(tenant_has_model_account(catalog_tenant(catalog, "elsewhere"), "m1"));
	catalog_release(catalog);
	pg_server_crash();
	pg_catalog_poke(source);
	catalog = catalog_acquire(source);
	assert_non_null(catalog);
	catalog_release(catalog);
	pg_catalog_stop(source);
	pg_server_revive();
}

static void a_tenants_settings_are_kept(void **state)
{
	struct tenant_put op = {.job = JOB,
		.tenant = {.id = "t",
			.default_tier = "pro",
			.unknown_users = UNKNOWN_REFUSE,
			.unknown_model = MODEL_FREE,
			.language = "de"}};
	struct tenant_list list = {.job = JOB, .after = "default", .limit = 10};

	(void)state;
	RUN_OK(tenant_put, &op);
	assert_true(op.tenant.epoch >= 2);
	RUN_OK(tenant_list, &list);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.rows[0].default_tier, "pro");
	assert_int_equal(list.rows[0].unknown_model, MODEL_FREE);
	assert_int_equal(list.rows[0].epoch, op.tenant.epoch);
}

static struct price example_price(int64_t from_us, int64_t input)
{
	struct price price = {.provider = "acme", .model = "m", .tenant = "t", .from_us = from_us};

	for (int class = 0; class < TOKEN_CLASS_COUNT; class ++)
		price.base.pico[class] = PRICE_NONE;
	price.base.pico[TOKEN_INPUT] = input;
	price.modes = 1;
	price.mode[0].num = 1;
	price.mode[0].den = 2;
	snprintf(price.mode[0].name, sizeof(price.mode[0].name), "batch");
	return price;
}

static void a_price_takes_over_from_its_date_on(void **state)
{
	struct price_put op = {.job = JOB, .price = example_price(0, 1000)};
	struct price_list list = {.job = JOB, .tenant = "t", .provider = "acme", .model_prefix = "", .limit = 10};

	(void)state;
	RUN_OK(price_put, &op);
	op.price = example_price(5000, 2000);
	RUN_OK(price_put, &op);
	op.price = example_price(3000, 1500);
	RUN_OK(price_put, &op);
	assert_int_equal(op.price.to_us, 5000);
	op.price = example_price(3000, 1501);
	RUN_OK(price_put, &op);
	assert_string_equal(
		pg_server_ask(db, "SELECT string_agg(concat_ws('-', from_us, to_us, input), ' ' ORDER BY from_us) "
				  "FROM model_prices WHERE tenant = 't'"),
		"0-3000-1000 3000-5000-1501 5000-0-2000");
	RUN_OK(price_list, &list);
	assert_int_equal(list.count, 3);
	assert_int_equal(list.rows[0].mode[0].den, 2);
	list.at_us = 4000;
	RUN_OK(price_list, &list);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.rows[0].base.pico[TOKEN_INPUT], 1501);
}

static void a_big_move_of_a_price_wants_a_second_word(void **state)
{
	struct price_put op = {.job = JOB, .price = example_price(0, 1000)};

	(void)state;
	RUN_OK(price_put, &op);
	op.price = example_price(5000, 10001);
	RUN(price_put, &op);
	assert_false(op.job.ok);
	assert_int_equal(op.job.err.code, ERR_PRECONDITION);
	assert_non_null(strstr(op.job.err.text, "from 0.001 to 0.010001"));
	op.yes = true;
	RUN_OK(price_put, &op);
}

static bool smaller(struct pool_change *op, struct pool_row *row, bool known, struct err *err)
{
	(void)op, (void)err;
	assert_int_equal(known, row->settings.gen > 0);
	row->settings.slots_from_option = false;
	row->settings.slots = 3;
	row->settings.wait_max_us = 200000000;
	row->settings.level_count = 2;
	row->settings.level[0] = (struct pool_level){.priority = 1, .weight = 2, .queue_limit = 7};
	row->settings.level[1] = (struct pool_level){.priority = 10, .weight = 30};
	return true;
}

static bool from_option(struct pool_change *op, struct pool_row *row, bool known, struct err *err)
{
	(void)op, (void)known, (void)err;
	row->settings.slots_from_option = true;
	row->settings.level_count = 0;
	return true;
}

static bool no_pool(struct pool_change *op, struct pool_row *row, bool known, struct err *err)
{
	(void)op, (void)row, (void)known;
	return err_set(err, ERR_INVALID, "slots: no");
}

static void every_tenant_has_the_shipped_pool_until_it_changes_it(void **state)
{
	struct pool_list list = {.job = JOB, .tenant = "fleet"};
	struct pool_change change = {.job = JOB, .tenant = "fleet", .name = POOL_DEFAULT, .change = smaller};

	(void)state;
	RUN_OK(pool_list, &list);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.rows[0].settings.name, POOL_DEFAULT);
	assert_true(list.rows[0].settings.slots_from_option);
	assert_int_equal(list.rows[0].settings.slots, 5);
	assert_int_equal(list.rows[0].settings.gen, 1);
	RUN_OK(pool_change, &change);
	assert_int_equal(change.row.settings.gen, 2);
	change.name = "batch";
	RUN_OK(pool_change, &change);
	assert_int_equal(change.row.settings.gen, 1);
	RUN_OK(pool_list, &list);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.rows[0].settings.slots, 3);
	assert_int_equal(list.rows[0].settings.wait_max_us, 200000000);
	assert_int_equal(list.rows[0].settings.level_count, 2);
	assert_int_equal(list.rows[0].settings.level[0].weight, 30);
	assert_int_equal(list.rows[0].settings.level[1].queue_limit, 7);
	assert_true(list.rows[0].updated_at_us > INT64_C(1700000000000000));
	list.tenant = "other", list.name = "batch";
	RUN_OK(pool_list, &list);
	assert_int_equal(list.count, 0);
	assert_string_equal(pg_server_ask(db, "SELECT actor || action || target || (details->'levels'->0->>'weight') "
					      "FROM audit_log ORDER BY id DESC"),
		"alicepool.changebatch30");
}

static void a_refused_change_of_a_pool_leaves_nothing(void **state)
{
	struct pool_change change = {.job = JOB, .tenant = "fleet", .name = "batch", .change = no_pool};

	(void)state;
	RUN(pool_change, &change);
	assert_false(change.job.ok);
	assert_int_equal(change.job.err.code, ERR_INVALID);
	assert_int_equal(pg_server_ask_number(db, "SELECT count(*) FROM pools"), 1);
}

static void the_last_start_decides_the_slots_of_the_option(void **state)
{
	struct pool_change change = {.job = JOB, .tenant = "fleet", .name = "batch", .change = from_option};
	struct err err;

	(void)state;
	RUN_OK(pool_change, &change);
	assert_int_equal(change.row.settings.slots, 5);
	struct catalog_source *source = pg_catalog_start(db, 8, &err);
	assert_non_null(source);
	assert_true(pg_catalog_wait(source, 10000, &err));
	struct catalog *catalog = catalog_acquire(source);
	const struct pool_settings *pool = catalog_pool(catalog, "fleet", "batch");
	assert_non_null(pool);
	assert_int_equal(pool->slots, 8);
	assert_int_equal(pool->gen, 2);
	pool = catalog_pool(catalog, "nobody", POOL_DEFAULT);
	assert_int_equal(pool->slots, 8);
	assert_int_equal(pool->gen, 2);
	assert_null(catalog_pool(catalog, "nobody", "batch"));
	catalog_release(catalog);
	pg_catalog_stop(source);
	source = pg_catalog_start(db, 8, &err);
	assert_true(pg_catalog_wait(source, 10000, &err));
	assert_int_equal(pg_server_ask_number(db, "SELECT max(gen) FROM pools"), 2);
	pg_catalog_stop(source);
}

static void only_the_first_who_opens_a_pool_finds_it_new(void **state)
{
	struct pool_open op = {.job = JOB, .tenant = "t", .name = "p", .token = "00000000000000aa"};

	(void)state;
	RUN_OK(pool_open, &op);
	uint32_t epoch = op.epoch;
	assert_true(op.first && epoch > 1000000);
	RUN_OK(pool_open, &op);
	assert_true(op.first && op.epoch > epoch);
	epoch = op.epoch;
	op.token = "00000000000000bb";
	RUN_OK(pool_open, &op);
	assert_true(!op.first && op.epoch > epoch);
}

static void fill_ledger(int count)
{
	struct ledger_item *items = arena_zalloc(&arena, (size_t)count, sizeof(*items));
	struct ledger_write op;

	for (int i = 0; i < count; i++) {
		struct entry entry;
		entry_example(&entry, &arena, arena_printf(&arena, "u%d", i % 3), arena_printf(&arena, "r%d", i));
		entry.info.interface = i % 2 ? "web" : "api";
		entry.amounts.cost = 100 * (i % 3 + 1);
		item_pack(&items[i], &arena, &entry, arena_printf(&arena, "g:%d", i));
	}
	assert_true(ledger_write_wait(&bench, &op, &arena, items, count));
}

static void the_proof_compares_rows_and_roll_ups(void **state)
{
	struct proof_query proof = {.job = JOB, .tenant = "t"};

	(void)state;
	fill_ledger(30);
	RUN_OK(proof, &proof);
	assert_int_equal(proof.ledger_rows, 30);
	assert_memory_equal(&proof.ledger, &proof.rollup, sizeof(proof.ledger));
	assert_memory_equal(&proof.ledger, &proof.shared, sizeof(proof.ledger));
	assert_int_equal(proof.ledger.cost, 6000);
	assert_int_equal(proof.users, 3);
	assert_true(pg_server_exec(
		db, "UPDATE usage_daily SET cost_nano = cost_nano + 1 WHERE user_id = 'u1' AND interface = 'web'"));
	RUN_OK(proof, &proof);
	assert_int_equal(proof.rollup.cost, proof.ledger.cost + 1);
}

static void lookup_done(struct account_lookup *op)
{
	(void)op;
	bench.waiting--;
}

static void lookups_of_one_turn_get_each_its_own_answer(void **state)
{
	struct account_lookup ops[20] = {0};

	(void)state;
	assert_true(change_account("u1", to_pro).job.ok);
	fill_ledger(30);
	for (int i = 0; i < 20; i++) {
		ops[i] = (struct account_lookup){.arena = &arena, .done = lookup_done, .count = 2};
		ops[i].account[0].kind = ACCOUNT_USER;
		ops[i].account[0].tenant = "t";
		ops[i].account[0].id = arena_printf(&arena, "u%d", i);
		ops[i].account[1].kind = ACCOUNT_TENANT;
		ops[i].account[1].tenant = "t";
		ops[i].account[1].id = "t";
		bench.waiting++;
		bench.accounts->ops->lookup(bench.accounts, &ops[i]);
	}
	ledger_bench_run(&bench);
	for (int i = 0; i < 20; i++) {
		assert_true(ops[i].ok);
		assert_int_equal(ops[i].account[0].known, i < 3);
		assert_int_equal(ops[i].account[0].windows, i < 3);
		assert_int_equal(ops[i].account[0].buckets, i < 3);
		assert_int_equal(ops[i].account[0].profile.version, i == 1);
		assert_int_equal(ops[i].account[0].profile.override_count, i == 1 ? 2 : 0);
		assert_false(ops[i].account[1].known);
	}
	assert_int_equal(ops[2].account[0].window[0].limit_id, 7);
	assert_int_equal(ops[2].account[0].window[0].used, 150);
	assert_int_equal(ops[2].account[0].bucket[0].den, 2);
}

static void ledger_done(struct ledger_lookup *op)
{
	(void)op;
	bench.waiting--;
}

static void an_old_request_is_found_in_the_ledger(void **state)
{
	struct ledger_lookup op = {.arena = &arena,
		.done = ledger_done,
		.tenant = "t",
		.user = "u1",
		.request_id = "r1",
		.started_at_us = clock_wall_us()};

	(void)state;
	fill_ledger(3);
	bench.waiting++;
	bench.accounts->ops->ledger(bench.accounts, &op);
	ledger_bench_run(&bench);
	assert_true(op.ok && op.found && op.counted);
	assert_int_equal(op.amounts.cost, 200);
	assert_string_equal(op.usage.model, "gpt-x-2026");
	assert_int_equal(op.usage.tokens.count[TOKEN_INPUT], 10);
	op.attempt = 1;
	bench.waiting++;
	bench.accounts->ops->ledger(bench.accounts, &op);
	ledger_bench_run(&bench);
	assert_true(op.ok && !op.found && op.counted);
}

static void without_postgresql_a_lookup_fails_by_its_deadline(void **state)
{
	struct account_lookup op = {.arena = &arena, .done = lookup_done, .count = 1};
	int64_t start_us = clock_mono_us();

	(void)state;
	pg_server_crash();
	op.account[0].kind = ACCOUNT_USER;
	op.account[0].tenant = op.account[0].id = "t";
	bench.waiting++;
	bench.accounts->ops->lookup(bench.accounts, &op);
	ledger_bench_run(&bench);
	assert_false(op.ok);
	assert_int_equal(op.err.code, ERR_UNAVAILABLE);
	assert_true(clock_mono_us() - start_us < 2500000);
	pg_server_revive();
}

static void a_stuck_statement_ends_by_the_deadline(void **state)
{
	struct account_lookup op = {.arena = &arena, .done = lookup_done, .count = 1};
	int64_t start_us = clock_mono_us();

	(void)state;
	PGconn *other = PQconnectdb(db);
	PQclear(PQexec(other, "BEGIN; LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE"));
	op.account[0].kind = ACCOUNT_USER;
	op.account[0].tenant = op.account[0].id = "t";
	op.deadline_us = start_us + 300000;
	bench.waiting++;
	bench.accounts->ops->lookup(bench.accounts, &op);
	ledger_bench_run(&bench);
	assert_false(op.ok);
	assert_int_equal(op.err.code, ERR_DEADLINE);
	assert_true(clock_mono_us() - start_us < 1500000);
	PQfinish(other);
}

static int open_database(void **state)
{
	static int n;
	char name[16];

	(void)state;
	snprintf(name, sizeof(name), "admin%d", n++);
	snprintf(db, sizeof(db), "%s", pg_server_migrated(name));
	ledger_bench_open(&bench, db, 2);
	return 0;
}

static int close_database(void **state)
{
	(void)state;
	ledger_bench_close(&bench);
	arena_release(&arena);
	return 0;
}

static int start(void **state)
{
	(void)state;
	pg_server_start();
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_database, close_database)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_change_is_the_row_its_version_and_its_trail),
		TEST(overrides_whose_end_has_come_are_found_by_index),
		TEST(those_who_share_an_account_are_counted),
		TEST(a_refused_change_leaves_nothing),
		TEST(accounts_are_listed_page_by_page),
		TEST(a_tier_raises_the_epoch_and_reaches_the_catalog),
		TEST(the_catalog_knows_prices_aliases_and_model_accounts),
		TEST(a_tenants_settings_are_kept),
		TEST(a_price_takes_over_from_its_date_on),
		TEST(a_big_move_of_a_price_wants_a_second_word),
		TEST(every_tenant_has_the_shipped_pool_until_it_changes_it),
		TEST(a_refused_change_of_a_pool_leaves_nothing),
		TEST(the_last_start_decides_the_slots_of_the_option),
		TEST(only_the_first_who_opens_a_pool_finds_it_new),
		TEST(the_proof_compares_rows_and_roll_ups),
		TEST(lookups_of_one_turn_get_each_its_own_answer),
		TEST(an_old_request_is_found_in_the_ledger),
		TEST(without_postgresql_a_lookup_fails_by_its_deadline),
		TEST(a_stuck_statement_ends_by_the_deadline),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
