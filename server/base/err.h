/* A description of what went wrong, complete enough to build a caller's answer from. */
#ifndef BURSAR_BASE_ERR_H
#define BURSAR_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

/* ERR_NONE, ERR_INVALID, ...: one for each code that Bursar answers with, and its number on the wire. */
enum err_code {
#define ERR_CODE(OURS, NAME, number) ERR_##OURS = (number),
#define ERR_FOREIGN(NAME, number)
#include "base/err_codes.def"
};

/*
 * One error. `field` is the path of the invalid field ("items[3].user"), or empty when no field is to blame. `text` is
 * a sentence for people; when there is a field, it begins with it. Both are always terminated, and truncated if too
 * long, never inside a UTF-8 sequence. `retry_after_us` is 0 when unknown.
 */
struct err {
	enum err_code code;
	char field[96];
	char text[320];
	long long retry_after_us;
	/* A stable code for programs ("POOL_QUEUE_FULL") where one code has several causes; else "". */
	char reason[32];
	/* The name that a "..._NOT_FOUND" did not find, so that a client can suggest the nearest one; else "". */
	char name[132];
};

/* Fills `err` (may be NULL) with a code and a sentence and empties the field. Always returns false. */
bool err_set(struct err *err, enum err_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Like err_set with ERR_INVALID, for the invalid field; the text becomes "field: sentence". Always returns false. */
bool err_invalid(struct err *err, const char *field, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * Prepends the path of an outer message to the field of `err`, and to its text when the text begins with the field:
 * "items[%zu]." turns the field "user" into "items[3].user". Without a field only the text changes. Always returns
 * false.
 */
bool err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Sets the reason code, for programs. Always returns false. */
bool err_reason(struct err *err, const char *reason);
/* Likewise, with the name of what was not found. */
bool err_reason_of(struct err *err, const char *reason, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
