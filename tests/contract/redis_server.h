/* A Redis of the test's own: a directory under /tmp, a unix socket, no port; gone when the test ends. */
#ifndef TESTS_CONTRACT_REDIS_SERVER_H
#define TESTS_CONTRACT_REDIS_SERVER_H

#include <stdbool.h>

#include <hiredis/hiredis.h>

#include "redis/link/functions.h"

/* Starts it, once a program; false, with a sentence on stderr, when there is no redis-server. Ignores SIGPIPE. */
bool redis_server_start(void);
/* unix:///...; static. */
const char *redis_server_url(void);
/* Its process, for signals; and up again after a kill, on the same socket, empty. */
int redis_server_pid(void);
void redis_server_kill(void);
void redis_server_revive(void);
/* A connection of the test's own; stops the test when there is none. */
redisContext *redis_server_connect(void);
/* The library with the test's clock (tests/lua/clock.lua): the time is what the key b:clock says. */
const struct redis_library *redis_server_library(void);
/* That of the pools, with tests/lua/pool_clock.lua: the time is the key b:clock, microseconds, Redis's run id the key b:run. */
const struct redis_library *redis_pool_library(void);

#endif
