/* Resets in the audit log: they reach PostgreSQL by the outbox, so their rows are written with those of the ledger. */
#include <inttypes.h>

#include "domain/limit.h"
#include "pg/ledger_sums.h"

const char ledger_resets_sql[] =
	"INSERT INTO audit_log (at, tenant, actor, action, target, reason, before, details) "
	"SELECT to_timestamp(at / 1000000.0), tenant, actor, 'account.reset', target, reason, before::jsonb, "
	"details::jsonb "
	"FROM unnest($1, $2, $3, $4, $5, $6, $7) AS r (at, tenant, actor, target, reason, before, details)";

enum { AT, TENANT, ACTOR, TARGET, REASON, BEFORE, DETAILS };

/* What the calendar counters had settled. */
static void put_before(struct buf *out, const struct entry *entry)
{
	buf_reset(out);
	buf_put_str(out, "{\"windows\": [");
	for (int i = 0; i < entry->losts; i++)
		buf_putf(out, "%s{\"dimension\": \"%s\", \"starts_at_us\": %" PRId64 ", \"used\": %" PRId64 "}",
			i ? ", " : "", dimension_name(entry->lost[i].dimension), entry->lost[i].window_start,
			entry->lost[i].used);
	buf_put_str(out, "]}");
}

void ledger_resets_args(struct pg_args *args, const struct sums *sums)
{
	struct buf text = {0};

	pg_arg_array(args, PG_INT8);
	for (int column = TENANT; column <= DETAILS; column++)
		pg_arg_array(args, PG_TEXT);
	for (int i = 0; i < sums->resets; i++) {
		const struct entry *entry = sums->reset[i];
		const struct entry_account *account = &entry->info.account[0];

		pg_array_int(args, AT, entry->at_us);
		pg_array_text(args, TENANT, entry->info.tenant);
		pg_array_text(args, ACTOR, entry->info.actor);
		buf_reset(&text);
		buf_putf(&text, "%s/%s", account_kind_name(account->kind), account->id);
		pg_array_text(args, TARGET, buf_str(&text));
		pg_array_text(args, REASON, entry->info.reason);
		put_before(&text, entry);
		pg_array_text(args, BEFORE, buf_str(&text));
		pg_array_text(args, DETAILS, "{\"windows\": []}");
	}
	buf_release(&text);
}
