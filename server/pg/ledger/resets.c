/*
 * Audit rows of resets and adjustments (pg/ledger/sums.h). These reach PostgreSQL through the outbox, so their audit
 * rows are written with those of the ledger.
 */
#include <inttypes.h>

#include "domain/limit/limit.h"
#include "pg/ledger/sums.h"
#include "pg/link/amounts.h"

const char ledger_resets_sql[] =
	"INSERT INTO audit_log (at, tenant, actor, action, target, reason, before, details) SELECT to_timestamp(at / "
	"1000000.0), tenant, actor, 'account.reset', target, reason, before::jsonb, details::jsonb FROM unnest($1, "
	"$2, $3, $4, $5, $6, $7) AS r (at, tenant, actor, target, reason, before, details)";

enum { AT, TENANT, ACTOR, TARGET, REASON, BEFORE, DETAILS };

/* Puts what the calendar counters had settled. */
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

const char ledger_adjustments_sql[] =
	"INSERT INTO audit_log (at, tenant, actor, action, target, reason, details) "
	"SELECT to_timestamp(at / 1000000.0), tenant, actor, 'ledger.adjust', 'user/' || user_id, reason, "
	"jsonb_build_object('adjustment_id', id, 'request_id', adjusts, 'attempt', attempt" AMOUNT_JSON_PAIRS ") "
	"FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS a (at, attempt, "
	"tenant, actor, user_id, reason, id, adjusts" AMOUNT_NAMES ")";

void ledger_adjustments_args(struct pg_args *args, const struct sums *sums)
{
	enum { ATTEMPT = 1, FIRST_TEXT, TEXTS = 6, CHARGED = FIRST_TEXT + TEXTS, COLUMNS = CHARGED + AMOUNT_COUNT };
	_Static_assert(COLUMNS == 12, "the statement has a parameter for each column: raise their number");

	for (int column = 0; column < COLUMNS; column++)
		pg_arg_array(args, column >= FIRST_TEXT && column < CHARGED ? PG_TEXT : PG_INT8);
	for (int i = 0; i < sums->adjustments; i++) {
		const struct entry *entry = sums->adjustment[i];
		const struct entry_info *info = &entry->info;
		const char *const texts[TEXTS] = {
			info->tenant, info->actor, info->user, info->reason, info->request_id, entry->adjusts};

		pg_array_int(args, AT, entry->at_us);
		pg_array_int(args, ATTEMPT, entry->attempt);
		for (int text = 0; text < TEXTS; text++)
			pg_array_text(args, FIRST_TEXT + text, texts[text]);
		pg_array_amounts(args, CHARGED, &entry->amounts);
	}
}
