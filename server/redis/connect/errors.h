/* Redis's errors in Bursar's words: one table (errors.def), for calls, for connections and for the check at startup. */
#ifndef BURSAR_REDIS_CONNECT_ERRORS_H
#define BURSAR_REDIS_CONNECT_ERRORS_H

#include <stdbool.h>

#include "base/err.h"

enum redis_error {
#define ROW(name, begins, again, sentence) REDIS_ERROR_##name,
#include "redis/connect/errors.def"
#undef ROW
	REDIS_ERROR_COUNT
};

/* The row for an error text of Redis; REDIS_ERROR_COUNT when no row matches: then one of our functions has failed. */
enum redis_error redis_error_of(const char *text);
/* Can the call succeed later or at another server? */
bool redis_error_passes(enum redis_error error);
/*
 * Sets "redis: " and the sentence for an error text of Redis, with the name of the command that the user may not run.
 * ERR_UNAVAILABLE; ERR_INTERNAL when no row matches (the text is logged then, because it is a bug of ours). Always
 * returns false.
 */
bool redis_error_set(struct err *err, const char *text);

/* May Bursar run on a Redis with this INFO? ERR_PRECONDITION: too old, may evict keys, a cluster. */
bool redis_info_check(const char *info, struct err *err) __attribute__((warn_unused_result));
/* The text after "name:" in INFO's answer; "" when it is not there. */
const char *redis_info_find(const char *info, const char *name, int *len);

#endif
