/* Writes JSON objects member by member; commas come by themselves. */
#ifndef BURSAR_API_SEED_WRITE_H
#define BURSAR_API_SEED_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "base/buf.h"

enum { WORD_MAX = 64 };
/* The name of an enum's value in lower case and without the type's prefix: "bucket". "" for an unknown one. */
void enum_word(const ProtobufCEnumDescriptor *type, int value, char out[WORD_MAX]);

/* Opens an object or a list ('{', '['); `name` NULL: an item of a list, or the whole. */
void seed_put_open(struct buf *out, const char *name, char bracket);
void seed_put_close(struct buf *out, char bracket);
void seed_put_string(struct buf *out, const char *name, const char *value);
void seed_put_word(struct buf *out, const char *name, const ProtobufCEnumDescriptor *type, int value);
void seed_put_number(struct buf *out, const char *name, int64_t value);
void seed_put_flag(struct buf *out, const char *name, bool value);
/* Nano-USD as a decimal number of USD, exact. */
void seed_put_usd(struct buf *out, const char *name, int64_t nano);
/* Microseconds since 1970 as RFC 3339 with whole seconds, rounded up; null for 0. */
void seed_put_time(struct buf *out, const char *name, int64_t us);

#endif
