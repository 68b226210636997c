/*
 * One connection to Redis on one loop: reconnects when it is lost, checks by itself that Redis is well, gives every
 * command a deadline, and pauses when Redis is slow or away (a circuit breaker: a slow Redis is worse than a dead one).
 *
 * Each of our commands may be sent twice: they are functions that recognise their request. So a command whose
 * connection was lost, or that met a Redis which is loading, a replica or in failover, is sent again until its
 * deadline.
 */
#ifndef BURSAR_REDIS_LINK_LINK_H
#define BURSAR_REDIS_LINK_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include <hiredis/hiredis.h>
#include <uv.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "redis/link/functions.h"

#define COMMAND_ARGS_MAX 32

struct redis_link;

/* A command from its first argument to its answer. Taken from the link's unused ones; the link puts it back. */
struct redis_command {
	/* The caller's. */
	void *user;
	/* Runs once, with the answer (never an error reply) or the reason for having none. `reply` is valid until it
	 * returns. */
	void (*done)(struct redis_command *command, const redisReply *reply, const struct err *err);
	/* Owed to Redis: sent regardless of the breaker, as soon and as often as there is a connection, until it is
	 * answered or its deadline has passed. */
	bool owed;
	int brief_at; /* the first of the arguments that leave out what Redis probably knows (redis/limits); 0: none does */
	/* When `done` gets no reply: Redis may have executed it all the same, or may still do so. */
	bool in_doubt;

	/* The link's. */
	struct list link;
	struct redis_link *owner;
	struct buf bytes; /* in wire format, after room for its head */
	size_t start; /* where the head begins */
	int argc;
	bool wide; /* more arguments than are kept */
	bool even_refused; /* is also sent to a Redis that is refused: it asks for its state, or reads what must not be lost */
	struct {
		uint32_t at, len;
	} arg[COMMAND_ARGS_MAX];
	int64_t deadline_us, sent_us;
	struct err err; /* why it fails, or was sent again */
	bool sent, given_up;
	struct trace *trace; /* the one in which it was sent; entered for `done` */
};

struct redis_link_options {
	uv_loop_t *loop;
	const char *url;
	const char *tls_ca; /* see redis_tls_new */
	const struct redis_library *functions;
	int64_t timeout_us; /* for commands without a deadline */
	int breaker_failures; /* this many in a row open the breaker; 0 = 8 */
	int64_t breaker_us; /* for this long; 0 = 250 ms */
};

/* NULL for an invalid url. The library is borrowed. */
struct redis_link *redis_link_new(const struct redis_link_options *options, struct err *err);
/* Fails all commands: `done` runs. The memory is freed when the loop has run once more. NULL is fine. */
void redis_link_free(struct redis_link *link);

enum redis_link_state { LINK_WAITING, LINK_CONNECTING, LINK_UP };
/*
 * Would a writing call be answered? The link finds out by itself (with a function that does nothing, once a second
 * unless something else was answered, four times a second when not ready), so the result is right even without calls.
 * If not, `why` (may be NULL) gets a sentence.
 */
bool redis_link_ready(const struct redis_link *link, struct err *why);
/* How many connections it has had that could be used. A new one may lead to another Redis. */
uint64_t redis_link_connections(const struct redis_link *link);

/* A command to fill with arguments and send. */
struct redis_command *redis_command_new(struct redis_link *link,
	void (*done)(struct redis_command *command, const redisReply *reply, const struct err *err), void *user);
void redis_arg(struct redis_command *command, const void *p, size_t n);
void redis_arg_text(struct redis_command *command, const char *text);
/* FCALL, the function's name and the number of keys. */
void redis_arg_function(struct redis_command *command, enum redis_function function, int keys);
/* `count` arguments from `first` on (not 0), in wire format: valid until `done` has returned. redis_args() appends them
 * to another command. */
struct redis_args {
	const char *bytes;
	size_t len;
	int count;
};
struct redis_args redis_args_at(const struct redis_command *command, int first, int count);
void redis_args(struct redis_command *command, const struct redis_args *args);

/* Sends it. `deadline_us`: clock_mono_us; 0 = now + timeout_us. `done` never runs before this has returned. */
void redis_send(struct redis_command *command, int64_t deadline_us);

#endif
