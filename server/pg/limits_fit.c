/* No account may have more limits, with those of its tier, than a decision has room for: each of its checks would be refused. */
#include "pg/limits_fit.h"

#include <inttypes.h>

#include "domain/limit.h"

/* Of accounts `a` of tenant $1 the first that has more limits than $2. A limit of its own takes the place of its tier's of that name. */
#define TOO_MANY(which_) \
	"SELECT a.id, n.limits, a.tier FROM (SELECT kind, id, CASE WHEN tier <> '' THEN tier WHEN kind = 1 THEN " \
	"(SELECT default_tier FROM tenants WHERE id IN ($1, 'default') ORDER BY id <> $1 LIMIT 1) ELSE '' END AS " \
	"tier " \
	"FROM accounts WHERE tenant = $1 AND " which_ ") a CROSS JOIN LATERAL (SELECT count(*) AS limits FROM (" \
	"SELECT name FROM account_limits WHERE tenant = $1 AND account_kind = a.kind AND account_id = a.id UNION " \
	"SELECT name FROM tier_limits WHERE tier = a.tier AND tenant = (SELECT max(tenant) FROM tiers WHERE tenant " \
	"IN ($1, '') " \
	"AND name = a.tier)) names) n WHERE n.limits > $2 ORDER BY a.kind, a.id LIMIT 1"

static bool fit(struct pg_link *link, const char *sql, const struct pg_args *args, const char *field, struct err *err)
{
	PGresult *result = pg_query(link, sql, args, err);
	bool ok;

	if (!result)
		return false;
	ok = PQntuples(result) == 0;
	if (!ok) {
		err_invalid(err, field, "%s would have %s with those of tier %s; at most %d", pg_text(result, 0, 0),
			pg_text(result, 0, 1), pg_text(result, 0, 2), LIMITS_MAX);
		err_reason(err, "TOO_MANY_LIMITS");
	}
	PQclear(result);
	return ok;
}

bool limits_fit_accounts(struct pg_link *link, const struct account_written *written, int count, struct err *err)
{
	struct pg_args args = {0};
	int own = 0;
	bool ok;

	pg_arg_text(&args, written[0].row->key.tenant);
	pg_arg_int(&args, LIMITS_MAX);
	pg_arg_int(&args, written[0].row->key.kind);
	int ids = pg_arg_array(&args, PG_TEXT);
	for (int i = 0; i < count; i++) {
		if (written[i].row->profile.override_count == 0)
			continue;
		pg_array_text(&args, ids, written[i].row->key.id);
		own++;
	}
	ok = own == 0 || fit(link, TOO_MANY("kind = $3::smallint AND id = ANY($4)"), &args, "limits", err);
	pg_args_release(&args);
	return ok;
}

bool limits_fit_tenant(struct pg_link *link, const char *tenant, const char *field, struct err *err)
{
	struct pg_args args = {0};
	bool ok;

	pg_arg_text(&args, tenant);
	pg_arg_int(&args, LIMITS_MAX);
	ok = fit(link,
		TOO_MANY("(kind, id) IN (SELECT account_kind, account_id FROM account_limits WHERE tenant = $1)"),
		&args, field, err);
	pg_args_release(&args);
	return ok;
}
