/*
 * ledger_older_windows() (pg/ledger/ledger.h). Entries of the previous release that waited in an outbox during an
 * upgrade name no windows. They count in the windows, by the account's zone, in which the request was checked; the
 * migration summed existing ledger rows in the same way.
 */
#include "domain/limit/window.h"
#include "pg/ledger/ledger.h"
#include "pg/link/rows.h"

/* Falls back to UTC if the zone's file is gone. */
static void starts_of(const struct zone *zone, int64_t at_us, int64_t starts[WINDOW_COUNT])
{
	static const struct zone utc = {0};
	struct windows windows;

	if (!windows_at(zone, at_us, &windows, NULL) && !windows_at(&utc, at_us, &windows, NULL))
		return;
	for (int u = 0; u < WINDOW_COUNT; u++)
		starts[u] = windows_start(&windows, (enum window_unit)u, at_us);
}

/* Whether account `part` of the entry was counted in windows that the entry does not name. */
static bool lacks_windows(const struct ledger_item *item, int part)
{
	const struct entry *entry = item->entry;

	/* An adjustment names the windows it has changed, which may be none. */
	if (item->fate != LEDGER_WRITTEN || entry->kind == ENTRY_RESET || entry->kind == ENTRY_ADJUST)
		return false;
	for (int u = 0; u < WINDOW_COUNT; u++)
		if (entry->part[part].window_start[u])
			return false;
	return true;
}

/* One account of an entry that does not name its windows. */
struct unnamed {
	struct entry *entry;
	int part;
	struct zone zone; /* UTC unless the account has another one */
};

/* `out` NULL: only counts them. */
static int collect(struct unnamed *out, struct ledger_item **items, int count)
{
	int n = 0;

	for (int i = 0; i < count; i++) {
		for (int k = 0; k < items[i]->entry->info.accounts; k++) {
			if (!lacks_windows(items[i], k))
				continue;
			if (out)
				out[n] = (struct unnamed){.entry = items[i]->entry, .part = k};
			n++;
		}
	}
	return n;
}

static bool read_zones(struct pg_link *link, struct unnamed *unnamed, int count, struct err *err)
{
	PG_ARGS args = {0};
	int number = pg_arg_array(&args, PG_INT4), tenant = pg_arg_array(&args, PG_TEXT);
	int kind = pg_arg_array(&args, PG_INT2), id = pg_arg_array(&args, PG_TEXT);
	PG_RESULT result = NULL;

	for (int i = 0; i < count; i++) {
		const struct entry_info *info = &unnamed[i].entry->info;

		pg_array_int(&args, number, i);
		pg_array_text(&args, tenant, info->tenant);
		pg_array_int(&args, kind, info->account[unnamed[i].part].kind);
		pg_array_text(&args, id, info->account[unnamed[i].part].id);
	}
	result = pg_query(link,
		"SELECT k.number, " ACCOUNT_COLUMNS " FROM unnest($1, $2, $3, $4) AS k (number, tenant, kind, id) "
		"JOIN accounts a USING (tenant, kind, id)",
		&args, err);
	if (!result)
		return false;
	for (int row = 0; row < PQntuples(result); row++) {
		struct account_profile profile = {0};

		row_profile(result, row, 1, &profile);
		unnamed[pg_i64(result, row, 0)].zone = profile.zone;
	}
	return true;
}

bool ledger_older_windows(
	struct pg_link *link, struct ledger_item **items, int count, struct arena *scratch, struct err *err)
{
	int n = collect(NULL, items, count);
	struct unnamed *unnamed;

	if (n == 0)
		return true;
	unnamed = arena_zalloc(scratch, (size_t)n, sizeof(*unnamed));
	collect(unnamed, items, count);
	if (!read_zones(link, unnamed, n, err))
		return false;
	for (int i = 0; i < n; i++) {
		struct entry *entry = unnamed[i].entry;

		starts_of(&unnamed[i].zone, entry->started_at_us, entry->part[unnamed[i].part].window_start);
	}
	return true;
}
