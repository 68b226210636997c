/* Texts in the formats of zlib (RFC 1950), for those that are larger than a message may be, and of gzip. */
#ifndef BURSAR_BASE_TEXT_DEFLATE_H
#define BURSAR_BASE_TEXT_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the text, compressed. */
void deflate_text(const char *text, size_t len, struct buf *out);

/* Appends the text; ERR_INVALID if it would have more than `max` bytes, or is cut or damaged. Then `out` is as it was. */
bool inflate_text(const void *bytes, size_t len, size_t max, const char *field, struct buf *out, struct err *err)
	__attribute__((warn_unused_result));

/* Appends the text in the format of gzip (RFC 1952), as HTTP has it; fast rather than small. */
void gzip_text(const char *text, size_t len, struct buf *out);

#endif
