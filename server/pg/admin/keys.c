/* API keys (pg/admin/admin.h). Each change raises the catalog's generation, by a trigger. */
#include "pg/admin/admin.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "pg/link/rows.h"

/* Excludes other changes of keys, while "first key" and "last operator key" are checked. */
static bool keys_lock(struct pg_link *link, struct err *err)
{
	return pg_begin(link, "", err) && pg_exec(link, "LOCK TABLE api_keys IN SHARE ROW EXCLUSIVE MODE", NULL, err);
}

static bool ask(struct pg_link *link, const char *sql, const struct pg_args *args, bool *answer, struct err *err)
{
	PG_RESULT result = pg_query(link, sql, args, err);

	if (!result)
		return false;
	*answer = pg_bool(result, 0, 0);
	return true;
}

/* Reads the key with that id if it belongs to the tenant ("": any tenant). */
static bool read_key(struct admin_job *job, struct pg_link *link, int64_t id, const char *tenant, struct api_key *out,
	struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;
	bool found;

	pg_arg_int(&args, id);
	pg_arg_text(&args, tenant);
	if (!pg_read(link, "SELECT " KEY_COLUMNS KEY_TABLES " WHERE k.id = $1 AND ($2 = '' OR k.tenant = $2)", &args,
		    &result, err))
		return false;
	found = PQntuples(result) > 0;
	if (found)
		row_key(result, 0, job->arena, out);
	return found || err_set(err, ERR_NOT_FOUND, "id: there is no key %lld", (long long)id) ||
	       err_reason(err, "KEY_NOT_FOUND");
}

static void lines_arg(struct pg_args *args, const char *lines)
{
	int array = pg_arg_array(args, PG_TEXT);
	char line[256];

	while (*lines) {
		size_t len = strcspn(lines, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)len, lines);
		pg_array_text(args, array, line);
		lines += len + (lines[len] == '\n');
	}
}

static bool insert_key(struct pg_link *link, struct api_key *key, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, key->tenant);
	pg_arg_bytes(&args, key->hash, sizeof(key->hash));
	pg_arg_text(&args, key->prefix);
	pg_arg_int(&args, key->role);
	pg_arg_text(&args, key->account);
	pg_arg_text(&args, key->label);
	pg_arg_int(&args, key->expires_at_us);
	lines_arg(&args, key->interfaces);
	lines_arg(&args, key->networks);
	if (!pg_read(link,
		    "INSERT INTO api_keys (tenant, hash, prefix, role, account, label, expires_at, interfaces, addresses) "
		    "VALUES ($1, $2, $3, $4::smallint, $5, $6, CASE WHEN $7 > 0 THEN to_timestamp($7 / 1000000.0) END, $8, "
		    "$9) RETURNING id, (extract(epoch FROM created_at) * 1000000)::bigint",
		    &args, &result, err))
		return false;
	key->id = pg_i64(result, 0, 0);
	key->created_at_us = pg_i64(result, 0, 1);
	key->revoked_at_us = key->used_at_us = key->rotated_to = 0;
	key->used_from = "";
	return true;
}

/* The key as JSON for the audit log, without the hash. */
static const char *key_json(struct admin_job *job, struct pg_link *link, int64_t id, struct err *err)
{
	PG_ARGS args = {0};

	pg_arg_int(&args, id);
	return admin_json(job, link, "SELECT to_jsonb(k) - 'hash' FROM api_keys k WHERE id = $1", &args, err);
}

static bool audit_key(struct admin_job *job, struct pg_link *link, const struct api_key *key, const char *action,
	const char *before, struct err *err)
{
	const char *after = key_json(job, link, key->id, err);
	char target[24];

	snprintf(target, sizeof(target), "%lld", (long long)key->id);
	return after && admin_audit(job, link, key->tenant, action, target, before, after, err);
}

static bool first_check(struct pg_link *link, const struct api_key *key, struct err *err)
{
	bool made;

	if (key->role == ROLE_OPERATOR)
		return true;
	if (!ask(link, "SELECT EXISTS (SELECT FROM api_keys)", NULL, &made, err))
		return false;
	return made || err_set(err, ERR_PRECONDITION,
			       "role: the first key must be an operator's, because once it exists every caller needs a "
			       "key");
}

/* Copies the old key's properties to the new key. */
static bool take_over(struct key_create *op, struct pg_link *link, int64_t *old_id, struct err *err)
{
	struct api_key old = {0};

	if (!read_key(&op->job, link, op->key.id, op->tenant, &old, err))
		return false;
	if (old.revoked_at_us || old.rotated_to)
		return err_set(err, ERR_PRECONDITION, "id: key %lld has already been %s", (long long)old.id,
			old.revoked_at_us ? "revoked" : "rotated");
	*old_id = old.id;
	memcpy(old.hash, op->key.hash, sizeof(old.hash));
	old.prefix = op->key.prefix;
	if (op->key.expires_at_us)
		old.expires_at_us = op->key.expires_at_us;
	if (old.expires_at_us && old.expires_at_us <= clock_wall_us())
		return err_set(err, ERR_PRECONDITION,
			"expires_at_us: key %lld has expired, so its successor needs an expiry of its own, in the "
			"future",
			(long long)old.id);
	op->key = old;
	return true;
}

