/* The schema: `bursard migrate up | down | status`, and the check at start. Blocking; for use before any loop runs. */
#ifndef BURSAR_PG_LINK_MIGRATE_H
#define BURSAR_PG_LINK_MIGRATE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/embedded.h"
#include "base/err.h"

enum migrate_action { MIGRATE_UP, MIGRATE_DOWN, MIGRATE_STATUS };

/* Accepts "up", "down" and "status"; ERR_INVALID lists them. */
bool migrate_parse(const char *word, enum migrate_action *out, struct err *err) __attribute__((warn_unused_result));

/*
 * up: applies the missing migrations, each in its own transaction. down: reverts the newest one. status: lists which
 * are applied and which are missing. `out` receives lines for people. A lock allows several processes to start at once.
 * ERR_PRECONDITION when the database has a migration that this build does not know, or one whose text has changed since
 * it was applied; ERR_UNAVAILABLE when PostgreSQL does not answer.
 */
bool migrate_run(const char *conninfo, enum migrate_action action, struct buf *out, struct err *err)
	__attribute__((warn_unused_result));

/*
 * True when the database is exactly at this build's newest migration; otherwise ERR_PRECONDITION with a sentence that
 * says what to do, or ERR_UNAVAILABLE.
 */
bool migrate_check(const char *conninfo, struct err *err) __attribute__((warn_unused_result));

/* The same two with a given table instead of the embedded one, for tests. */
bool migrate_run_table(const char *conninfo, enum migrate_action action, const struct embedded_migration *table,
	size_t count, struct buf *out, struct err *err) __attribute__((warn_unused_result));
bool migrate_check_table(const char *conninfo, const struct embedded_migration *table, size_t count, struct err *err)
	__attribute__((warn_unused_result));

#endif
