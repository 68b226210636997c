/* base/timers.h on a libuv loop. */
#ifndef BURSAR_RPC_TIMERS_H
#define BURSAR_RPC_TIMERS_H

#include <uv.h>

#include "base/timers.h"

/* On the loop's thread. */
struct timers *loop_timers_new(uv_loop_t *loop);
/* Nobody waits any more. Memory goes when the loop has run once more. */
void loop_timers_free(struct timers *timers);

#endif
