/*
 * One connection to PostgreSQL on one thread, with blocking calls that end by the job's deadline. Only server/pg
 * includes this. Statements are parameterised (args.h) and unnamed, so that they work through a transaction pooler.
 */
#ifndef BURSAR_PG_LINK_LINK_H
#define BURSAR_PG_LINK_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "base/err.h"
#include "pg/link/args.h"

/*
 * How long connecting has been failing; shared by all links of a struct pg_threads, so that an outage is waited out
 * only once.
 */
struct pg_outage {
	_Atomic int64_t since_us, last_us; /* clock_mono_us: of the first failure and of the latest; 0: none */
};

struct pg_link {
	const char *conninfo; /* borrowed */
	int wake_fd; /* becomes readable when the threads are being freed: give up. -1: none */
	PGconn *conn; /* NULL: not connected */
	bool up; /* counted in the metric */
	int64_t deadline_us; /* clock_mono_us: of the job that runs */
	int64_t idle_since_us; /* clock_mono_us: when anything was last received on the connection */
	int64_t retry_at_us; /* no new connection before this */
	int64_t warned_us; /* clock_mono_us: when "PostgreSQL is away" was last logged */
	int backoff_ms;
	struct pg_outage *outage, own_outage;
	/* State of the current attempt; see pg_link_run. */
	bool lost; /* it failed because the connection was lost */
	bool answered; /* PostgreSQL has answered one of its statements */
	bool unsure; /* what it sent last may have been committed without a confirmation */
	bool begun, read_only; /* it is inside a transaction */
	char sqlstate[6]; /* of the last failure; "" when the failure did not come from PostgreSQL */
};

/* Whether `conninfo` is a valid connection string. ERR_INVALID with libpq's reason. */
bool pg_conninfo_check(const char *conninfo, struct err *err) __attribute__((warn_unused_result));

void pg_link_init(struct pg_link *link, const char *conninfo, int wake_fd);
void pg_link_close(struct pg_link *link);

/*
 * Connects if needed; also replaces a connection that the server has closed, or that was idle and does not answer.
 * Fails at once with ERR_UNAVAILABLE during the pause after a failure.
 */
bool pg_link_ready(struct pg_link *link, struct err *err) __attribute__((warn_unused_result));

/*
 * Runs `run` on a connection that is ready; deadline_us must be set. If the connection turns out to be gone before the
 * first answer (after a restart, or because a pooler closed it while idle), `run` starts over on a fresh one: at once,
 * then with short pauses while PostgreSQL restarts, until the deadline or until the outage lasts longer than a restart.
 * `repeatable` means that `run` is idempotent (it only reads, or its writes are keyed); otherwise it starts over only
 * when nothing can have been committed.
 */
typedef bool pg_run_fn(void *arg, struct pg_link *link, struct err *err);
bool pg_link_run(struct pg_link *link, pg_run_fn *run, void *arg, bool repeatable, struct err *err)
	__attribute__((warn_unused_result));

/* For query.c: notes what is about to be sent, and that PostgreSQL has answered. */
void pg_link_sends(struct pg_link *link, const char *sql);
void pg_link_hears(struct pg_link *link, const char *sqlstate);

/* Rolls back a transaction that was left open, and drops a connection whose state is unknown. */
void pg_link_tidy(struct pg_link *link);

/*
 * For query.c: pg_link_wait() waits for poll(2) `events` of the socket until `until_us` and drops the connection when
 * it fails. pg_link_lost() drops the connection and returns false with ERR_UNAVAILABLE.
 */
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

/* The same for an answer that is kept in a variable declared before: fills *result, or false. */
bool pg_read(struct pg_link *link, const char *sql, const struct pg_args *args, PGresult **result, struct err *err)
	__attribute__((warn_unused_result));

/* The same for statements whose answer does not matter. */
bool pg_exec(struct pg_link *link, const char *sql, const struct pg_args *args, struct err *err)
	__attribute__((warn_unused_result));

/* Several statements in one round trip. Fills results[i] (the caller's, pg_results_clear) for all of them, or none. */
struct pg_statement {
	const char *sql;
	const struct pg_args *args; /* may be NULL */
};
bool pg_pipeline(struct pg_link *link, const struct pg_statement *statements, int count, PGresult **results,
	struct err *err) __attribute__((warn_unused_result));

/* Several statements without parameters in one text (the simple protocol); for migrations. */
bool pg_script(struct pg_link *link, const char *sql, struct err *err) __attribute__((warn_unused_result));

/* COPY ... FROM STDIN (FORMAT binary) of the rows in `bytes` (pg_copy_begin() to pg_copy_end() of args.h). */
bool pg_copy_in(struct pg_link *link, const char *sql, const struct buf *bytes, struct err *err)
	__attribute__((warn_unused_result));

/* BEGIN with the job's remaining time as statement_timeout; COMMIT. After a failure pg_link_tidy rolls back. */
bool pg_begin(struct pg_link *link, const char *mode, struct err *err) __attribute__((warn_unused_result));
bool pg_commit(struct pg_link *link, struct err *err) __attribute__((warn_unused_result));

/* For pipelines, the statement after BEGIN: sets the timeout to the job's remaining time. */
const char *pg_timeout_sql(const struct pg_link *link, char out[64]);

/* Whether PostgreSQL refused the data itself, as opposed to being away, busy or at another migration. */
bool pg_refused_data(const struct pg_link *link);

/* The LIMIT of a page: one row more than the page holds, which tells whether there is a next page. */
void pg_arg_page(struct pg_args *args, int limit);
/* How many rows of the answer belong to the page. */
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
