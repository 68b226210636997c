/* Accounts: what holds limits, and how their state stands at one moment. */
#ifndef BURSAR_DOMAIN_LIMIT_ACCOUNT_H
#define BURSAR_DOMAIN_LIMIT_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/limit/limit.h"
#include "domain/limit/window.h"

#define ACCOUNTS_MAX 5 /* user, team, org, model, tenant: what one request counts on at most */
#define TIER_NAME_MAX 64

/* The numbers stand in Redis and PostgreSQL. */
enum account_kind { ACCOUNT_USER = 1, ACCOUNT_TEAM = 2, ACCOUNT_ORG = 3, ACCOUNT_MODEL = 4, ACCOUNT_TENANT = 5 };

const char *account_kind_name(enum account_kind kind);
bool account_kind_parse(const char *text, enum account_kind *out);
/* The letter of the kind in the keys of Redis, and in what partitions are computed from. Stored. */
char account_kind_letter(enum account_kind kind);

/* What an admin has said about an account; PostgreSQL's row, and the `meta` of its Redis record. */
struct account_profile {
	char tier[TIER_NAME_MAX + 1]; /* "" = the tenant's default tier */
	char team[ID_MAX + 1], org[ID_MAX + 1];
	struct zone zone;
	bool suspended, bypass, deleted;
	int grace_percent; /* how much more, while now < grace_until_us */
	int64_t grace_until_us;
	uint32_t version; /* 0 = never put: an unknown user */
	int override_count;
	struct limit *overrides; /* prepared; owned by whoever made the profile */
};

/* Takes overrides that have ended out of the profile; how many. Its order stays. */
int profile_drop_ended(struct account_profile *profile, int64_t now_us);

/* The state of one limit. Which member counts follows from the limit's kind. */
union limit_state {
	struct {
		int64_t full_at_us, rem; /* full again at full_at_us + rem/den microseconds; <= now means full */
	} bucket;
	struct {
		int64_t settled, held;
	} calendar;
	int64_t open; /* KIND_LEVEL: open reservations that match it */
};

/* One account in the store at one moment. */
struct account_state {
	uint32_t version, epoch;
	bool suspended, bypass, deleted, provisional;
	int grace_percent;
	int64_t grace_until_us;
	int64_t clock_us; /* of its last change */
	/* 0 = never set. The next window begins when this one has ended, whatever zone the account has by then. */
	int64_t window_start[WINDOW_COUNT], window_end[WINDOW_COUNT];
	int64_t open; /* all open reservations */
	uint32_t notified; /* bit i: limit i has warned in its window */
	int64_t ahead_us; /* the latest window start that the store's clock, when it was wrong, has begun; 0 = none. Whole seconds */
	uint32_t unseeded; /* bit i: calendar limit i lacks what the ledger knows of its window */
	const struct policy *policy; /* the states below are in its order */
	union limit_state limits[LIMITS_MAX];
};

#endif
