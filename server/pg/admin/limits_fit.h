/* Whether accounts have room for their own limits and those of their tiers; for the transaction that changes either. */
#ifndef BURSAR_PG_ADMIN_LIMITS_FIT_H
#define BURSAR_PG_ADMIN_LIMITS_FIT_H

#include "pg/admin/account_rows.h"

/* The limits of a tenant's tiers as the transaction sees them. Initialize with zeros. */
struct tier_limits {
	PGresult *rows;
};
bool tier_limits_read(struct tier_limits *limits, struct pg_link *link, const char *tenant, struct err *err)
	__attribute__((warn_unused_result));
void tier_limits_release(struct tier_limits *limits);

/* ERR_INVALID with the reason TOO_MANY_LIMITS when the account would have more than LIMITS_MAX. */
bool limits_fit(const struct tier_limits *tiers, const struct account_row *row, struct err *err);
/*
 * The same for all accounts of the tenant with limits of their own, after a change of tiers; names the first that has
 * too many.
 */
bool limits_fit_tenant(struct pg_link *link, const char *tenant, const char *field, struct err *err)
	__attribute__((warn_unused_result));

#endif
