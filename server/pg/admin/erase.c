/* Erases a user (pg/admin/admin.h): one transaction makes their id a pseudonym everywhere and keeps every sum. */
#include "pg/admin/admin.h"

#include <stdio.h>
#include <string.h>

#include "base/crypto/random.h"
#include "domain/record/entry.h"

/* $1 tenant, $2 id, $3 pseudonym, $4 a secret that is not stored, so that request ids cannot be guessed back. */
static const char *const steps[] = {
	"UPDATE ledger SET user_id = $3, note = '', request_id = 'erased-' || left(encode(sha256(convert_to($4 || "
	"request_id, 'UTF8')), 'hex'), 32), adjusts = CASE WHEN adjusts = '' THEN '' ELSE 'erased-' || "
	"left(encode(sha256(convert_to($4 || adjusts, 'UTF8')), 'hex'), 32) END WHERE tenant = $1 AND user_id = $2",
	"UPDATE usage_daily SET user_id = $3 WHERE tenant = $1 AND user_id = $2",
	"UPDATE usage_meters SET id = $3 WHERE tenant = $1 AND kind = 1 AND id = $2",
	"UPDATE usage_costs SET id = $3 WHERE tenant = $1 AND kind = 1 AND id = $2",
	"UPDATE allowance_shares SET user_id = $3, request_id = 'erased-' || left(encode(sha256(convert_to($4 || "
	"request_id, 'UTF8')), 'hex'), 32) WHERE tenant = $1 AND user_id = $2",
	"DELETE FROM allowance_due WHERE tenant = $1 AND user_id = $2",
	"UPDATE usage_monthly SET user_id = $3 WHERE tenant = $1 AND user_id = $2",
	"UPDATE usage_windows SET id = $3 WHERE tenant = $1 AND kind = 1 AND id = $2",
	"UPDATE token_buckets SET id = $3 WHERE tenant = $1 AND kind = 1 AND id = $2",
	"UPDATE alert_due SET ids = array_replace(ids, $2, $3) WHERE $2 = ANY (ids) AND $1 = ANY (tenants)",
	"UPDATE alert_notes SET account = $3, subject = '' WHERE tenant = $1 AND account_kind = 1 AND account = $2",
	"UPDATE alert_fired SET account = $3 WHERE tenant = $1 AND account_kind = 1 AND account = $2",
	"UPDATE alert_events SET account = $3, subject = CASE kind WHEN 5 THEN '' ELSE subject END WHERE tenant = $1 AND "
	"account_kind = 1 AND account = $2",
	"UPDATE alert_rules SET account = $3 WHERE tenant = $1 AND account = $2",
	"DELETE FROM policy_changes WHERE tenant = $1 AND kind = 1 AND account = $2",
	"DELETE FROM account_limits WHERE tenant = $1 AND account_kind = 1 AND account_id = $2",
	"UPDATE accounts SET id = $3, suspended_reason = '', zone = '', zone_kept_us = '{}', zone_previous = '', "
	"zone_changed_at_us = 0, version = version + 1, updated_at = now() WHERE tenant = $1 AND kind = 1 AND id = $2",
	/* Keeps the id itself until Redis has dropped it. */
	"INSERT INTO policy_changes (tenant, kind, account, version) SELECT tenant, kind, $2, version FROM accounts "
	"WHERE tenant = $1 AND kind = 1 AND id = $3",
	"UPDATE model_prices SET account = $3 WHERE tenant = $1 AND account = $2",
	"DELETE FROM api_key_uses WHERE key IN (SELECT id FROM api_keys WHERE tenant = $1 AND account = $2)",
	"UPDATE api_keys SET account = $3, label = '', revoked_at = coalesce(revoked_at, now()) WHERE tenant = $1 AND "
	"account = $2",
	"SELECT audit_erase($1, $2, $3)",
	"UPDATE catalog_epoch SET erased_version = greatest(erased_version, (SELECT version FROM accounts WHERE "
	"tenant = $1 AND kind = 1 AND id = $3))",
	"INSERT INTO audit_log (tenant, actor, action, target, reason, details) VALUES ($1, $5, 'account.erase', "
	"'user/' || $3, $6, '{}')",
};

