/* Shared by link.c (the connection) and command.c (what goes over it). */
#ifndef BURSAR_REDIS_LINK_LINK_PRIVATE_H
#define BURSAR_REDIS_LINK_LINK_PRIVATE_H

#include <hiredis/async.h>

#include "redis/link/adapter.h"
#include "redis/link/errors.h"
#include "redis/link/link.h"
#include "redis/link/url.h"

/* Whatever the socket said; the log has that. */
#define REDIS_UNREACHABLE "redis: cannot be reached"

/* How the link looks after itself when nobody calls (probe.c). */
struct redis_probe {
	uv_timer_t timer;
	int64_t sent_us; /* the question under way; 0: none */
	int64_t well_us; /* when one was last answered well, on this connection; 0: never */
	int64_t info_us; /* when INFO was last judged */
	enum redis_error error; /* what it was last answered; REDIS_ERROR_COUNT: well, or in no row */
	struct err trouble; /* that, as a sentence; code 0: none */
};

struct redis_link {
	struct redis_probe probe;
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
	int64_t begun_us; /* when it began to connect */
	int64_t introduced_us; /* when the introduction was last sent */
	bool loading; /* FUNCTION LOAD is under way */
	struct err unloaded; /* why Redis did not take the functions; code 0: it did */
	struct err introduction; /* what is wrong with the introduction that is under way */
	struct err refused; /* this Redis cannot be used: it evicts, is a cluster, wants another password */
	struct err lost; /* why there is no connection */

	int64_t timeout_us;
	int breaker_failures, failures;
	int64_t breaker_us, breaker_until_us;

	struct list open; /* to be answered, by deadline */
	struct list again; /* to be sent again, by deadline */
	struct list failing; /* to be told why, on the next turn */
	struct list given_up; /* done, but hiredis still has them */
	struct list unused; /* commands, to be filled again */
	int64_t again_at_us; /* when `again` is to be sent */
	int64_t timer_at_us; /* 0: the timer is not set */
};

/* link.c */
void link_connect(struct redis_link *link);
void link_drop(struct redis_link *link, const char *why);
void link_load_library(struct redis_link *link);
/* Introduces the link once more: who it is, and may it use this Redis? Answered, it is up or refused. */
void link_introduce(struct redis_link *link);

/* probe.c */
void probe_init(struct redis_link *link, uv_loop_t *loop);
/* Asks at once: a connection is up of which nothing is known, or the functions are loaded. */
void probe_begin(struct redis_link *link);
/* The connection is gone, and with it the answer to what was asked. */
void probe_end(struct redis_link *link);
/* Redis refused something: asks at once what it thinks of a call that writes. */
void probe_soon(struct redis_link *link);
/* Redis said this instead of what was asked, in our words `why`: so the link is not ready, until it answers well. */
void probe_trouble(struct redis_link *link, const char *text, const struct err *why);
void probe_clear(struct redis_link *link);

/* command.c */
void command_answered(redisAsyncContext *context, void *data, void *privdata);
void commands_resend(struct redis_link *link);
void commands_timer(uv_timer_t *timer);
void commands_fail_all(struct redis_link *link, const char *why);
void commands_release(struct redis_link *link);

#endif
