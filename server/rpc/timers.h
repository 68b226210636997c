/* Implements base/timers.h on a libuv loop. */
#ifndef BURSAR_RPC_TIMERS_H
#define BURSAR_RPC_TIMERS_H

#include <uv.h>

#include "base/timers.h"

/* To be called on the loop's thread. */
struct timers *loop_timers_new(uv_loop_t *loop);
/* No wait may be pending. The memory is freed after one more loop turn. */
void loop_timers_free(struct timers *timers);

#endif
