/*
 * No account may have more limits, including those of its tier, than a decision has room for, because each of its
 * checks would be refused.
 */
#include "pg/admin/limits_fit.h"

#include <string.h>

#include "domain/limit/limit.h"

static bool too_many(const char *field, const char *id, int count, const char *tier, struct err *err)
{
	err_invalid(err, field, "%s would have %d including those of tier %s; at most %d are allowed", id, count, tier,
		LIMITS_MAX);
	return err_reason(err, "TOO_MANY_LIMITS");
}

bool tier_limits_read(struct tier_limits *limits, struct pg_link *link, const char *tenant, struct err *err)
{
	PG_ARGS args = {0};

	pg_arg_text(&args, tenant);
	limits->rows = pg_query(link,
		"SELECT t.name, l.name, t.name = " DEFAULT_TIER
		" FROM (SELECT DISTINCT ON (name) tenant, name FROM tiers WHERE tenant IN ($1, '') ORDER BY name, "
		"tenant DESC) t JOIN tier_limits l ON l.tenant = t.tenant AND l.tier = t.name",
		&args, err);
	return limits->rows != NULL;
}

void tier_limits_release(struct tier_limits *limits)
{
	pg_result_clear(&limits->rows);
}

static bool has_own(const struct account_profile *profile, const char *name)
{
	for (int i = 0; i < profile->override_count; i++)
		if (strcmp(profile->overrides[i].name, name) == 0)
			return true;
	return false;
}

bool limits_fit(const struct tier_limits *tiers, const struct account_row *row, struct err *err)
{
	const struct account_profile *profile = &row->profile;
	const char *tier = profile->tier;
	int count = profile->override_count;

	for (int i = 0; count > 0 && i < PQntuples(tiers->rows); i++) {
		const char *name = pg_text(tiers->rows, i, 0);
		bool counts = profile->tier[0] ? strcmp(name, profile->tier) == 0
					       : row->key.kind == ACCOUNT_USER && pg_bool(tiers->rows, i, 2);

		if (!counts)
			continue;
		tier = name;
		count += !has_own(profile, pg_text(tiers->rows, i, 1));
	}
	return count <= LIMITS_MAX || too_many("limits", row->key.id, count, tier, err);
}

/* Examines only accounts that would have too many with the largest tier: few, even if 100,000 have limits. */
bool limits_fit_tenant(struct pg_link *link, const char *tenant, const char *field, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, tenant);
	pg_arg_int(&args, LIMITS_MAX);
	if (!pg_read(link,
		    "SELECT a.id, n.limits, a.tier FROM (SELECT kind, id, CASE WHEN tier <> '' THEN tier WHEN kind = 1 "
		    "THEN " DEFAULT_TIER
		    " ELSE '' END AS tier FROM accounts WHERE tenant = $1 AND (kind, id) IN (SELECT "
		    "account_kind, account_id FROM account_limits WHERE tenant = $1 GROUP BY 1, 2 HAVING count(*) > $2 - "
		    "(SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM tier_limits WHERE tenant IN ($1, '') "
		    "GROUP BY tenant, tier) tiers))) a CROSS JOIN LATERAL (SELECT count(*) AS limits FROM (SELECT name "
		    "FROM account_limits WHERE tenant = $1 AND account_kind = a.kind AND account_id = a.id UNION SELECT "
		    "name FROM tier_limits WHERE tier = a.tier AND tenant = (SELECT max(tenant) FROM tiers WHERE tenant "
		    "IN ($1, '') AND name = a.tier)) names) n WHERE n.limits > $2 ORDER BY a.kind, a.id LIMIT 1",
		    &args, &result, err))
		return false;
	return PQntuples(result) == 0 ||
	       too_many(field, pg_text(result, 0, 0), (int)pg_i64(result, 0, 1), pg_text(result, 0, 2), err);
}
