/* The backend in Redis, next to the model's (backend.h). */
#ifndef TESTS_CONTRACT_REDIS_H
#define TESTS_CONTRACT_REDIS_H

#include "backend.h"

extern const struct backend_ops backend_redis;

#endif
