/* Outbox entries for tests of the ledger. */
#include "pg_entries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

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
	part->buckets = 1;
	part->bucket = arena_zalloc(arena, 1, sizeof(*part->bucket));
	part->window_start[WINDOW_DAY] = now_us - now_us % INT64_C(86400000000);
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

bool ledger_write_wait(struct ledger_write *op, struct ledger_item *items, int count)
{
	*op = (struct ledger_write){.op = LEDGER_OP, .count = count, .item = items};
	RUN_LEDGER(write, op);
	return op->op.ok;
}

void ledger_fill(int count)
{
	struct ledger_item *items = arena_zalloc(&bench.arena, (size_t)count, sizeof(*items));
	struct ledger_write op;

	for (int i = 0; i < count; i++) {
		struct entry entry;
		entry_example(&entry, &bench.arena, arena_printf(&bench.arena, "u%d", i % 3),
			arena_printf(&bench.arena, "r%d", i));
		entry.info.interface = i % 2 ? "web" : "api";
		entry.amounts.cost = 100 * (i % 3 + 1);
		item_pack(&items[i], &bench.arena, &entry, arena_printf(&bench.arena, "g:%d", i));
	}
	assert_true(ledger_write_wait(&op, items, count));
}
