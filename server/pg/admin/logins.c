/* One-time codes for a login to the dashboard (pg/admin/admin.h). */
#include "pg/admin/admin.h"

#include <stdio.h>

/* Makes room: drops the codes whose time is over, and those of the key that would be too many. */
static bool make_room(struct login_create *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};

	pg_arg_int(&args, op->key);
	return pg_exec(link,
		"DELETE FROM logins WHERE hash IN (SELECT hash FROM logins WHERE expires_at <= now() OR (key = $1 AND "
		"hash IN (SELECT hash FROM logins WHERE key = $1 ORDER BY expires_at DESC OFFSET 9)) ORDER BY hash "
		"FOR UPDATE SKIP LOCKED)",
		&args, err);
}

bool admin_login_create(struct login_create *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;
	char target[24];

	if (!pg_begin(link, "", err) || !make_room(op, link, err))
		return false;
	pg_arg_bytes(&args, op->hash, sizeof(op->hash));
	pg_arg_int(&args, op->key);
	if (!pg_read(link,
		    "INSERT INTO logins (hash, key, expires_at) VALUES ($1, $2, now() + interval '10 minutes') "
		    "RETURNING (extract(epoch FROM expires_at) * 1000000)::bigint",
		    &args, &result, err))
		return false;
	op->expires_at_us = pg_i64(result, 0, 0);
	snprintf(target, sizeof(target), "%lld", (long long)op->key);
	return admin_audit(&op->job, link, op->tenant, "login.create", target, "null", "{}", err) &&
	       pg_commit(link, err);
}

bool admin_login_redeem(struct login_redeem *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_bytes(&args, op->hash, sizeof(op->hash));
	if (!pg_read(link, "DELETE FROM logins WHERE hash = $1 AND expires_at > now() RETURNING key", &args, &result,
		    err))
		return false;
	op->key = PQntuples(result) > 0 ? pg_i64(result, 0, 0) : 0;
	return true;
}
