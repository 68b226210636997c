/* Redis's errors in Bursar's words: one table (errors.def), for calls, for connections and for the look before a start. */
#ifndef BURSAR_REDIS_LINK_ERRORS_H
#define BURSAR_REDIS_LINK_ERRORS_H

#include <stdbool.h>

#include "base/err.h"

enum redis_error {
#define ROW(name, begins, again, sentence) REDIS_ERROR_##name,
#include "redis/link/errors.def"
#undef ROW
	REDIS_ERROR_COUNT
};

/* The row of what Redis said; REDIS_ERROR_COUNT for a text that is in none: then a function of ours has failed. */
enum redis_error redis_error_of(const char *text);
/* Whether another moment or another server will do. */
bool redis_error_passes(enum redis_error error);
/*
 * "redis: " and the sentence for what Redis said, with the name of the command that the user lacks the right to. ERR_UNAVAILABLE;
 * ERR_INTERNAL where the text is in no row (it is logged then, for nobody but us can do anything about it). Returns false, always.
 */
bool redis_error_set(struct err *err, const char *text);

/* May Bursar run on a Redis whose INFO says this? ERR_PRECONDITION: too old, may evict keys, a cluster. */
bool redis_info_check(const char *info, struct err *err) __attribute__((warn_unused_result));
/* The text behind "name:" in INFO's answer; "" when it is not there. */
const char *redis_info_find(const char *info, const char *name, int *len);

#endif
