/* What an admin changes of an account, whether of one or of many. */
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
	const char *reason; /* of a suspension */
	int64_t grace_until_us; /* 0 ends it */
	int grace_percent; /* 0 = 100 */
	bool bypass;
	bool merge; /* overrides of other names stay, but those in `remove`, and those that have ended */
	int64_t now_us; /* for that */
	int limits;
	const struct limit *limit; /* prepared, no two of one name */
	size_t removes;
	char *const *remove;
};

/*
 * Changes the row, and says whether that made a difference: an account that is so already is left as it is. An unknown account cannot be
 * deleted, and that is none. Only limits can be too many (ERR_INVALID). Memory comes from `arena`.
 */
bool account_patch_apply(const struct account_patch *patch, struct arena *arena, struct account_row *row, bool *differs,
	struct err *err) __attribute__((warn_unused_result));

#endif
