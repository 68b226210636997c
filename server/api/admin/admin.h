/* bursar.v1.Admin: the table of its methods. Their context is the struct worker of the loop. */
#ifndef BURSAR_API_ADMIN_ADMIN_H
#define BURSAR_API_ADMIN_ADMIN_H

#include "rpc/call.h"

extern const struct rpc_method admin_methods[];

#endif
