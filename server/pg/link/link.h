/*
 * One connection to PostgreSQL on one thread: blocking calls that end by the job's deadline. Only server/pg includes this.
 * Statements are parameterised (args.h) and unnamed, so that a transaction pooler may stand in between.
 */
#ifndef BURSAR_PG_LINK_LINK_H
#define BURSAR_PG_LINK_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "base/err.h"
#include "pg/link/args.h"

/* Since when connections have failed: shared by the links of a pool, so that each outage is waited out once. */
struct pg_outage {
	_Atomic int64_t since_us, last_us; /* clock_mono_us: of the first failure and of the latest; 0: none */
};

struct pg_link {
	const char *conninfo; /* borrowed */
	int wake_fd; /* readable: the pool is being freed, give up. -1: none */
	PGconn *conn; /* NULL: not connected */
	bool up; /* counted in the metric */
	int64_t deadline_us; /* clock_mono_us: of the job that runs */
	int64_t idle_since_us; /* clock_mono_us: nothing was heard on the connection since */
	int64_t retry_at_us; /* no new connection before this */
	int64_t warned_us; /* clock_mono_us: when the log last heard that PostgreSQL is away */
	int backoff_ms;
	struct pg_outage *outage, own_outage;
	/* Of the attempt that runs; see pg_link_run. */
	bool lost; /* it failed for want of a connection */
	bool answered; /* PostgreSQL has answered one of its statements */
	bool unsure; /* what it sent last may have been committed, though nobody has heard so */
	bool begun, read_only; /* it is inside a transaction */
	char sqlstate[6]; /* of the last failure; "" when it was not PostgreSQL that refused */
};

/* Is it a connection string? ERR_INVALID with libpq's reason. */
bool pg_conninfo_check(const char *conninfo, struct err *err) __attribute__((warn_unused_result));

void pg_link_init(struct pg_link *link, const char *conninfo, int wake_fd);
void pg_link_close(struct pg_link *link);

/* Connects where needed: also in place of a connection that the server has closed meanwhile, or that has been idle and does
 * not answer. ERR_UNAVAILABLE at once while the pause after a failure lasts. */
bool pg_link_ready(struct pg_link *link, struct err *err) __attribute__((warn_unused_result));

/*
 * Runs `run` on a connection that is ready, with deadline_us set. Where the connection turns out to be gone before the first
 * answer (a restart, a pooler that closes what is idle), `run` begins again on a fresh one: at once, then with short pauses
 * while PostgreSQL restarts, until the deadline or until the outage is longer than a restart. `repeatable`: to do it twice is to do
 * it once (it only reads, or a key decides); otherwise it begins again only when nothing can have been committed.
 */
typedef bool pg_run_fn(void *arg, struct pg_link *link, struct err *err);
bool pg_link_run(struct pg_link *link, pg_run_fn *run, void *arg, bool repeatable, struct err *err)
	__attribute__((warn_unused_result));

/* For query.c: what is about to be sent, and that PostgreSQL has answered. */
void pg_link_sends(struct pg_link *link, const char *sql);
void pg_link_hears(struct pg_link *link, const char *sqlstate);

/* Ends a transaction that was left open, and drops a connection whose state is not known. */
void pg_link_tidy(struct pg_link *link);

/* For query.c: waits for poll(2) `events` of the socket until `until_us`; says that the connection is gone. Both drop it
 * when they fail. */
bool pg_link_wait(struct pg_link *link, short events, int64_t until_us, struct err *err)
	__attribute__((warn_unused_result));
bool pg_link_lost(struct pg_link *link, struct err *err);

/* Declares the answer to one statement, which is cleared at the end of its block. A variable that takes a second answer
 * is cleared in between. */
#define PG_RESULT __attribute__((cleanup(pg_result_clear))) PGresult *
void pg_result_clear(PGresult **result);
void pg_results_clear(PGresult **results, int count);

/* One statement; `args` may be NULL. The answer is the caller's (PG_RESULT); NULL on failure. */
PGresult *pg_query(struct pg_link *link, const char *sql, const struct pg_args *args, struct err *err)
	__attribute__((warn_unused_result));

/* The same for statements without an answer. */
bool pg_exec(struct pg_link *link, const char *sql, const struct pg_args *args, struct err *err)
	__attribute__((warn_unused_result));

/* Several statements in one round trip. Fills results[i] (the caller's, pg_results_clear) for all of them, or none. */
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
/* Begins the page that a list operation asked for: sets its `count` and `more`, and makes room for its `rows` in the arena. */
#define pg_page_begin(op, result, arena) \
	((op)->count = pg_page(result, (op)->limit, &(op)->more), \
		(op)->rows = arena_zalloc(arena, (size_t)(op)->count + 1, sizeof(*(op)->rows)))

/* Cells of an answer. */
int64_t pg_i64(const PGresult *result, int row, int column);
bool pg_bool(const PGresult *result, int row, int column);
const char *pg_text(const PGresult *result, int row, int column);
void pg_copy(const PGresult *result, int row, int column, char *out, size_t size); /* cut at size - 1 */

#endif
