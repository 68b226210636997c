/* The HTTP servers of the process: http_listen and https_listen. */
#ifndef BURSAR_WEB_H
#define BURSAR_WEB_H

#include "api/door/door.h"
#include "base/conf/conf.h"
#include "ops/pages.h"
#include "rpc/server.h"

/* `struct web web = {0}` serves nothing. */
struct web {
	const struct conf *conf;
	struct http *http, *https;
	struct door door;
	struct http_page pages[OPS_PAGES];
};

/* Binds what the process has a role and an address for, and serves the pages about it. What is given is borrowed. */
bool web_start(
	struct web *web, const struct conf *conf, unsigned threads, const struct http_probe *probes, struct err *err);
/* Serves calls too, from now until web_detach(), whose argument is the struct web. */
void web_attach(struct web *web, struct rpc_server *rpc);
void web_detach(void *self);
/* Call it every few seconds. */
void web_look(struct web *web);
void web_stop(struct web *web);

#endif
