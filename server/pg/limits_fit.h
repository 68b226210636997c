/* Whether accounts have room for their limits and those of their tiers. Inside of the transaction that has changed one or the other. */
#ifndef BURSAR_PG_LIMITS_FIT_H
#define BURSAR_PG_LIMITS_FIT_H

#include "pg/account_rows.h"

/* INVALID_ARGUMENT with the reason TOO_MANY_LIMITS names the first account that has more than LIMITS_MAX. The rows: of one tenant and kind. */
bool limits_fit_accounts(struct pg_link *link, const struct account_written *written, int count, struct err *err)
	__attribute__((warn_unused_result));
/* All accounts of the tenant that have limits of their own. */
bool limits_fit_tenant(struct pg_link *link, const char *tenant, const char *field, struct err *err)
	__attribute__((warn_unused_result));

#endif
