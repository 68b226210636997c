/* A PostgreSQL of the test's own: a directory in memory where there is room, else under /tmp, a unix socket, no port; gone when the test ends. */
#ifndef TESTS_PG_SERVER_H
#define TESTS_PG_SERVER_H

#include <stdbool.h>

/* Starts it; stops the test with a sentence when that fails. Once a program; it is stopped at exit. */
void pg_server_start(void);
/* A new, empty database; the connection string is static until the next call of the same name. */
const char *pg_server_database(const char *name);
/* The same, with the embedded migrations applied. */
const char *pg_server_migrated(const char *name);
/* One statement with psql's rules, on its own connection; true when it went well. */
bool pg_server_exec(const char *conninfo, const char *sql);
/* The first cell of the answer as text: static, cut at 1,023 bytes; "" for none. */
const char *pg_server_ask(const char *conninfo, const char *sql);
long long pg_server_ask_number(const char *conninfo, const char *sql);
/* Kills it as a power cut would, and brings it up again. */
void pg_server_crash(void);
void pg_server_revive(void);

#endif
