/* A PostgreSQL of the test's own: a directory in memory if there is room, else under /tmp; a unix socket, no port. */
#ifndef TESTS_PG_SERVER_H
#define TESTS_PG_SERVER_H

#include <stdbool.h>

/* Starts it, once per program; it is stopped and removed at exit. Stops the test with a message on failure. */
void pg_server_start(void);
/* A new, empty database; the connection string is static and valid until the next call. */
const char *pg_server_database(const char *name);
/* The same, with the embedded migrations applied. */
const char *pg_server_migrated(const char *name);
/* Runs one statement by psql's rules on its own connection; true on success. */
bool pg_server_exec(const char *conninfo, const char *sql);
/* The first cell of the answer as static text, cut at 1,023 bytes; "" if there is none. */
const char *pg_server_ask(const char *conninfo, const char *sql);
long long pg_server_ask_number(const char *conninfo, const char *sql);
/* Kills it as a power cut would, and starts it again. */
void pg_server_crash(void);
void pg_server_revive(void);

#endif
