/* The pages about the process: /metrics, /healthz and /readyz. */
#ifndef BURSAR_OPS_PAGES_H
#define BURSAR_OPS_PAGES_H

#include <stdbool.h>

#include "base/buf.h"
#include "http/http.h"

/*
 * One check of /readyz, such as "redis". `probe` says whether it is ready and, if not (or if there is more to say),
 * why, in a sentence without secrets. It runs on threads of the HTTP server, so it may only read what is already known.
 */
struct http_probe {
	const char *name;
	bool (*probe)(struct buf *reason, void *ctx);
	void *ctx;
};

enum { OPS_PAGES = 4 };

/* Fills in the pages and the row that ends them. `probes` is borrowed; a row without a name ends them. */
void ops_pages(struct http_page pages[OPS_PAGES], const struct http_probe *probes);

#endif
