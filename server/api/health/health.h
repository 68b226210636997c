/* grpc.health.v1.Health. */
#ifndef BURSAR_API_HEALTH_HEALTH_H
#define BURSAR_API_HEALTH_HEALTH_H

#include "rpc/call.h"

/*
 * Check and Watch, ending with a row of zeros. "" and the name of each served service are SERVING while /readyz is 200:
 * the stores of this process answer, and it is not draining. When the server drains, Watch sends NOT_SERVING once and
 * ends with UNAVAILABLE.
 */
extern const struct rpc_method health_methods[];

/* Sends changes to this loop's Watch streams. Called from the loop of `worker` several times a second. */
struct worker;
void health_look(const struct worker *worker);

#endif
