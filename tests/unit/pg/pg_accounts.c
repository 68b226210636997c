/* An account that uses every field. */
#include "pg_accounts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct limit limit_example(const char *name, int64_t amount)
{
	struct limit limit = {.dimension = DIM_TOKENS,
		.kind = KIND_CALENDAR,
		.unit = WINDOW_MONTH,
		.amount = amount,
		.interface = "telegram",
		.notify = true,
		.warn_percent = 70};
	struct err err;

	snprintf(limit.name, sizeof(limit.name), "%s", name);
	assert_true(limit_prepare(&limit, &err));
	return limit;
}

bool account_to_pro(struct account_change *op, struct account_row *row, struct err *err)
{
	(void)op, (void)err;
	struct limit *limits = arena_zalloc(&bench.arena, 2, sizeof(*limits));
	snprintf(row->profile.tier, sizeof(row->profile.tier), "pro");
	snprintf(row->profile.team, sizeof(row->profile.team), "red");
	snprintf(row->profile.zone.name, sizeof(row->profile.zone.name), "Europe/Berlin");
	row->profile.zone.kept[WINDOW_WEEK][0] = 1;
	row->profile.zone.kept[WINDOW_WEEK][1] = COUNT_MAX;
	row->profile.grace_until_us = 123456789;
	row->profile.grace_percent = 50;
	row->profile.suspended = true;
	row->suspended_reason = "spam";
	limits[0] = limit_example("a", 10);
	limits[1] = limit_example("b", 20);
	row->profile.overrides = limits;
	row->profile.override_count = 2;
	return true;
}

struct account_change account_changed(
	const char *id, bool (*change)(struct account_change *, struct account_row *, struct err *))
{
	struct account_change op = {.job = JOB, .key = {ACCOUNT_USER, "t", id}, .change = change};

	RUN(account_change, &op);
	return op;
}
