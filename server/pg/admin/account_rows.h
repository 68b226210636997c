/* Reads and writes accounts with their own limits by sets, many of one tenant and kind at a time. */
#ifndef BURSAR_PG_ADMIN_ACCOUNT_ROWS_H
#define BURSAR_PG_ADMIN_ACCOUNT_ROWS_H

#include "pg/admin/account_filter.h"
#include "pg/admin/admin.h"

/* A row to write. */
struct account_written {
	const char *before; /* the old state as JSON, for the audit log; "null" for a new account */
	struct account_row *row; /* the new state; its version is raised once it has been written */
};

/*
 * Reads those of the accounts with these ids (sorted, without duplicates) that exist and match the filter (NULL: all).
 * `rows` has room for all ids; `found` of them are filled. `lock` locks the rows until the transaction ends, in the
 * order of ids. `before` (may be NULL; same room) gets their current state as JSON, and the rows their etags. Texts live in the job's arena.
 */
struct account_read {
	struct account_set set;
	const char *const *id;
	int count;
	bool lock;
	int found;
	struct account_row *rows;
	const char **before;
};
bool account_rows_read(struct admin_job *job, struct pg_link *link, struct account_read *read, struct err *err)
	__attribute__((warn_unused_result));

/* Inserts rows for those of the ids (sorted) that have none; made[i] says which. */
bool account_rows_make(struct pg_link *link, const struct account_set *set, const char *const *id, int count,
	bool *made, struct err *err) __attribute__((warn_unused_result));

/*
 * Inside a transaction that has locked them: writes the rows, each with its policy_changes row, which the ledger role
 * repeats no earlier than `repeat_after_us` from now, and its audit row. `limits`: writes their own limits too.
 */
bool account_rows_write(struct admin_job *job, struct pg_link *link, const struct account_written *written, int count,
	bool limits, int64_t repeat_after_us, struct err *err) __attribute__((warn_unused_result));

#endif
