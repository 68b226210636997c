/*
 * ledger_older_windows() (pg/ledger/ledger.h). Entries of the previous release that waited in an outbox during an
 * upgrade name no windows. They count in the windows, by the account's zone, in which the request was checked; the
 * migration summed existing ledger rows in the same way.
 */
#include "domain/limit/window.h"
#include "pg/ledger/ledger.h"
#include "pg/link/rows.h"

static bool zone_of(struct pg_link *link, const char *tenant, const struct entry_account *account, struct zone *out,
	struct err *err)
{
	struct account_profile profile = {0};
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, tenant);
	pg_arg_int(&args, account->kind);
	pg_arg_text(&args, account->id);
	result = pg_query(link,
		"SELECT " ACCOUNT_COLUMNS
		" FROM accounts a WHERE a.tenant = $1 AND a.kind = $2::smallint AND a.id = $3",
		&args, err);
	if (!result)
		return false;
	if (PQntuples(result))
		row_profile(result, 0, 0, &profile);
	*out = profile.zone;
	return true;
}

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

static bool names_windows(const struct entry *entry, int part)
{
	for (int u = 0; u < WINDOW_COUNT; u++)
		if (entry->part[part].window_start[u])
			return true;
	return false;
}

bool ledger_older_windows(struct pg_link *link, struct ledger_item **items, int count, struct err *err)
{
	for (int i = 0; i < count; i++) {
		struct entry *entry = items[i]->entry;

		/* An adjustment names the windows it has changed, which may be none. */
		if (items[i]->fate != LEDGER_WRITTEN || entry->kind == ENTRY_RESET || entry->kind == ENTRY_ADJUST)
			continue;
		for (int k = 0; k < entry->info.accounts; k++) {
			struct zone zone;

			if (names_windows(entry, k))
				continue;
			if (!zone_of(link, entry->info.tenant, &entry->info.account[k], &zone, err))
				return false;
			starts_of(&zone, entry->started_at_us, entry->part[k].window_start);
		}
	}
	return true;
}
