/* What a check asks PostgreSQL: accounts and old requests, each by its deadline. */

#include <libpq-fe.h>

#include "base/clock.h"
#include "lib/test.h"
#include "pg_accounts.h"
#include "pg_entries.h"
#include "pg_server.h"

static void lookup_done(struct account_lookup *op)
{
	(void)op;
	bench.waiting--;
}

ON_BENCH(lookups_of_one_turn_get_each_its_own_answer)
{
	struct account_lookup ops[20] = {0};

	assert_true(account_changed("u1", account_to_pro).job.ok);
	ledger_fill(30);
	for (int i = 0; i < 20; i++) {
		ops[i] = (struct account_lookup){.arena = &bench.arena, .done = lookup_done, .count = 2};
		ops[i].account[0].kind = ACCOUNT_USER;
		ops[i].account[0].tenant = "t";
		ops[i].account[0].id = arena_printf(&bench.arena, "u%d", i);
		ops[i].account[1].kind = ACCOUNT_TENANT;
		ops[i].account[1].tenant = "t";
		ops[i].account[1].id = "t";
		bench.waiting++;
		bench.accounts->ops->lookup(bench.accounts, &ops[i]);
	}
	pg_bench_run();
	for (int i = 0; i < 20; i++) {
		assert_true(ops[i].ok);
		assert_int_equal(ops[i].account[0].known, i < 3);
		assert_true((ops[i].account[0].windows > 0) == (i < 3));
		assert_int_equal(ops[i].account[0].buckets, i < 3);
		assert_int_equal(ops[i].account[0].profile.version, i == 1);
		assert_int_equal(ops[i].account[0].profile.override_count, i == 1 ? 2 : 0);
		assert_false(ops[i].account[1].known);
	}
	assert_int_equal(usage_of(ops[2].account[0].window, ops[2].account[0].windows, WINDOW_DAY, DIM_TOKENS, 0, 0, 0,
				 clock_wall_us()),
		150);
	assert_int_equal(ops[2].account[0].bucket[0].den, 2);
}

static void ledger_done(struct ledger_lookup *op)
{
	(void)op;
	bench.waiting--;
}

ON_BENCH(an_old_request_is_found_in_the_ledger)
{
	struct ledger_lookup op = {.arena = &bench.arena,
		.done = ledger_done,
		.tenant = "t",
		.user = "u1",
		.request_id = "r1",
		.started_at_us = clock_wall_us()};

	ledger_fill(3);
	bench.waiting++;
	bench.accounts->ops->ledger(bench.accounts, &op);
	pg_bench_run();
	assert_true(op.ok && op.found && op.counted);
	assert_int_equal(op.amounts.cost, 200);
	assert_string_equal(op.usage.model, "gpt-x-2026");
	assert_int_equal(op.usage.meters.count[METER_INPUT], 10);
	op.attempt = 1;
	bench.waiting++;
	bench.accounts->ops->ledger(bench.accounts, &op);
	pg_bench_run();
	assert_true(op.ok && !op.found && op.counted);
}

/* The lookup of one account ends with the error, before so many microseconds have passed. */
static void lookup_fails(int64_t deadline_us, enum err_code code, int64_t within_us)
{
	struct account_lookup op = {.arena = &bench.arena, .done = lookup_done, .count = 1, .deadline_us = deadline_us};
	int64_t start_us = clock_mono_us();

	op.account[0].kind = ACCOUNT_USER;
	op.account[0].tenant = op.account[0].id = "t";
	bench.waiting++;
	bench.accounts->ops->lookup(bench.accounts, &op);
	pg_bench_run();
	assert_false(op.ok);
	assert_int_equal(op.err.code, code);
	assert_true(clock_mono_us() - start_us < within_us);
}

ON_BENCH(without_postgresql_a_lookup_fails_by_its_deadline)
{
	pg_server_crash();
	lookup_fails(0, ERR_UNAVAILABLE, 2500000);
	pg_server_revive();
}

ON_BENCH(a_stuck_statement_ends_by_the_deadline)
{
	PGconn *other = PQconnectdb(bench.db);

	PQclear(PQexec(other, "BEGIN; LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE"));
	lookup_fails(clock_mono_us() + 300000, ERR_DEADLINE, 1500000);
	PQfinish(other);
}

TEST_GROUP(pg_bench_start, NULL);
