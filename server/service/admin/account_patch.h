/* An admin's change to an account; the same for one account and for many. */
#ifndef BURSAR_SERVICE_ADMIN_ACCOUNT_PATCH_H
#define BURSAR_SERVICE_ADMIN_ACCOUNT_PATCH_H

#include "store/admin.h"

/* The numbers are those of AccountAction (admin.proto). */
enum account_action {
	ACTION_SET_TIER = 1,
	ACTION_SUSPEND = 2,
	ACTION_UNSUSPEND = 3,
	ACTION_DELETE = 4,
	ACTION_SET_GRACE = 5,
	ACTION_SET_BYPASS = 6,
	ACTION_OVERRIDE_LIMITS = 7
};

struct account_patch {
	enum account_action action;
	const char *tier;
	const char *reason; /* for a suspension */
	int64_t grace_until_us; /* 0 ends the grace period */
	int grace_percent; /* 0 = 100 */
	bool bypass;
	bool merge; /* overrides with other names stay, except those in `remove` and those that have ended */
	int64_t now_us; /* decides which overrides have ended */
	int limits;
	const struct limit *limit; /* prepared, each name once */
	size_t removes;
	char *const *remove;
};

/*
 * Changes the row; *differs says whether that made a difference. Deleting an unknown account makes none. The only error
 * is ERR_INVALID, for too many limits or an unknown action. Memory comes from `arena`.
 */
bool account_patch_apply(const struct account_patch *patch, struct arena *arena, struct account_row *row, bool *differs,
	struct err *err) __attribute__((warn_unused_result));

#endif
