/*
 * Audit rows of resets and adjustments (pg/ledger/sums.h). These reach PostgreSQL through the outbox, so their audit
 * rows are written with those of the ledger.
 */
#include <inttypes.h>

#include "domain/limit/limit.h"
#include "pg/ledger/sums.h"

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
	"INSERT INTO audit_log (at, tenant, actor, action, target, reason, details) SELECT to_timestamp(at / "
	"1000000.0), tenant, actor, 'ledger.adjust', 'user/' || user_id, reason, jsonb_build_object('adjustment_id', "
	"id, 'request_id', adjusts, 'attempt', attempt, 'requests', requests, 'input_tokens', input, "
	"'output_tokens', output, 'cost_nano_usd', cost) FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, "
	"$12) AS a (at, attempt, requests, input, output, cost, tenant, actor, user_id, reason, id, adjusts)";

void ledger_adjustments_args(struct pg_args *args, const struct sums *sums)
{
	enum { NUMBERS = 6, TEXTS = 6 };

	for (int column = 0; column < NUMBERS + TEXTS; column++)
		pg_arg_array(args, column < NUMBERS ? PG_INT8 : PG_TEXT);
	for (int i = 0; i < sums->adjustments; i++) {
		const struct entry *entry = sums->adjustment[i];
		const struct entry_info *info = &entry->info;
		const int64_t numbers[NUMBERS] = {entry->at_us, entry->attempt, entry->amounts.requests,
			entry->amounts.input, entry->amounts.output, entry->amounts.cost};
		const char *const texts[TEXTS] = {
			info->tenant, info->actor, info->user, info->reason, info->request_id, entry->adjusts};

		for (int column = 0; column < NUMBERS; column++)
			pg_array_int(args, column, numbers[column]);
		for (int column = 0; column < TEXTS; column++)
			pg_array_text(args, NUMBERS + column, texts[column]);
	}
}
