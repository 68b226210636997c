/* grpc.reflection.v1.ServerReflection, and v1alpha: the same under the name that older tools ask for. */
#ifndef BURSAR_API_HEALTH_REFLECTION_H
#define BURSAR_API_HEALTH_REFLECTION_H

#include "rpc/call.h"

/*
 * Tells what is served, and the descriptors of all of proto/, which also make the details of errors readable (google.rpc.BadRequest and
 * others). To anybody: it is what the repository says. Ended by a row of zeros.
 */
extern const struct rpc_method reflection_methods[];

#endif
