/* Outbox entries for tests of the ledger. */
#include "pg_entries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

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
