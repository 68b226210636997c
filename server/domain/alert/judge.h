/*
 * Decides what fires: a pure function of rules, channels, and what one snapshot shows of an account. What it lists has only fired
 * once the store has found that nobody has stored it before.
 */
#ifndef BURSAR_DOMAIN_ALERT_JUDGE_H
#define BURSAR_DOMAIN_ALERT_JUDGE_H

#include "base/arena.h"
#include "domain/alert/alert.h"
#include "domain/record/usage.h"

/* Rules and channels of all tenants, each sorted by tenant and name. */
struct alert_setup {
	int rules, channels;
	struct alert_rule *rule;
	struct alert_channel *channel;
};

/* That something has fired: in the window that began at window_us, at `point`, when `used` was used. */
struct alert_fired {
	const char *rule, *key;
	int64_t window_us, point, used;
};

/* An account as one snapshot shows it. */
struct alert_account {
	enum account_kind kind;
	const char *tenant, *id;
	struct account_profile profile; /* of an unknown account: version 0 */
	const char *tier; /* the one in force; "": none */
	const struct policy *policy; /* the limits in force: its tier's with its overrides; NULL: none */
	int windows;
	struct usage_window *window; /* that may be running */
	int64_t today_nano, today_unpriced; /* cost, and requests without a price, of this day (UTC) by the roll-ups */
	int64_t past_nano; /* cost of the 14 days before, and how many of them lie behind its first use */
	int past_days;
	int fired; /* what has fired of it */
	struct alert_fired *fired_row;
};

/* Compares two accounts: by tenant, kind and id. */
int alert_account_order(const void *a, const void *b);
/* The account among those sorted by alert_account_order; NULL: it is not among them. */
const struct alert_account *alert_account_find(
	const struct alert_account *accounts, int count, const char *tenant, enum account_kind kind, const char *id);

/* What is to be stored: an event that fires once, and the row that says so. */
struct alert_firing {
	struct alert_event event;
	bool silent; /* only the row: a lower threshold that was passed in one go with a higher one */
	const char *key; /* what fires once in a window; "": the event is stored in any case */
	int64_t window_us, point, used, expires_at_us;
	int channels; /* where the event goes */
	const char **channel; /* names */
	const char **channel_tenant; /* of each: an event of tenant "" goes to channels of any that are `system` */
	int64_t *not_before_us;
	bool stored; /* set by the store: the event is new, and stored */
};

/* A row to forget: the account is below its point again. */
struct alert_rearm {
	enum account_kind kind;
	const char *tenant, *id;
	struct alert_fired fired; /* as it was read: what another has stored since stays */
};

/* One judgement of any number of accounts and notes. `struct alert_judge j = {.setup, .arena, .now_us}` is ready. */
struct alert_judge {
	const struct alert_setup *setup;
	struct arena *
		arena; /* what is listed is allocated here, or belongs to `setup` and to the accounts and notes, but not to policies */
	int64_t now_us;
	bool stale; /* the policies may be older than those by which something has fired: forget nothing */
	/* Out. */
	int firings, rearms;
	struct alert_firing *firing;
	struct alert_rearm *rearm;
	/* Internal. */
	int firing_room, rearm_room;
	const char *tenant; /* whose rules and channels these are */
	int in_force, channels;
	const struct alert_rule **rule;
	const struct alert_channel *channel;
};

/* Judges what the account has used. Quick when the accounts come sorted by tenant. */
void alert_judge_account(struct alert_judge *judge, const struct alert_account *account);

/*
 * Judges a fact: an event without rule and severity. `account` is the one that it is about, or NULL. `id` tells apart those of
 * one kind that fire separately: a key's id; "": the kind's own way.
 */
void alert_judge_note(
	struct alert_judge *judge, const struct alert_event *note, const struct alert_account *account, const char *id);

/*
 * For which kinds of accounts today_nano, today_unpriced and the past must be known (bits 1 << kind); and below which cost of today
 * the past does not matter.
 */
unsigned alert_daily_kinds(const struct alert_setup *setup, int64_t *minimum_nano);

#endif
