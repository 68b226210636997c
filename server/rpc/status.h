/* Errors in gRPC's form: a code, and google.rpc.Status for the details. */
#ifndef BURSAR_RPC_STATUS_H
#define BURSAR_RPC_STATUS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/* The gRPC status code of an error code. */
int status_code(enum err_code code);

/* A serialized google.rpc.Status of `err`, in the arena. Bytes that are not UTF-8 become '?'. */
const uint8_t *status_details(struct arena *arena, const struct err *err, size_t *len);

#endif
