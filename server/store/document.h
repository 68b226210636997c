/* A tenant as one document: its settings, tiers, pools, shared accounts, texts, aliases, families and alerts, current or wanted. */
#ifndef BURSAR_STORE_DOCUMENT_H
#define BURSAR_STORE_DOCUMENT_H

#include "store/admin.h"

#define DOCUMENT_ACCOUNTS_MAX 2000

struct document {
	const char *tenant;
	const struct tenant *settings; /* NULL: not part of the document */
	int tiers;
	struct tier *tier; /* read: the effective ones, including shipped ones, by name */
	int pools;
	struct pool_settings *pool; /* read: likewise */
	int texts;
	struct text_template *text; /* the tenant's own; read: by code and language */
	int aliases;
	struct price_alias *alias; /* the tenant's own; read: by alias */
	int families;
	struct price_family *family; /* the tenant's own; read: by pattern and beginning */
	bool alerts; /* wanted: has this part; without it, none of it is removed, as secrets would be lost with it */
	int channels;
	struct alert_channel *channel; /* read: by name, with the secrets that a change keeps */
	int rules;
	struct alert_rule *rule; /* the tenant's own; read: by name */
	int accounts;
	struct account_row *account; /* never users; read: by kind and id, without deleted ones */
};

/* One entry that changes: exactly one of the pairs is filled; a member is NULL when that side does not exist. */
struct document_change {
	enum { CHANGE_ADDED, CHANGE_CHANGED, CHANGE_REMOVED } kind;
	const struct tenant *settings_before, *settings_after;
	const struct tier *tier_before, *tier_after;
	const struct pool_settings *pool_before, *pool_after;
	const struct account_row *account_before, *account_after;
	const struct text_template *text_before, *text_after;
	const struct price_alias *alias_before, *alias_after;
	const struct price_family *family_before, *family_after;
	const struct alert_channel *channel_before, *channel_after;
	const struct alert_rule *rule_before, *rule_after;
	/* Out, once written: what the deciding store must be told. */
	struct pool_row pool;
	struct account_row account;
};

/* One side of a change: exactly one is not NULL, or none where there was, or will be, nothing. */
struct document_side {
	const struct tenant *settings;
	const struct tier *tier;
	const struct pool_settings *pool;
	const struct account_row *account;
	const struct text_template *text;
	const struct price_alias *alias;
	const struct price_family *family;
	const struct alert_channel *channel;
	const struct alert_rule *rule;
};

static inline struct document_side document_side_of(const struct document_change *change, bool after)
{
	return (struct document_side){
		.settings = after ? change->settings_after : change->settings_before,
		.tier = after ? change->tier_after : change->tier_before,
		.pool = after ? change->pool_after : change->pool_before,
		.account = after ? change->account_after : change->account_before,
		.text = after ? change->text_after : change->text_before,
		.alias = after ? change->alias_after : change->alias_before,
		.family = after ? change->family_after : change->family_before,
		.channel = after ? change->channel_after : change->channel_before,
		.rule = after ? change->rule_after : change->rule_before,
	};
}

/* Reads a tenant's document. ERR_PRECONDITION when it has more shared accounts than a document can hold. */
struct document_read {
	struct admin_job job;
	const char *tenant;
	int64_t now_us; /* overrides that have ended by then are left out */
	struct document document; /* out */
};

/*
 * Makes a tenant match `wanted`, in one transaction: all or nothing. The store reads the current state, calls `compare`
 * on its own thread (pure: lists the changes in the job's arena, or refuses), and writes them.
 */
struct document_apply {
	struct admin_job job;
	const struct document *wanted;
	bool dry_run, prune;
	bool system_too; /* may change channels that get what concerns the whole installation */
	const char *alert_allow; /* where channels may go: the option */
	const char *expected; /* refuse (ERR_PRECONDITION) changes with another fingerprint; "" = any */
	bool (*compare)(struct document_apply *op, const struct document *now, struct err *err);
	int64_t now_us; /* as in document_read; changes of time zones also begin then */
	int changes; /* out, by compare, like all below */
	struct document_change *change;
	uint64_t fingerprint;
};

#endif
