/* The comments of proto/, by what they describe: protobuf-c's descriptors do not have them, the embedded ones do. */
#ifndef BURSAR_API_OPENAPI_COMMENTS_H
#define BURSAR_API_OPENAPI_COMMENTS_H

#include "base/buf.h"

struct comments;

/* Indexes the comments of proto/bursar/v1. Free it. */
struct comments *comments_read(void) __attribute__((returns_nonnull));
void comments_free(struct comments *comments);

/*
 * Appends the comment above or behind a message, an enum or a service ("bursar.v1.Tier"), or with `member` of its field,
 * value or method: one line, without the slashes; the first letter is a capital. Nothing when it has none.
 */
void comments_put(const struct comments *comments, const char *name, const char *member, struct buf *out);

#endif
