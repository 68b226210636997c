/* What went wrong, in a form that an answer to a caller can be made of. */
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
 * One error. `field` is the path of the field at fault ("items[3].user") and empty when no field is. `text` is a
 * sentence for a person; where there is a field, it begins with it. Both are always terminated and cut if too long,
 * never in the middle of a UTF-8 sequence. `retry_after_us` is 0 when nothing is known of it.
 */
struct err {
	enum err_code code;
	char field[96];
	char text[320];
	long long retry_after_us;
	char reason
		[32]; /* a stable code for programs ("POOL_QUEUE_FULL"), where one code has several causes; else "" */
};

/* Fills `err` (which may be NULL) with a code and a sentence; the field becomes empty. Returns false, always. */
bool err_set(struct err *err, enum err_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Like err_set with ERR_INVALID, for the field at fault; the text becomes "field: sentence". Returns false, always. */
bool err_invalid(struct err *err, const char *field, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * Puts the path of an outer message before the field of `err`, and before its text as far as that begins with the
 * field: with "items[%zu]." the field "user" becomes "items[3].user". Without a field only the text changes. Returns
 * false, always.
 */
bool err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Names the cause for programs. Returns false, always. */
bool err_reason(struct err *err, const char *reason);

#endif
