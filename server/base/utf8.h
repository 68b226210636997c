/* Ids and texts from outside: what is let in, and how an id is written into a Redis key. */
#ifndef BURSAR_BASE_UTF8_H
#define BURSAR_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum { ID_MAX = 128 };

/* True for well-formed UTF-8 (RFC 3629: no surrogates, nothing overlong, nothing above U+10FFFF). Empty is valid. */
bool utf8_valid(const void *p, size_t n);

/* True for valid UTF-8 without control characters (C0, DEL, C1). Otherwise ERR_INVALID that names `field` and the byte. */
bool utf8_check(const char *text, size_t len, const char *field, struct err *err) __attribute__((warn_unused_result));

/*
 * True for an id: 1 to 128 bytes of valid UTF-8 without control characters (C0, DEL, C1). Otherwise ERR_INVALID that
 * names `field` and says what would be right. The id need not be terminated and may hold NUL bytes (refused).
 */
bool id_check(const char *id, size_t len, const char *field, struct err *err) __attribute__((warn_unused_result));

/*
 * Appends the id with '%', '/', '{', '}', ':' and space as %XX: one-to-one, so that no two ids meet in one Redis key
 * and none opens a hash tag or a new part of the key. An id of 128 bytes becomes at most 384.
 */
void key_escape(struct buf *out, const char *id, size_t len);

#endif
