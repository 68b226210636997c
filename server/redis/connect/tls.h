/*
 * TLS to Redis. Each owner of a connection has one, on its own thread; it keeps what went wrong with the last handshake.
 * The server's certificate must be signed by an authority of `ca` and issued for the host of the url, a name or an address.
 */
#ifndef BURSAR_REDIS_CONNECT_TLS_H
#define BURSAR_REDIS_CONNECT_TLS_H

#include <stdbool.h>

#include <hiredis/hiredis.h>

#include "base/err.h"
#include "redis/connect/url.h"

struct redis_tls;

/* *out is NULL for a url without TLS. `ca`: a PEM file; NULL or "": the system's authorities. ERR_INVALID names the option redis_tls_ca. */
bool redis_tls_new(const struct redis_url *url, const char *ca, struct redis_tls **out, struct err *err)
	__attribute__((warn_unused_result));
void redis_tls_free(struct redis_tls *tls);

/*
 * Begins the handshake on a connection that was just opened; a blocking one has finished it when this returns. False when it fails
 * at once: redis_tls_trouble() says why, or else context->errstr.
 */
bool redis_tls_begin(struct redis_tls *tls, redisContext *context) __attribute__((warn_unused_result));

/* Why the last handshake refused the server's certificate, and what to do: NULL when it did not. `tls` may be NULL. */
const char *redis_tls_trouble(const struct redis_tls *tls);
/* A new attempt begins. `tls` may be NULL. */
void redis_tls_forget(struct redis_tls *tls);

#endif
