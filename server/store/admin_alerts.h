/* Alerts as admins read and change them: part of the admin store (store/admin.h). */
#ifndef BURSAR_STORE_ADMIN_ALERTS_H
#define BURSAR_STORE_ADMIN_ALERTS_H

#include "domain/alert/alert.h"
#include "store/admin_accounts.h"

/* Writes a rule that has been checked. ERR_INVALID for a channel that the tenant does not have; ERR_PRECONDITION at ALERT_RULES_MAX. */
struct alert_rule_put {
	struct admin_job job;
	struct alert_rule rule; /* out: updated_at_us, etag */
};
/* The rules in force in a tenant, by name: its own, and the shipped ones of other names. */
struct alert_rule_list {
	struct admin_job job;
	const char *tenant;
	int count;
	struct alert_rule *rows;
};
/* ERR_NOT_FOUND when the tenant has no rule of its own of that name. */
struct alert_rule_delete {
	struct admin_job job;
	const char *tenant, *name;
};

/*
 * Writes a channel. `change` edits the stored one (known: it exists), or refuses, on the store's thread; so what is not given, and
 * secrets above all, stays as it is. ERR_PRECONDITION at ALERT_CHANNELS_MAX.
 */
struct alert_channel_put {
	struct admin_job job;
	const char *tenant, *name;
	bool (*change)(struct alert_channel_put *op, struct alert_channel *channel, bool known, struct err *err);
	struct alert_channel channel; /* out; the secrets are for whoever made them */
};
struct alert_channel_list {
	struct admin_job job;
	const char *tenant;
	int count;
	struct alert_channel *rows; /* with secrets: an answer only says which are set */
};
/* ERR_NOT_FOUND. Rules that name it no longer do. */
struct alert_channel_gone {
	int64_t cancelled; /* events and messages that were waiting */
	int silent_rules; /* rules that named no other channel */
	const char **silent_rule;
};
struct alert_channel_delete {
	struct admin_job job;
	const char *tenant, *name;
	bool system_too; /* may be one that gets what concerns the whole installation; else ERR_PERMISSION */
	struct alert_channel_gone gone; /* out */
};

struct alert_delivery {
	int64_t id;
	const char *message_id, *tenant, *channel;
	int events;
	int64_t *event;
	bool test;
	enum alert_delivery_state state;
	int attempts;
	int64_t created_at_us, next_at_us, ended_at_us;
	int status;
	const char *error;
	int logged; /* alert_delivery_get only: the last attempts, in order */
	struct alert_attempt {
		int attempt, status;
		int64_t at_us, took_us;
		const char *error;
	} * log;
};
/* Makes a message of a TEST event for one channel, due at once. ERR_NOT_FOUND. */
struct alert_test {
	struct admin_job job;
	const char *tenant, *name;
	int64_t now_us, give_up_us;
	struct alert_delivery delivery; /* out */
};
struct alert_delivery_list {
	struct admin_job job;
	const char *tenant, *channel; /* channel "": all */
	enum alert_delivery_state state; /* 0: all */
	int64_t before; /* id; 0: from the newest */
	int limit;
	int count;
	struct alert_delivery *rows; /* the newest first */
	bool more;
};
/* ERR_NOT_FOUND. */
struct alert_delivery_get {
	struct admin_job job;
	const char *tenant;
	int64_t id;
	struct alert_delivery delivery; /* out */
};
/* ERR_NOT_FOUND; ERR_PRECONDITION for one that waits already, or whose channel is gone. */
struct alert_resend {
	struct admin_job job;
	const char *tenant;
	int64_t id;
	int64_t now_us, give_up_us;
	struct alert_delivery delivery; /* out */
};

/* Events, the newest first; or, with `forward`, those after a cursor in the order of cursors, which only has numbered ones. */
struct alert_event_list {
	struct admin_job job;
	const char *tenant;
	bool system; /* those of tenant "" */
	bool all_tenants; /* those of every tenant but "" */
	enum alert_kind kind; /* 0: all */
	unsigned kinds; /* bits 1 << kind; 0: all */
	const char *rule, *account; /* "": all */
	enum account_kind account_kind; /* 0: all */
	enum alert_severity least; /* 0: all */
	int64_t from_us, to_us; /* 0 = open */
	bool forward;
	int64_t before, after; /* id; seq */
	int limit;
	int count;
	struct alert_event *rows;
	bool more;
	int64_t newest; /* forward: the highest cursor of any tenant, or 0; a reader who has read all rows continues after it */
	int64_t last; /* forward: no event has had a higher cursor, whether it is kept or not */
};

/* Notes facts, for the alerts role to find (alert_notes). Several at once; used by workers and by the ledger role. */
struct alert_notes {
	struct admin_job job;
	int count;
	const struct alert_event *note;
};

#endif