/* Locks the row, so that the account is not recreated or erased concurrently. */
static bool row_lock(struct pg_link *link, struct account_erase *op, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;
	bool known, deleted;

	pg_arg_text(&args, op->key.tenant);
	pg_arg_text(&args, op->key.id);
	if (!pg_read(link, "SELECT deleted FROM accounts WHERE tenant = $1 AND kind = 1 AND id = $2 FOR UPDATE", &args,
		    &result, err))
		return false;
	known = PQntuples(result) == 1;
	deleted = known && pg_bool(result, 0, 0);
	if (!known)
		return err_set(err, ERR_NOT_FOUND, "ref.id: there is no such user, or they have been erased") ||
		       err_reason(err, "ACCOUNT_NOT_FOUND");
	return deleted || err_set(err, ERR_PRECONDITION, "ref.id: the account exists again: delete it first");
}

/* Whether a rejected entry, or what is readable of it, belongs to the user. */
static bool is_of(struct admin_job *job, const struct account_key *key, const uint8_t *bytes, size_t len)
{
	struct entry entry;
	struct buf names = {0};
	bool found;

	if (entry_unpack(bytes, len, job->arena, &entry))
		return strcmp(entry.info.tenant, key->tenant) == 0 && strcmp(entry.info.user, key->id) == 0;
	buf_put_u16(&names, (uint16_t)strlen(key->tenant));
	buf_put_str(&names, key->tenant);
	buf_put_u16(&names, (uint16_t)strlen(key->id));
	buf_put_str(&names, key->id);
	found = memmem(bytes, len, names.data, names.len) != NULL;
	buf_release(&names);
	return found;
}

static uint8_t nibble(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static const uint8_t *bytes_of(struct admin_job *job, const char *hex, size_t *len)
{
	uint8_t *bytes;

	*len = strlen(hex) / 2;
	bytes = arena_alloc(job->arena, *len + 1);

	for (size_t i = 0; i < *len; i++)
		bytes[i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
	return bytes;
}

/* Drops the user's rejected ledger entries, which are not counted anywhere. */
static bool rejects_drop(struct admin_job *job, struct pg_link *link, const struct account_key *key, struct err *err)
{
	PG_ARGS find = {0}, drop = {0};
	bool any = false;
	PG_RESULT result = NULL;
	int origins;

	pg_arg_text(&find, key->id);
	if (!pg_read(link,
		    "SELECT origin, encode(bytes, 'hex') FROM ledger_rejects WHERE position(convert_to($1, 'UTF8') IN "
		    "bytes) > 0",
		    &find, &result, err))
		return false;
	origins = pg_arg_array(&drop, PG_TEXT);
	for (int i = 0; i < PQntuples(result); i++) {
		size_t len;
		const uint8_t *bytes = bytes_of(job, pg_text(result, i, 1), &len);
		if (!is_of(job, key, bytes, len))
			continue;
		pg_array_text(&drop, origins, pg_text(result, i, 0));
		any = true;
	}
	return !any || pg_exec(link, "DELETE FROM ledger_rejects WHERE origin = ANY($1)", &drop, err);
}

bool admin_account_erase(struct account_erase *op, struct pg_link *link, struct err *err)
{
	char random[33], secret[33];
	PG_ARGS args = {0};
	bool ok;

	random_id(random);
	random_id(secret);
	snprintf(op->pseudonym, sizeof(op->pseudonym), ERASED_PREFIX "%s", random);
	pg_arg_text(&args, op->key.tenant);
	pg_arg_text(&args, op->key.id);
	pg_arg_text(&args, op->pseudonym);
	pg_arg_text(&args, secret);
	pg_arg_text(&args, op->job.actor ? op->job.actor : "");
	pg_arg_text(&args, op->job.reason ? op->job.reason : "");
	ok = pg_begin(link, "", err) && row_lock(link, op, err) && rejects_drop(&op->job, link, &op->key, err);
	for (size_t i = 0; ok && i < sizeof(steps) / sizeof(steps[0]); i++)
		ok = pg_exec(link, steps[i], &args, err);
	return ok && pg_commit(link, err);
}
