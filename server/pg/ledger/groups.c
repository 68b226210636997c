/*
 * ledger_groups() (pg/ledger/ledger.h). A check that was decided while PostgreSQL did not answer may have concerned an
 * unknown user, and its entry then names no groups. It counts against the team and org that the user is in now, so that
 * the bills of groups are complete; the ledger role then counts it against them in Redis as well.
 */
#include <string.h>

#include "pg/ledger/ledger.h"

static bool wants_groups(const struct entry *entry)
{
	return entry->kind != ENTRY_RESET && entry->info.groups_unknown;
}

static void add_account(struct ledger_item *item, enum account_kind kind, const char *id, struct arena *arena)
{
	struct entry_info *info = &item->entry->info;

	if (!id[0] || info->accounts == ACCOUNTS_MAX)
		return;
	info->account[info->accounts++] =
		(struct entry_account){.kind = kind, .id = arena_strndup(arena, id, strlen(id))};
	item->late_accounts++;
}

static void add_groups(struct ledger_item *item, const PGresult *result, int row, struct arena *arena)
{
	add_account(item, ACCOUNT_TEAM, pg_text(result, row, 1), arena);
	add_account(item, ACCOUNT_ORG, pg_text(result, row, 2), arena);
	item->entry->info.groups_unknown = false; /* a halved batch comes here again */
}

bool ledger_groups(struct pg_link *link, struct ledger_item **items, int count, struct arena *arena, struct err *err)
{
	PG_ARGS args = {0};
	int number = pg_arg_array(&args, PG_INT4);
	int tenant = pg_arg_array(&args, PG_TEXT);
	int user = pg_arg_array(&args, PG_TEXT);
	PG_RESULT result = NULL;
	int wanted = 0;

	for (int i = 0; i < count; i++) {
		if (!wants_groups(items[i]->entry))
			continue;
		wanted++;
		pg_array_int(&args, number, i);
		pg_array_text(&args, tenant, items[i]->entry->info.tenant);
		pg_array_text(&args, user, items[i]->entry->info.user);
	}
	if (!wanted) {
		return true;
	}
	result = pg_query(link,
		"SELECT k.number, a.team, COALESCE(NULLIF(t.org, ''), a.org) "
		"FROM unnest($1::int[], $2::text[], $3::text[]) AS k (number, tenant, id) "
		"JOIN accounts a ON a.tenant = k.tenant AND a.kind = 1 AND a.id = k.id "
		"LEFT JOIN accounts t ON t.tenant = k.tenant AND t.kind = 2 AND t.id = a.team AND a.team <> ''",
		&args, err);
	if (!result)
		return false;
	for (int row = 0; row < PQntuples(result); row++)
		add_groups(items[pg_i64(result, row, 0)], result, row, arena);
	return true;
}
