/* Private to server/base/observe. */
#ifndef BURSAR_BASE_OBSERVE_TRACE_PRIVATE_H
#define BURSAR_BASE_OBSERVE_TRACE_PRIVATE_H

#include <stdint.h>

/* A new id of a span, or half of one of a trace; never 0. */
uint64_t trace_random(void);

#endif
