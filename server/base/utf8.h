/* Ids and texts from outside: which are accepted, and how an id is written into a Redis key. */
#ifndef BURSAR_BASE_UTF8_H
#define BURSAR_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum { ID_MAX = 128 };

/* True for well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF). Empty is valid. */
bool utf8_valid(const void *p, size_t n);

/* Writes the code point, which must be one (at most U+10FFFF, no surrogate), as 1 to 4 bytes; returns how many. */
size_t utf8_put(char *to, unsigned code);

/* True for valid UTF-8 without control characters (C0, DEL, C1). Otherwise ERR_INVALID that names `field` and the byte. */
bool utf8_check(const char *text, size_t len, const char *field, struct err *err) __attribute__((warn_unused_result));

/*
 * True for an id: 1 to 128 bytes of valid UTF-8 without control characters (C0, DEL, C1). Otherwise ERR_INVALID, which
 * names `field` and says what is wrong. The id need not be terminated; NUL bytes inside are refused.
 */
bool id_check(const char *id, size_t len, const char *field, struct err *err) __attribute__((warn_unused_result));

/*
 * Appends the id with '%', '/', '{', '}', ':' and space as %XX: one-to-one, so that no two ids share a Redis key and
 * none starts a hash tag or another part of the key. An id of 128 bytes becomes at most 384.
 */
void key_escape(struct buf *out, const char *id, size_t len);

#endif
