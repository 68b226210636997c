/* Shared by link.c (the connection) and command.c (what is sent over it). */
#ifndef BURSAR_REDIS_LINK_LINK_PRIVATE_H
#define BURSAR_REDIS_LINK_LINK_PRIVATE_H

#include <hiredis/async.h>

#include "redis/connect/adapter.h"
#include "redis/connect/errors.h"
#include "redis/link/link.h"
#include "redis/connect/replies.h"
#include "redis/connect/url.h"

/* For any socket error; the log has the details. */
#define REDIS_UNREACHABLE "redis: cannot be reached"

/* How the link checks itself when nobody calls (probe.c). */
struct redis_probe {
	uv_timer_t timer;
	int64_t sent_us; /* when the pending question was sent; 0: none */
	int64_t well_us; /* when one was last answered successfully, on this connection; 0: never */
	int64_t info_us; /* when INFO was last checked */
	enum redis_error error; /* the last answer; REDIS_ERROR_COUNT: success, or no matching row */
	struct err trouble; /* that answer as a sentence; code 0: none */
};

struct redis_link {
	struct redis_probe probe;
	struct redis_flusher flusher;
	uv_timer_t deadlines; /* the next deadline, or the next command to fail or send again */
	uv_timer_t reconnect;
	int open_handles; /* still closing; the memory is freed with the last */
	bool closing;

	struct redis_url url;
	struct redis_tls *tls; /* NULL: in the clear */
	const struct redis_library *library;
	redisAsyncContext *context; /* NULL between connections */
	struct redis_replies replies;
	enum redis_link_state state;
	uint64_t connections; /* how often it was up */
	int64_t backoff_ms;
	int64_t heard_us; /* when Redis last answered, or the connection began */
	int64_t begun_us; /* when it began to connect */
	int64_t introduced_us; /* when the introduction was last sent */
	bool loading; /* FUNCTION LOAD is in flight */
	struct err unloaded; /* why Redis did not accept the functions; code 0: it did */
	struct err introduction; /* what is wrong with the current introduction */
	struct err refused; /* why this Redis cannot be used: it evicts, is a cluster, expects another password */
	struct err lost; /* why there is no connection */

	int64_t timeout_us;
	int breaker_failures, failures;
	int64_t breaker_us, breaker_until_us;

	struct list open; /* waiting for an answer, by deadline */
	struct list again; /* to be sent again, by deadline */
	struct list failing; /* their callbacks run on the next turn */
	struct list given_up; /* done, but hiredis still refers to them */
	struct list unused; /* free commands */
	int64_t again_at_us; /* when to send `again` */
	int64_t timer_at_us; /* 0: the timer is not set */
};

/* link.c */
void link_connect(struct redis_link *link);
void link_drop(struct redis_link *link, const char *why);
void link_load_library(struct redis_link *link);
/* Introduces the link once more, which tells who it is and finds out whether it may use this Redis. Then it is up or
 * refused. */
void link_introduce(struct redis_link *link);

/* probe.c */
void probe_init(struct redis_link *link, uv_loop_t *loop);
/* Asks at once: a connection is up about which nothing is known, or the functions have been loaded. */
void probe_begin(struct redis_link *link);
/* The connection is gone, and with it the answer to the pending question. */
void probe_end(struct redis_link *link);
/* Redis refused something: asks at once how it answers a writing call. */
void probe_soon(struct redis_link *link);
/* Redis returned this error, in our words `why`: the link is not ready until an answer succeeds. */
void probe_trouble(struct redis_link *link, const char *text, const struct err *why);
void probe_clear(struct redis_link *link);

/* command.c */
void command_answered(redisAsyncContext *context, void *data, void *privdata);
void commands_resend(struct redis_link *link);
void commands_timer(uv_timer_t *timer);
void commands_fail_all(struct redis_link *link, const char *why);
void commands_release(struct redis_link *link);

#endif
