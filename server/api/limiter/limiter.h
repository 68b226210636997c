/* bursar.v1.Limiter. */
#ifndef BURSAR_API_LIMITER_LIMITER_H
#define BURSAR_API_LIMITER_LIMITER_H

#include "rpc/call.h"

/* Ended by a row of zeros. The `ctx` of the handlers is the worker (service/worker/worker.h). */
extern const struct rpc_method limiter_methods[];

#endif
