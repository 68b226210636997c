/* The schema: `bursard migrate up | down | status`, and the check at start. Blocking; before any loop runs. */
#ifndef BURSAR_PG_LINK_MIGRATE_H
#define BURSAR_PG_LINK_MIGRATE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/embedded.h"
#include "base/err.h"

enum migrate_action { MIGRATE_UP, MIGRATE_DOWN, MIGRATE_STATUS };

/* "up", "down", "status"; ERR_INVALID names them. */
bool migrate_parse(const char *word, enum migrate_action *out, struct err *err) __attribute__((warn_unused_result));

/*
 * up: applies what is missing, each migration in a transaction of its own. down: takes back the newest one. status: says
 * what is applied and what is not. Lines for a person go to `out`. Under a lock, so that many may start at once.
 * ERR_PRECONDITION when the database has a migration that this build does not know, or one whose text has changed since;
 * ERR_UNAVAILABLE when PostgreSQL does not answer.
 */
bool migrate_run(const char *conninfo, enum migrate_action action, struct buf *out, struct err *err)
	__attribute__((warn_unused_result));

/* True when the database is exactly at this build's newest migration; else ERR_PRECONDITION with a sentence saying what
 * to do, or ERR_UNAVAILABLE. */
bool migrate_check(const char *conninfo, struct err *err) __attribute__((warn_unused_result));

/* The same two with another table than the embedded one: for tests. */
bool migrate_run_table(const char *conninfo, enum migrate_action action, const struct embedded_migration *table,
	size_t count, struct buf *out, struct err *err) __attribute__((warn_unused_result));
bool migrate_check_table(const char *conninfo, const struct embedded_migration *table, size_t count, struct err *err)
	__attribute__((warn_unused_result));

#endif
