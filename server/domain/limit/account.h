/* Accounts: what has limits, and their state at one moment. */
#ifndef BURSAR_DOMAIN_LIMIT_ACCOUNT_H
#define BURSAR_DOMAIN_LIMIT_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/limit/limit.h"
#include "domain/limit/window.h"

#define ACCOUNTS_MAX 5 /* user, team, org, model, tenant: the most that one request counts on */
#define TIER_NAME_MAX 64

/* Redis and PostgreSQL store these numbers. */
enum account_kind { ACCOUNT_USER = 1, ACCOUNT_TEAM = 2, ACCOUNT_ORG = 3, ACCOUNT_MODEL = 4, ACCOUNT_TENANT = 5 };

const char *account_kind_name(enum account_kind kind);
bool account_kind_parse(const char *text, enum account_kind *out);
/* The letter of the kind in the keys of Redis, and in what partitions are computed from. Stored. */
char account_kind_letter(enum account_kind kind);

/* An account's settings, made by admins; PostgreSQL's row, and the `meta` of its Redis record. */
struct account_profile {
	char tier[TIER_NAME_MAX + 1]; /* "" = the tenant's default tier */
	char team[ID_MAX + 1], org[ID_MAX + 1];
	struct zone zone;
	bool suspended, bypass, deleted;
	int grace_percent; /* extra allowance while now < grace_until_us */
	int64_t grace_until_us;
	uint32_t version; /* 0 = never set: an unknown user */
	int override_count;
	struct limit *overrides; /* prepared; owned by the profile's creator */
};

/* Removes overrides that have ended, preserving the order of the others. Returns how many. */
int profile_drop_ended(struct account_profile *profile, int64_t now_us);

/* The state of one limit. The limit's kind says which member is valid. */
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
	/* 0 = never set. The next window begins when this one has ended, even if the account has another zone by then. */
	int64_t window_start[WINDOW_COUNT], window_end[WINDOW_COUNT];
	int64_t open; /* all open reservations */
	uint32_t notified; /* bit i: limit i has already warned in its window */
	int64_t ahead_us; /* the latest window start made while the store's clock was wrong; 0 = none. Whole seconds */
	uint32_t unseeded; /* bit i: calendar limit i lacks the ledger's use of its window */
	const struct policy *policy; /* the states below are in its order */
	union limit_state limits[LIMITS_MAX];
};

#endif
