/* The backend in Redis, next to the model's (backend.h). */
#ifndef TESTS_CONTRACT_REDIS_H
#define TESTS_CONTRACT_REDIS_H

#include "backend.h"

/* With all checks on the compiled path where they can be, and with none. */
extern const struct backend_ops backend_redis, backend_redis_general;

/* Lets the next calls of either backend take only the general path, or both. */
void redis_general(struct backend *backend, bool general);

#endif
