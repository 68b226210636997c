/*
 * One connection to PostgreSQL on one thread: blocking calls that end by the job's deadline. Only server/pg includes this.
 * Statements are parameterised (args.h) and unnamed, so that a transaction pooler may stand in between.
 */
#ifndef BURSAR_PG_LINK_H
#define BURSAR_PG_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "base/err.h"
#include "pg/args.h"

struct pg_link {
	const char *conninfo; /* borrowed */
	int wake_fd; /* readable: the pool is being freed, give up. -1: none */
	PGconn *conn; /* NULL: not connected */
	bool up; /* counted in the metric */
	int64_t deadline_us; /* clock_mono_us: of the job that runs */
	int64_t retry_at_us; /* no new connection before this */
	int backoff_ms;
	char sqlstate[6]; /* of the last failure; "" when it was not PostgreSQL that refused */
};

/* Is it a connection string? ERR_INVALID with libpq's reason. */
bool pg_conninfo_check(const char *conninfo, struct err *err) __attribute__((warn_unused_result));

void pg_link_init(struct pg_link *link, const char *conninfo, int wake_fd);
void pg_link_close(struct pg_link *link);

/* Connects where needed. ERR_UNAVAILABLE at once while the pause after a failure lasts. */
bool pg_link_ready(struct pg_link *link, struct err *err) __attribute__((warn_unused_result));

/* Ends a transaction that was left open, and drops a connection whose state is not known. */
void pg_link_tidy(struct pg_link *link);

/* For query.c: waits for poll(2) `events` of the socket until `until_us`; says that the connection is gone. Both drop it
 * when they fail. */
bool pg_link_wait(struct pg_link *link, short events, int64_t until_us, struct err *err)
	__attribute__((warn_unused_result));
bool pg_link_lost(struct pg_link *link, struct err *err);

/* One statement; `args` may be NULL. The answer is the caller's (PQclear); NULL on failure. */
PGresult *pg_query(struct pg_link *link, const char *sql, const struct pg_args *args, struct err *err)
	__attribute__((warn_unused_result));

/* The same for statements without an answer. */
bool pg_exec(struct pg_link *link, const char *sql, const struct pg_args *args, struct err *err)
	__attribute__((warn_unused_result));

/* Several statements in one round trip. Fills results[i] (the caller's, PQclear) for all of them, or none. */
struct pg_statement {
	const char *sql;
	const struct pg_args *args; /* may be NULL */
};
bool pg_pipeline(struct pg_link *link, const struct pg_statement *statements, int count, PGresult **results,
	struct err *err) __attribute__((warn_unused_result));

/* Several statements without parameters in one text (the simple protocol): migrations. */
bool pg_script(struct pg_link *link, const char *sql, struct err *err) __attribute__((warn_unused_result));

/* BEGIN with the job's remaining time as statement_timeout; COMMIT. A failed job is rolled back by pg_link_tidy. */
bool pg_begin(struct pg_link *link, const char *mode, struct err *err) __attribute__((warn_unused_result));
bool pg_commit(struct pg_link *link, struct err *err) __attribute__((warn_unused_result));

/* The transaction's first statements, for pipelines: "BEGIN ..." and what sets the timeout to the remaining time. */
const char *pg_timeout_sql(const struct pg_link *link, char out[64]);

/* Did PostgreSQL refuse the data itself (as opposed to: was it away, busy, or differently migrated)? */
bool pg_refused_data(const struct pg_link *link);

/* A page of a list: LIMIT takes one row more than the page has, and that one tells that there is a next page. */
void pg_arg_page(struct pg_args *args, int limit);
/* How many rows of the answer are the page's. */
int pg_page(const PGresult *result, int limit, bool *more);

/* Cells of an answer. */
int64_t pg_i64(const PGresult *result, int row, int column);
bool pg_bool(const PGresult *result, int row, int column);
const char *pg_text(const PGresult *result, int row, int column);
void pg_copy(const PGresult *result, int row, int column, char *out, size_t size); /* cut at size - 1 */

#endif
