/*
 * A connection that receives what is published on some channels. It is re-established whenever it is lost; messages
 * published in between are lost, and `listening` reports that. A hanging Redis shows in the calls, which it affects as
 * well; the subscription is repeated from time to time, so that a connection whose other end has vanished is noticed
 * too.
 */
#ifndef BURSAR_REDIS_LINK_LISTENER_H
#define BURSAR_REDIS_LINK_LISTENER_H

#include <stddef.h>

#include <uv.h>

struct redis_listener;

struct redis_listener_options {
	uv_loop_t *loop;
	const char *url, *tls_ca; /* those that a link was created with; tls_ca is borrowed */
	const char *channel; /* the permanent one; copied */
	void (*heard)(const char *bytes, size_t len, void *arg); /* on any channel */
	void (*listening)(void *arg); /* may be NULL */
	void *arg;
};

/* Does not connect yet. */
struct redis_listener *redis_listener_new(const struct redis_listener_options *options);
/* Connects, and stays connected until the stop. Both may be repeated. */
void redis_listener_start(struct redis_listener *listener);
void redis_listener_stop(struct redis_listener *listener);
/* Adds or removes a channel; each may be added several times, and is left once it was removed as often. */
void redis_listener_add(struct redis_listener *listener, const char *name, size_t len);
void redis_listener_remove(struct redis_listener *listener, const char *name, size_t len);
/* No callback runs afterwards; the memory is freed when the loop has run once more. */
void redis_listener_free(struct redis_listener *listener);

#endif
