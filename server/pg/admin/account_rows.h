/* Rows of accounts with their own limits: many of one tenant and kind at a time, read and written by sets. */
#ifndef BURSAR_PG_ADMIN_ACCOUNT_ROWS_H
#define BURSAR_PG_ADMIN_ACCOUNT_ROWS_H

#include "pg/admin/account_filter.h"
#include "pg/admin/admin.h"

/* A row to be written. */
struct account_written {
	const char *before; /* as JSON, for the audit log: "null" where there was nothing */
	struct account_row *row; /* as it is to be; its version is raised when it has been written */
};

/*
 * Of the accounts with these ids (in their order, no two the same) those that there are, and match the filter (NULL: all): `rows` has
 * room for all, *found of them are filled. `lock`: until the transaction ends, in the order of ids, with *before (room likewise; may
 * be NULL) as they are. Texts lie in the job's arena.
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

/* Makes rows for those ids (in their order) that have none: made[i] says which. */
bool account_rows_make(struct pg_link *link, const struct account_set *set, const char *const *id, int count,
	bool *made, struct err *err) __attribute__((warn_unused_result));

/*
 * Inside of a transaction that has locked them: writes the rows, each with what the ledger role repeats (not before `repeat_after_us`
 * from now) and what auditors read. `limits`: their own limits, too.
 */
bool account_rows_write(struct admin_job *job, struct pg_link *link, const struct account_written *written, int count,
	bool limits, int64_t repeat_after_us, struct err *err) __attribute__((warn_unused_result));

#endif
