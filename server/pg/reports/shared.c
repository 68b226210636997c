/* Who shares an account: how many users, and which of them used most (pg/admin/admin.h). */
#include "pg/admin/admin.h"

/* The users of a team, org or tenant, as rows of accounts a. A user's own org counts only while they are in no team. */
#define OF_TEAM(tenant_, id_) \
	"SELECT a.id FROM accounts a WHERE a.tenant = " tenant_ " AND a.kind = 1 AND a.team = " id_ \
	" AND a.team <> '' AND NOT a.deleted"
#define OF_ORG(tenant_, id_) \
	"SELECT a.id FROM accounts a WHERE a.tenant = " tenant_ " AND a.kind = 1 AND a.org = " id_ \
	" AND a.org <> '' AND a.team = '' AND NOT a.deleted UNION ALL SELECT a.id FROM accounts g JOIN accounts a ON " \
	"a.tenant = g.tenant AND a.kind = 1 AND a.team = g.id AND a.team <> '' AND NOT a.deleted WHERE g.tenant " \
	"= " tenant_ " AND g.kind = 2 AND g.org = " id_ " AND g.org <> ''"
#define OF_TENANT(tenant_) "SELECT a.id FROM accounts a WHERE a.tenant = " tenant_ " AND a.kind = 1 AND NOT a.deleted"
#define COUNTED(users_) "(SELECT count(*) FROM (" users_ " LIMIT $4) u)"

bool admin_shared_counts(struct shared_counts *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_array(&args, PG_TEXT);
	pg_arg_array(&args, PG_INT2);
	pg_arg_array(&args, PG_TEXT);
	for (int i = 0; i < op->count; i++) {
		pg_array_text(&args, 0, op->key[i].tenant);
		pg_array_int(&args, 1, op->key[i].kind);
		pg_array_text(&args, 2, op->key[i].id);
	}
	pg_arg_int(&args, SHARED_MAX);
	if (!pg_read(link,
		    "SELECT CASE k.kind WHEN 2 THEN " COUNTED(
			    OF_TEAM("k.tenant", "k.id")) " WHEN 3 THEN " COUNTED(OF_ORG("k.tenant",
			    "k.id")) " ELSE " COUNTED(OF_TENANT("k.tenant")) " END FROM unnest($1, $2, $3) "
									     "WITH ORDINALITY AS k (tenant, kind, "
									     "id, position) ORDER BY k.position",
		    &args, &result, err))
		return false;
	for (int i = 0; i < op->count; i++)
		op->users[i] = pg_i64(result, i, 0);
	return true;
}

/* Considers at most SHARED_MAX users; each costs a short lookup in usage_daily by its key. */
#define HEAVIEST(users_) \
	"SELECT d.user_id" AMOUNT_SUMS " FROM (" users_ \
	" LIMIT $4) u JOIN usage_daily d ON d.tenant = $1 AND d.user_id = u.id " \
	"AND d.day >= ($3::date[])[1] GROUP BY d.user_id ORDER BY sum(d.cost_nano) DESC, sum(d.requests) DESC, 1 " \
	"LIMIT $5"

bool admin_shared_users(struct shared_users *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;
	int day;

	pg_arg_text(&args, op->key.tenant);
	pg_arg_text(&args, op->key.id);
	day = pg_arg_array(&args, PG_DATE);
	pg_array_int(&args, day, op->from_us);
	pg_arg_int(&args, SHARED_MAX);
	pg_arg_int(&args, op->limit);
	if (!pg_read(link, op->key.kind == ACCOUNT_TEAM ? HEAVIEST(OF_TEAM("$1", "$2")) : HEAVIEST(OF_ORG("$1", "$2")),
		    &args, &result, err))
		return false;
	op->user = admin_named_uses(&op->job, result, &op->count);
	return true;
}
