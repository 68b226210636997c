/* The address of Redis: redis://[user:password@]host[:port][/db], rediss://..., unix:///path[?db=n]. */
#ifndef BURSAR_REDIS_CONNECT_URL_H
#define BURSAR_REDIS_CONNECT_URL_H

#include <stdbool.h>

#include "base/err.h"

struct redis_url {
	char host[256]; /* "" for a unix socket */
	char path[108];
	char user[129], password[513];
	int port, db;
	bool tls;
};

/* ERR_INVALID says what would be valid, and never shows a password. rediss:// needs a build with hiredis_ssl. */
bool redis_url_parse(const char *text, struct redis_url *out, struct err *err) __attribute__((warn_unused_result));

#endif
