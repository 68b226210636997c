/*
 * Implements store/deliver.h: HTTP and SMTP by libcurl, commands by posix_spawn, on threads of its own. Knows nothing of events,
 * schedules or PostgreSQL. Redirects are not followed, proxies of the environment are not used, and a connection to a private, loopback,
 * link-local or otherwise special address is refused at connect unless the option alert_allow has its network. The
 * process must ignore SIGPIPE.
 */
#ifndef BURSAR_DELIVER_DELIVER_H
#define BURSAR_DELIVER_DELIVER_H

#include <uv.h>

#include "base/conf/conf.h"
#include "base/err.h"
#include "store/deliver.h"

/* `threads` messages are sent at a time. To be called on the loop's thread. ERR_INVALID for an option that cannot be used. */
struct deliverer *deliver_new(const struct conf *conf, uv_loop_t *loop, int threads, struct err *err);
/* Ends what is being sent, and what is started from now on, at once with outcome DELIVER_ABORTED; the callbacks run as always. */
void deliver_abort(struct deliverer *deliverer);
/*
 * Aborts what is being sent; its callbacks still run. The memory is freed when the loop has run out of
 * them. NULL is fine.
 */
void deliver_free(struct deliverer *deliverer);

#endif