static bool end_old(struct key_create *op, struct pg_link *link, int64_t old_id, struct err *err)
{
	PG_ARGS args = {0};

	pg_arg_int(&args, old_id);
	pg_arg_int(&args, op->key.id);
	pg_arg_int(&args, op->old_ends_at_us);
	return pg_exec(link,
		"UPDATE api_keys SET rotated_to = $2, expires_at = least(expires_at, to_timestamp($3 / 1000000.0)) "
		"WHERE id = $1",
		&args, err);
}

bool admin_key_create(struct key_create *op, struct pg_link *link, struct err *err)
{
	const char *before = "null";
	int64_t old_id = 0;

	if (!keys_lock(link, err) || (op->rotate && !take_over(op, link, &old_id, err)) ||
		(op->rotate && !(before = key_json(&op->job, link, old_id, err))) ||
		!first_check(link, &op->key, err) || !insert_key(link, &op->key, err))
		return false;
	if (op->rotate && !end_old(op, link, old_id, err))
		return false;
	return audit_key(&op->job, link, &op->key, op->rotate ? "key.rotate" : "key.create", before, err) &&
	       pg_commit(link, err);
}

static bool last_check(struct pg_link *link, const struct api_key *key, struct err *err)
{
	PG_ARGS args = {0};
	bool others = true;
	bool ok;

	if (key->role != ROLE_OPERATOR)
		return true;
	pg_arg_int(&args, key->id);
	ok = ask(link,
		"SELECT EXISTS (SELECT FROM api_keys WHERE role = 5 AND id <> $1 AND revoked_at IS NULL AND "
		"(expires_at IS NULL OR expires_at > now()))",
		&args, &others, err);
	if (ok && !others)
		return err_set(err, ERR_PRECONDITION,
			"id: key %lld is the last operator key: create another first, or nobody can manage the others",
			(long long)key->id);
	return ok;
}

bool admin_key_revoke(struct key_revoke *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	const char *before;
	bool ok;

	if (!keys_lock(link, err) || !read_key(&op->job, link, op->id, op->tenant, &op->key, err))
		return false;
	if (op->key.revoked_at_us)
		return true; /* a repeat */
	before = key_json(&op->job, link, op->id, err);
	pg_arg_int(&args, op->id);
	ok = before && last_check(link, &op->key, err) &&
	     pg_exec(link, "UPDATE api_keys SET revoked_at = now() WHERE id = $1", &args, err);
	return ok && audit_key(&op->job, link, &op->key, "key.revoke", before, err) &&
	       read_key(&op->job, link, op->id, op->tenant, &op->key, err) && pg_commit(link, err);
}

bool admin_key_list(struct key_list *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, op->tenant);
	pg_arg_bool(&args, op->all_tenants);
	pg_arg_bool(&args, op->ended_too);
	pg_arg_int(&args, op->after);
	pg_arg_page(&args, op->limit);
	if (!pg_read(link,
		    "SELECT " KEY_COLUMNS KEY_TABLES
		    " WHERE ($2 OR k.tenant = $1) AND ($3 OR (k.revoked_at IS NULL AND "
		    "(k.expires_at IS NULL OR k.expires_at > now()))) AND k.id > $4 ORDER BY k.id LIMIT $5",
		    &args, &result, err))
		return false;
	pg_page_begin(op, result, op->job.arena);
	for (int i = 0; i < op->count; i++)
		row_key(result, i, op->job.arena, &op->rows[i]);
	return true;
}

/* Writes in the order of ids, like every worker, so that workers do not deadlock. */
bool admin_key_uses(struct key_uses *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	int keys = pg_arg_array(&args, PG_INT8), times = pg_arg_array(&args, PG_TIME),
	    peers = pg_arg_array(&args, PG_TEXT);

	for (int i = 0; i < op->count; i++) {
		pg_array_int(&args, keys, op->use[i].key);
		pg_array_int(&args, times, op->use[i].at_us);
		pg_array_text(&args, peers, op->use[i].peer);
	}
	return pg_exec(link,
		"INSERT INTO api_key_uses AS u (key, at, peer) SELECT n.* FROM unnest($1, $2, $3) AS n (key, at, "
		"peer) WHERE EXISTS (SELECT FROM api_keys k WHERE k.id = n.key) ORDER BY n.key ON CONFLICT (key) DO "
		"UPDATE SET at = excluded.at, peer = excluded.peer WHERE u.at < excluded.at",
		&args, err);
}
