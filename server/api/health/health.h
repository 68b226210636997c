/* grpc.health.v1.Health. */
#ifndef BURSAR_API_HEALTH_HEALTH_H
#define BURSAR_API_HEALTH_HEALTH_H

#include "rpc/call.h"

/*
 * Check and Watch, ended by a row of zeros. "" and the name of each served service are SERVING as long as /readyz is 200: the stores of
 * this process answer, and it does not drain. When the server drains, Watch says NOT_SERVING once and ends with UNAVAILABLE.
 */
extern const struct rpc_method health_methods[];

/* Tells the streams of Watch of this loop what has changed since. From the loop of `worker`, several times a second. */
struct worker;
void health_look(const struct worker *worker);

#endif
