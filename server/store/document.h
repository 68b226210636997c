/* A tenant as one document: its settings, tiers, pools, shared accounts and texts, as they are and as somebody wants them. */
#ifndef BURSAR_STORE_DOCUMENT_H
#define BURSAR_STORE_DOCUMENT_H

#include "store/admin.h"

#define DOCUMENT_ACCOUNTS_MAX 2000

struct document {
	const char *tenant;
	const struct tenant *settings; /* NULL: not spoken of */
	int tiers;
	struct tier *tier; /* read: those that count, shipped ones included, by name */
	int pools;
	struct pool_settings *pool; /* read: likewise */
	int texts;
	struct text_template *text; /* the tenant's own; read: by code and language */
	int accounts;
	struct account_row *account; /* never users; read: by kind and id, deleted ones left out */
};

/* One entry that changes: of the pairs one is filled, its members NULL where there is nothing. */
struct document_change {
	enum { CHANGE_ADDED, CHANGE_CHANGED, CHANGE_REMOVED } kind;
	const struct tenant *settings_before, *settings_after;
	const struct tier *tier_before, *tier_after;
	const struct pool_settings *pool_before, *pool_after;
	const struct account_row *account_before, *account_after;
	const struct text_template *text_before, *text_after;
	/* Out, once written: what the store has to be told. */
	struct pool_row pool;
	struct account_row account;
};

/* Reads the document of a tenant. ERR_PRECONDITION when it has more shared accounts than a document holds. */
struct document_read {
	struct admin_job job;
	const char *tenant;
	int64_t now_us; /* overrides that have ended by then are left out */
	struct document document; /* out */
};

/*
 * Makes a tenant as `wanted` says, in one transaction: all of it or nothing. The store reads what is, calls `compare` on its own
 * thread (pure: lists the changes in the job's arena, or refuses), and writes them.
 */
struct document_apply {
	struct admin_job job;
	const struct document *wanted;
	bool dry_run, prune;
	const char *
		expected; /* refuse (ERR_PRECONDITION) when the changes have another fingerprint; "" = whatever they are */
	bool (*compare)(struct document_apply *op, const struct document *now, struct err *err);
	int64_t now_us; /* likewise; and changes of time zones begin then */
	int changes; /* out, by compare; so below */
	struct document_change *change;
	uint64_t fingerprint;
};

#endif
