/* Records whose price has a free allowance, until what it covers is decided (pg/ledger/sums.h, docs/decisions/0016-allowances-behind-the-ledger.md). */
#include "pg/ledger/sums.h"

/* What an estimate would use up is not known. */
bool ledger_allowance_due(const struct entry *entry)
{
	return entry->kind == ENTRY_RECORD &&
	       (entry->usage.flags & (FLAG_ALLOWANCE | FLAG_ESTIMATED)) == FLAG_ALLOWANCE;
}

const char ledger_dues_sql[] = "INSERT INTO allowance_due (tenant, day, user_id, request_id, attempt) SELECT * FROM "
			       "unnest($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";

void ledger_dues_args(struct pg_args *args, const struct sums *sums)
{
	enum { TENANT, DAY, USER, REQUEST_ID, ATTEMPT };
	static const enum pg_type types[] = {PG_TEXT, PG_DATE, PG_TEXT, PG_TEXT, PG_INT2};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		pg_arg_array(args, types[i]);
	for (int i = 0; i < sums->dues; i++) {
		const struct entry *entry = sums->due[i];

		pg_array_text(args, TENANT, entry->info.tenant);
		pg_array_int(args, DAY, entry->started_at_us);
		pg_array_text(args, USER, entry->info.user);
		pg_array_text(args, REQUEST_ID, entry->info.request_id);
		pg_array_int(args, ATTEMPT, entry->attempt);
	}
}
