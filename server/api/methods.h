/* The methods of Limiter and Admin. Their context is the loop's struct worker. */
#ifndef BURSAR_API_METHODS_H
#define BURSAR_API_METHODS_H

#include "rpc/call.h"

/* Each ends with a row of zeros. */
extern const struct rpc_method limiter_methods[];
extern const struct rpc_method admin_methods[];

#endif
