/* What names a state of a thing that admins change, so that nobody overwrites what they have not seen (RFC 9110, 13.1). */
#ifndef BURSAR_BASE_TEXT_ETAG_H
#define BURSAR_BASE_TEXT_ETAG_H

#include <stdbool.h>

#include "base/err.h"

enum { ETAG_SIZE = 17 };

/* The etag of a thing as JSON, as PostgreSQL prints it: 16 hexadecimal digits; "" of "null", when there is no such thing. */
void etag_of(const char *json, char out[ETAG_SIZE]);

/*
 * A list, as in If-Match: etags with or without quotes and W/ (a proxy that compresses an answer weakens its etag), or *.
 * ERR_INVALID names `field`.
 */
bool etag_list_check(const char *list, const char *field, struct err *err);
/* Whether the list has the etag. Nothing matches "", not even *. */
bool etag_list_has(const char *list, const char *etag);

#endif
