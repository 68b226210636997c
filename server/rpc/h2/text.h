/* gRPC's notations in headers. */
#ifndef BURSAR_RPC_H2_TEXT_H
#define BURSAR_RPC_H2_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

/* grpc-timeout: up to eight digits and a unit. False when it is neither; a timeout below a microsecond is one. */
bool h2_timeout_parse(const char *text, size_t len, int64_t *timeout_us);
/* Appends grpc-message: what is not printable ASCII, and the percent sign, as %XX. */
void h2_percent_put(struct buf *out, const char *text);
/* Appends the value of a -bin header: base64 without padding. */
void h2_base64_put(struct buf *out, const uint8_t *bytes, size_t n);
/*
 * The bytes of a -bin header, with or without padding, up to the first comma: what follows is another value. NULL when
 * it is not base64.
 */
const char *h2_base64_read(struct arena *arena, const char *text, size_t len, size_t *n);

#endif
