/* The HTTP door: /metrics, /healthz and /readyz. */
#ifndef BURSAR_OPS_HTTP_H
#define BURSAR_OPS_HTTP_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct http;

/*
 * One thing /readyz asks after, such as "redis". `probe` says whether it is ready, and if not (or if there is more to
 * say) why, in a sentence without secrets. It runs on the HTTP thread: it reads what is known, it does not go and look.
 */
struct http_probe {
	const char *name;
	bool (*probe)(struct buf *reason, void *ctx);
	void *ctx;
};

struct http_options {
	const char *listen; /* "127.0.0.1:7421", "[::1]:0", "0.0.0.0:7421" */
	const struct http_probe *probes; /* borrowed; ends with a row without name */
};

/* Binds and serves on a thread of its own; NULL with `err` set when the address is unusable. */
struct http *http_start(const struct http_options *options, struct err *err);

/* The port that was bound. */
int http_port(const struct http *http);

/* Ends the running answers and frees it; NULL is fine. */
void http_stop(struct http *http);

#endif
