/*
 * A connection that hears what is published on some channels. It is made anew whenever it is lost; what was published in between is
 * lost with it, and `listening` says so. A Redis that hangs shows in the calls, which share its fate; the subscription is repeated now
 * and then so that a connection whose other end has vanished is noticed too.
 */
#ifndef BURSAR_REDIS_LINK_LISTENER_H
#define BURSAR_REDIS_LINK_LISTENER_H

#include <stddef.h>

#include <uv.h>

struct redis_listener;

struct redis_listener_options {
	uv_loop_t *loop;
	const char *url, *tls_ca; /* of which a link was made; tls_ca is borrowed */
	const char *channel; /* the first one, which is always listened to; copied */
	void (*heard)(const char *bytes, size_t len, void *arg); /* whichever channel it came on */
	void (*listening)(void *arg); /* may be NULL */
	void *arg;
};

/* Does not connect yet. */
struct redis_listener *redis_listener_new(const struct redis_listener_options *options);
/* Connects, and stays connected until the stop. Either may be repeated. */
void redis_listener_start(struct redis_listener *listener);
void redis_listener_stop(struct redis_listener *listener);
/* One more channel, and one less; each may be added several times, and is left when it was removed as often. */
void redis_listener_add(struct redis_listener *listener, const char *name, size_t len);
void redis_listener_remove(struct redis_listener *listener, const char *name, size_t len);
/* Nothing is told any more; memory goes when the loop has run once more. */
void redis_listener_free(struct redis_listener *listener);

#endif
