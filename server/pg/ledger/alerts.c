/* Tells the alerts role whose use has changed (pg/ledger/sums.h, docs/decisions/0017-alerts-behind-the-ledger.md). */
#include "pg/ledger/sums.h"

#include <string.h>

/* One row a batch. Not where nobody would take it away. */
const char ledger_alerts_sql[] = "INSERT INTO alert_due (tenants, kinds, ids) SELECT $1, $2, $3 WHERE alerts_live()";

static bool same_account(const struct level_key *a, const struct level_key *b)
{
	return a->kind == b->kind && strcmp(a->id, b->id) == 0 && strcmp(a->tenant, b->tenant) == 0;
}

void ledger_alerts_args(struct pg_args *args, const struct sums *sums)
{
	pg_arg_array(args, PG_TEXT);
	pg_arg_array(args, PG_INT2);
	pg_arg_array(args, PG_TEXT);
	for (int i = 0; i < sums->windows; i++) {
		const struct level_key *key = &sums->window[i].key;

		if (i > 0 && same_account(key, &sums->window[i - 1].key))
			continue;
		pg_array_text(args, 0, key->tenant);
		pg_array_int(args, 1, key->kind);
		pg_array_text(args, 2, key->id);
	}
}
