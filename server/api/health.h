/* grpc.health.v1.Health. */
#ifndef BURSAR_API_HEALTH_H
#define BURSAR_API_HEALTH_H

#include "rpc/call.h"

/*
 * Check and Watch, ended by a row of zeros. "" and the name of each served service are SERVING until the server drains;
 * then Check says NOT_SERVING, and Watch says so once and ends with UNAVAILABLE. Whether Redis answers is none of its
 * business: a server without Redis still decides, as the tier's policy says; /readyz tells.
 */
extern const struct rpc_method health_methods[];

#endif
