/* An account that uses every field, for the tests of the admin store. */
#ifndef TESTS_PG_ACCOUNTS_H
#define TESTS_PG_ACCOUNTS_H

#include "pg_bench.h"

/* A calendar limit of tokens a month, with a selector and a warning at 70%. */
struct limit limit_example(const char *name, int64_t amount);
/* On pro, in team red, suspended for spam, with grace, a time zone and the overrides a (10) and b (20). */
bool account_to_pro(struct account_change *op, struct account_row *row, struct err *err);
/* Runs the change on this user of tenant t; op.job says how it ended. */
struct account_change account_changed(
	const char *id, bool (*change)(struct account_change *, struct account_row *, struct err *));

#endif
