/* grpc.reflection.v1.ServerReflection, and the same as v1alpha, the name that older tools use. */
#ifndef BURSAR_API_HEALTH_REFLECTION_H
#define BURSAR_API_HEALTH_REFLECTION_H

#include "rpc/call.h"

/*
 * Lists the served services and returns the descriptors of all of proto/, which also make error details readable
 * (google.rpc.BadRequest and others). Open to everyone, because the repository is public. Ends with a row of zeros.
 */
extern const struct rpc_method reflection_methods[];

#endif
