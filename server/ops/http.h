/* The HTTP server: /metrics, /healthz and /readyz. */
#ifndef BURSAR_OPS_HTTP_H
#define BURSAR_OPS_HTTP_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct http;

/*
 * One check of /readyz, such as "redis". `probe` says whether it is ready and, if not (or if there is more to say),
 * why, in a sentence without secrets. It runs on the HTTP thread, so it may only read what is already known.
 */
struct http_probe {
	const char *name;
	bool (*probe)(struct buf *reason, void *ctx);
	void *ctx;
};

struct http_options {
	const char *listen; /* "127.0.0.1:7421", "[::1]:0", "0.0.0.0:7421" */
	const struct http_probe *probes; /* borrowed; a row without a name ends them */
};

/* Binds and serves on its own thread; NULL with `err` set when the address cannot be used. */
struct http *http_start(const struct http_options *options, struct err *err);

/* The port that was bound. */
int http_port(const struct http *http);

/* Waits for running answers to end, then frees it; NULL is fine. */
void http_stop(struct http *http);

#endif
