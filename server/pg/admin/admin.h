/* Private to the admin store: what its files share. */
#ifndef BURSAR_PG_ADMIN_ADMIN_H
#define BURSAR_PG_ADMIN_ADMIN_H

#include "pg/link/amounts.h"
#include "pg/link/link.h"
#include "pg/link/threads.h"
#include "store/admin.h"

/* A job in progress, in the call's arena. `own` is the admin_job embedded in the operation. */
struct admin_run {
	struct pg_job job;
	struct admin_job *own;
};

typedef bool admin_fn(struct admin_job *job, struct pg_link *link, struct err *err);

/* admin_<name>: runs one operation on a thread. Each is in the file of its subject, in pg/admin or pg/reports. */
#define OPERATION(kind, name, type) bool admin_##name(struct type *op, struct pg_link *link, struct err *err);
#include "store/admin_ops.def"

/* Inside a transaction: writes the row, its version, policy_changes and the audit row. */
bool account_change_write(struct admin_job *job, struct pg_link *link, struct account_change *op, struct err *err);
/*
 * Inside a transaction that puts an account of the tenant on the tier: waits for a concurrent deletion of the tier, and
 * keeps it from being deleted before our commit. ERR_INVALID ("tier") when there is no such tier.
 */
bool account_tier_hold(struct pg_link *link, const char *tenant, const char *tier, struct err *err);
/* Rows of a name and the amounts, in the job's arena. */
struct named_use *admin_named_uses(struct admin_job *job, const PGresult *result, int *count);
/* An array of days since 1970, as the next argument. */
void admin_days_add(struct pg_args *args, const int64_t *days, int count);
/* top_users.c: the users' part of the figures. */
bool admin_top_users(struct stats_query *op, struct pg_link *link, struct err *err) __attribute__((warn_unused_result));
/* The pools that a tenant has, shipped ones included; `name` NULL: all. */
bool pools_read(struct admin_job *job, struct pg_link *link, const char *tenant, const char *name,
	struct pool_row **rows, int *count, struct err *err);
/* Inside a transaction of catalog_begin: changes the pool, with its audit row. */
bool pool_change_write(struct admin_job *job, struct pg_link *link, struct pool_change *op, struct err *err);
/* Sets the slots of all pools that take them from the option; *changed: how many pools had a different number. */
bool pools_option(struct pg_link *link, int slots, int *changed, struct err *err);

/* Begins a transaction that excludes all other changes of the catalog, even in several of its tables. */
bool catalog_begin(struct pg_link *link, struct err *err) __attribute__((warn_unused_result));
/* Commits it and notes the first generation of the catalog that shows the change. */
bool catalog_commit(struct admin_job *job, struct pg_link *link, struct err *err) __attribute__((warn_unused_result));

/* Inside a transaction of catalog_begin, each with its audit row; they raise the tenant's epoch. */
bool tenant_write(struct admin_job *job, struct pg_link *link, struct tenant *tenant, struct err *err);
bool tier_write(
	struct admin_job *job, struct pg_link *link, const char *tenant, const struct tier *tier, struct err *err);
/* ERR_NOT_FOUND; ERR_PRECONDITION names what still uses the tier. */
bool tier_remove(struct admin_job *job, struct pg_link *link, const char *tenant, const char *name, struct err *err);

/* Of templates that have been checked. They leave the epoch as it is: no account's limits follow from them. */
bool text_write(struct admin_job *job, struct pg_link *link, const char *tenant, const struct text_template *text,
	struct err *err);
/* ERR_NOT_FOUND. */
bool text_remove(struct admin_job *job, struct pg_link *link, const char *tenant, const char *code,
	const char *language, struct err *err);
/* All of the tenant's own, sorted by code and language. */
bool texts_read(struct admin_job *job, struct pg_link *link, const char *tenant, struct text_template **texts,
	int *count, struct err *err);

/* Of aliases whose model has been looked up, each with its audit row. A trigger raises the epoch of all tenants. */
bool alias_write(struct admin_job *job, struct pg_link *link, const struct price_alias *alias, struct err *err);
/* ERR_NOT_FOUND; fills in what the alias has named. */
bool alias_remove(struct admin_job *job, struct pg_link *link, struct price_alias *alias, struct err *err);
/* All of the tenant's own, by alias. */
bool aliases_read(struct admin_job *job, struct pg_link *link, const char *tenant, struct price_alias **aliases,
	int *count, struct err *err);

/* The same of rules for models without a price, by pattern and beginning. */
bool family_write(struct admin_job *job, struct pg_link *link, const struct price_family *family, struct err *err);
bool family_remove(struct admin_job *job, struct pg_link *link, const struct price_family *family, struct err *err);
bool families_read(struct admin_job *job, struct pg_link *link, const char *tenant, struct price_family **families,
	int *count, struct err *err);

/* A copy of the cell in the arena. */
const char *admin_text(struct admin_job *job, const PGresult *result, int row, int column);

/* ERR_ABORTED with the reason ETAG_MISMATCH unless the job may change a thing whose state is `before`, as JSON. */
bool admin_match(const struct admin_job *job, const char *before, struct err *err) __attribute__((warn_unused_result));
/*
 * Inside the open transaction: logs who changed what, `before` and `details` as JSON ("null": nothing before). Refuses
 * as admin_match() does, so that the change does not happen.
 */
bool admin_audit(struct admin_job *job, struct pg_link *link, const char *tenant, const char *action,
	const char *target, const char *before, const char *details, struct err *err);

/* The first cell of the answer, in the job's arena: "null" when there is no row. NULL with `err` on failure. */
const char *admin_json(
	struct admin_job *job, struct pg_link *link, const char *sql, const struct pg_args *args, struct err *err);

/* Raises the epoch of the tenant ('': of all). Inserts its row, with the settings of `default`, if there is none. */
bool admin_raise_epoch(struct pg_link *link, const char *tenant, struct err *err);

#endif
