/* Shared by link.c (the connection) and command.c (what goes over it). */
#ifndef BURSAR_REDIS_LINK_PRIVATE_H
#define BURSAR_REDIS_LINK_PRIVATE_H

#include <hiredis/async.h>

#include "redis/adapter.h"
#include "redis/link.h"
#include "redis/url.h"

struct redis_link {
	struct redis_flusher flusher;
	uv_timer_t deadlines; /* the next deadline, or what is to fail or be sent again */
	uv_timer_t reconnect;
	int open_handles; /* that close; the memory goes with the last */
	bool closing;

	struct redis_url url;
	const struct redis_library *library;
	redisAsyncContext *context; /* NULL between connections */
	enum redis_link_state state;
	int64_t backoff_ms;
	int64_t heard_us; /* when Redis answered last, or the connection began */
	bool loading; /* FUNCTION LOAD is under way */
	struct err refused; /* this Redis cannot be used: eviction */

	int64_t timeout_us;
	int breaker_failures, failures;
	int64_t breaker_us, breaker_until_us;

	struct list open; /* to be answered, by deadline */
	struct list again; /* to be sent again, by deadline */
	struct list failing; /* to be told why, on the next turn */
	struct list given_up; /* done, but hiredis still has them */
	struct list pool;
	int64_t again_at_us; /* when `again` is to be sent */
	int64_t timer_at_us; /* 0: the timer is not set */
};

/* link.c */
void link_connect(struct redis_link *link);
void link_drop(struct redis_link *link, const char *why);
void link_load_library(struct redis_link *link);

/* command.c */
void command_answered(redisAsyncContext *context, void *data, void *privdata);
void commands_resend(struct redis_link *link);
void commands_timer(uv_timer_t *timer);
void commands_fail_all(struct redis_link *link, const char *why);
void commands_release(struct redis_link *link);
/* Sees to it that the timer fires by then. */
void link_wake_at(struct redis_link *link, int64_t at_us);

#endif
