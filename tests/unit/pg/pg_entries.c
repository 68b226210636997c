/* Outbox entries for tests of the ledger. */
#include "pg_entries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct ledger_bench *bench_now;

void ledger_bench_open(struct ledger_bench *bench, const char *conninfo, int threads)
{
	struct err err;

	*bench = (struct ledger_bench){0};
	uv_loop_init(&bench->loop);
	bench->pool = pg_pool_new(conninfo, threads, &err);
	if (!bench->pool)
		abort();
	bench->ledger = pg_ledger_new(bench->pool, &bench->loop);
	bench->accounts = pg_accounts_new(bench->pool, &bench->loop);
	bench->admin = pg_admin_new(bench->pool, &bench->loop);
	bench_now = bench;
}

void ledger_bench_close(struct ledger_bench *bench)
{
	pg_pool_free(bench->pool);
	ledger_bench_run(bench);
	pg_ledger_free(bench->ledger);
	pg_accounts_free(bench->accounts);
	pg_admin_free(bench->admin);
	uv_run(&bench->loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&bench->loop) != 0)
		abort();
}

void ledger_bench_run(struct ledger_bench *bench)
{
	while (bench->waiting > 0)
		uv_run(&bench->loop, UV_RUN_ONCE);
}

void entry_example(struct entry *entry, struct arena *arena, const char *user, const char *request_id)
{
	int64_t now_us = clock_wall_us();

	*entry = (struct entry){
		.kind = ENTRY_RECORD,
		.final = true,
		.at_us = now_us,
		.started_at_us = now_us,
		.amounts = {.requests = 1, .input = 10, .output = 5, .cost = 1000},
		.info = {.tenant = "t",
			.user = user,
			.request_id = request_id,
			.interface = "web",
			.model = "gpt-x",
			.tier = "free",
			.provider = "openai",
			.price_model = "gpt-x",
			.reason = "",
			.actor = "",
			.accounts = 1},
		.usage = {.model = "gpt-x-2026", .provider = "openai", .price_model = "gpt-x", .mode = ""},
	};
	entry->usage.tokens.count[TOKEN_INPUT] = 10;
	entry->usage.tokens.count[TOKEN_OUTPUT] = 5;
	entry->info.account[0] = (struct entry_account){ACCOUNT_USER, user};
	struct entry_part *part = &entry->part[0];
	part->present = true;
	part->clock_us = now_us;
	part->windows = part->buckets = 1;
	part->window = arena_zalloc(arena, 1, sizeof(*part->window));
	part->bucket = arena_zalloc(arena, 1, sizeof(*part->bucket));
	part->window[0] = (struct entry_window){.limit_id = 7,
		.dimension = DIM_TOKENS,
		.window_start = now_us - now_us % INT64_C(86400000000),
		.amount = 15};
	part->bucket[0] =
		(struct entry_bucket){.limit_id = 9, .full_at_us = now_us + 1000, .rem = 1, .num = 3, .den = 2};
}

void entry_groups(struct entry *entry, const char *team, const char *org)
{
	if (team)
		entry->info.account[entry->info.accounts++] = (struct entry_account){ACCOUNT_TEAM, team};
	if (org)
		entry->info.account[entry->info.accounts++] = (struct entry_account){ACCOUNT_ORG, org};
}

void item_pack(struct ledger_item *item, struct arena *arena, const struct entry *entry, const char *origin)
{
	struct buf buf = {0};

	entry_pack(entry, &buf);
	*item = (struct ledger_item){.len = buf.len};
	item->bytes = (const uint8_t *)arena_strndup(arena, buf_str(&buf), buf.len);
	item->origin = arena_strndup(arena, origin, strlen(origin));
	buf_release(&buf);
}

static void write_done(struct ledger_op *op)
{
	(void)op;
	bench_now->waiting--;
}

bool ledger_write_wait(
	struct ledger_bench *bench, struct ledger_write *op, struct arena *arena, struct ledger_item *items, int count)
{
	*op = (struct ledger_write){.op = {.arena = arena, .done = write_done}, .count = count, .item = items};
	bench->waiting++;
	bench->ledger->ops->write(bench->ledger, op);
	ledger_bench_run(bench);
	return op->op.ok;
}
