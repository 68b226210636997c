/* Starts and stops the HTTP servers (web.h). */
#include "web.h"

#include "base/observe/log.h"
#include "http/http.h"
#include "rpc/listen/address.h"

static struct http_options options_of(const struct web *web, unsigned threads, const char *option, const char *listen)
{
	return (struct http_options){
		.option = option,
		.listen = listen,
		.threads = threads,
		.max_body_bytes = (size_t)web->conf->max_message_bytes,
		.request_timeout_us = web->conf->answer_timeout_ms * 1000,
		.pages = web->pages,
	};
}

static bool start_https(struct web *web, unsigned threads, struct err *err)
{
	const struct conf *conf = web->conf;
	struct http_options options = options_of(web, threads, "https_listen", conf->https_listen);

	if (!conf->https_listen[0])
		return true;
	if (!conf->tls_cert[0] || !conf->tls_key[0])
		return err_invalid(err, "https_listen", "needs tls_cert and tls_key");
	options.tls = (struct http_tls){
		.cert = conf->tls_cert,
		.key = conf->tls_key,
		.client_ca = conf->tls_client_ca,
		.client_required = conf->tls_client_certs == conf_tls_client_certs_required,
	};
	web->https = http_start(&options, err);
	if (web->https)
		log_info("HTTPS is served", F("listen", conf->https_listen), FI("port", http_port(web->https)));
	return web->https;
}

bool web_start(
	struct web *web, const struct conf *conf, unsigned threads, const struct http_probe *probes, struct err *err)
{
	struct http_options options;

	web->conf = conf;
	if (!(conf->roles & conf_roles_http))
		return true;
	ops_pages(web->pages, probes);
	options = options_of(web, threads, "http_listen", conf->http_listen);
	web->http = http_start(&options, err);
	if (!web->http)
		return false;
	log_info("HTTP is served", F("listen", conf->http_listen), FI("port", http_port(web->http)));
	return start_https(web, threads, err);
}

/* Over plain HTTP keys could be read on the way, so only callers on this machine are served, unless told otherwise. */
void web_attach(struct web *web, struct rpc_server *rpc)
{
	const struct conf *conf = web->conf;

	door_init(&web->door, conf->cors_origins, conf->embed_origins);
	if (web->https)
		http_attach(web->https, rpc, &web->door.translator);
	if (!web->http)
		return;
	if (conf->insecure_http || rpc_address_is_loopback(conf->http_listen))
		http_attach(web->http, rpc, &web->door.translator);
	else
		log_info(
			"plain HTTP has no dashboard and no API, because other machines can reach it; see insecure_http",
			F("listen", conf->http_listen));
}

void web_detach(void *self)
{
	struct web *web = self;

	http_detach(web->http);
	http_detach(web->https);
}

void web_look(struct web *web)
{
	http_look(web->http);
	http_look(web->https);
}

void web_stop(struct web *web)
{
	http_stop(web->http);
	http_stop(web->https);
}
