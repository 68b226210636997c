/* The methods of the Limiter and of Admin. Their context is the struct worker of the loop. */
#ifndef BURSAR_API_METHODS_H
#define BURSAR_API_METHODS_H

#include "rpc/call.h"

/* Each ends with a row of zeros. */
extern const struct rpc_method limiter_methods[];
extern const struct rpc_method admin_methods[];

#endif
