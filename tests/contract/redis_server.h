/* A Redis of the test's own, in a directory under /tmp, on a unix socket without a port; removed when the test ends. */
#ifndef TESTS_CONTRACT_REDIS_SERVER_H
#define TESTS_CONTRACT_REDIS_SERVER_H

#include <stdbool.h>

#include <hiredis/hiredis.h>

#include "redis/link/functions.h"

/* Starts it once per program. False, with a message on stderr, if there is no redis-server. Ignores SIGPIPE. */
bool redis_server_start(void);
/* Its URL, unix:///...; a static string. */
const char *redis_server_url(void);
/* Its process id, for signals; and a restart after a kill, on the same socket, empty. */
int redis_server_pid(void);
void redis_server_kill(void);
void redis_server_revive(void);
/* A connection of the test's own; stops the test if it cannot connect. */
redisContext *redis_server_connect(void);
/* The function library with the test's clock (tests/lua/clock.lua): the time is in the key b:clock. */
const struct redis_library *redis_server_library(void);
/* The same with tests/lua/general.lua: no check takes the compiled path. And its cache of policies is nearly always full. */
const struct redis_library *redis_general_library(void);
/* The pools' library with tests/lua/pool_clock.lua: b:clock has the time in microseconds, b:run the run id of Redis. */
const struct redis_library *redis_pool_library(void);

#endif
