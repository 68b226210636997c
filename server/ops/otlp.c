/*
 * libcrypto's own HTTP client: it is linked already, speaks TLS, knows proxies by the usual variables, and has a
 * deadline. libcurl would bring two dozen libraries into the image for one POST a second.
 */
#include "ops/otlp.h"

#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/http.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/observe/log.h"
#include "base/observe/metrics.h"
#include "base/observe/process.h"
#include "ops/otlp_json.h"

/* The queue is emptied once a second, so its size is also the most spans a second. */
enum { QUEUE_SPANS = 4096, BATCH_SPANS = 512, PAUSE_S = 1, TIMEOUT_S = 2, ANSWER_MAX = 65536 };

struct otlp {
	char *host, *port;
	struct buf path;
	char instance[96];
	SSL_CTX *tls; /* NULL: in the clear */
	STACK_OF(CONF_VALUE) * headers;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stopping;
	struct span batch[BATCH_SPANS];
};

/* Puts TLS on a connection that begins. */
static BIO *secure(BIO *plain, void *arg, int connecting, int detail)
{
	struct otlp *otlp = arg;
	BIO *tls;
	SSL *ssl = NULL;

	(void)detail;
	if (!connecting)
		return plain;
	tls = BIO_new_ssl(otlp->tls, 1);
	if (!tls)
		return NULL;
	BIO_get_ssl(tls, &ssl);
	/* An address is compared with those in the certificate, and is not sent as a name. */
	if (!X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), otlp->host) &&
		(!SSL_set_tlsext_host_name(ssl, otlp->host) || !SSL_set1_host(ssl, otlp->host))) {
		BIO_free(tls);
		return NULL;
	}
	return BIO_push(tls, plain);
}

/* True when the endpoint has answered 200. */
static bool post(struct otlp *otlp, const struct buf *body)
{
	BIO *request = BIO_new_mem_buf(body->data, (int)body->len);
	BIO *answer;
	bool ok;

	ERR_clear_error();
	answer = OSSL_HTTP_transfer(NULL, otlp->host, otlp->port, buf_str(&otlp->path), otlp->tls != NULL, NULL, NULL,
		NULL, NULL, otlp->tls ? secure : NULL, otlp, 0, otlp->headers, "application/json", request, NULL, 0,
		ANSWER_MAX, TIMEOUT_S, 0);
	ok = answer != NULL;
	if (!ok)
		log_warn("spans cannot be exported: otlp_endpoint must be an OTLP/HTTP receiver", F("host", otlp->host),
			F("port", otlp->port), F("why", ERR_reason_error_string(ERR_peek_last_error())));
	BIO_free_all(answer);
	BIO_free(request);
	return ok;
}

/* Exports what waits. What comes meanwhile may have to wait for the next time. */
static void export(struct otlp *otlp)
{
	struct buf body = {0};
	bool ok = true;

	for (int i = 0; ok && i < QUEUE_SPANS / BATCH_SPANS; i++) {
		size_t count = spans_take(otlp->batch, BATCH_SPANS);

		if (count == 0)
			break;
		buf_reset(&body);
		otlp_json(&body, otlp->instance, otlp->batch, count);
		ok = post(otlp, &body);
		if (ok)
			metric_add(METRIC_spans_exported_total, 0, 0, (int64_t)count);
		else
			metric_add(METRIC_spans_lost_total, METRIC_SPANS_LOST_UNSENT, 0, (int64_t)count);
	}
	buf_release(&body);
}

static void *run(void *arg)
{
	struct otlp *otlp = arg;
	bool stopping;

	do {
		struct timespec until;

		pthread_mutex_lock(&otlp->lock);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += PAUSE_S;
		if (!otlp->stopping)
			pthread_cond_timedwait(&otlp->wake, &otlp->lock, &until);
		stopping = otlp->stopping;
		pthread_mutex_unlock(&otlp->lock);
		export(otlp);
	} while (!stopping);
	return NULL;
}

static void otlp_free(struct otlp *otlp)
{
	OPENSSL_free(otlp->host);
	OPENSSL_free(otlp->port);
	buf_release(&otlp->path);
	SSL_CTX_free(otlp->tls);
	sk_CONF_VALUE_pop_free(otlp->headers, X509V3_conf_free);
	free(otlp);
}

/* "name=value,name=value" */
static bool read_headers(struct otlp *otlp, const char *text, struct err *err)
{
	while (*text) {
		size_t len = strcspn(text, ","), name = strcspn(text, "=,");
		char *pair;
		int added;

		if (name == 0 || name == len)
			return err_invalid(err, "otlp_headers", "must be name=value, comma-separated");
		pair = mem_zalloc(1, len + 1);
		memcpy(pair, text, len);
		pair[name] = '\0';
		added = X509V3_add_value(pair, pair + name + 1, &otlp->headers);
		free(pair);
		if (!added)
			mem_exhausted(len);
		text += len + (text[len] == ',');
	}
	return true;
}

static bool read_authorities(struct otlp *otlp, const char *file, struct err *err)
{
	otlp->tls = SSL_CTX_new(TLS_client_method());
	if (!otlp->tls)
		mem_exhausted(0);
	SSL_CTX_set_verify(otlp->tls, SSL_VERIFY_PEER, NULL);
	if (file[0] ? SSL_CTX_load_verify_file(otlp->tls, file) : SSL_CTX_set_default_verify_paths(otlp->tls))
		return true;
	return err_invalid(err, "otlp_ca", "%s is not a readable PEM file of certificates", file);
}

static bool read_options(struct otlp *otlp, const struct conf *conf, struct err *err)
{
	char *path = NULL;
	int tls = 0;
	size_t len;

	if (!OSSL_HTTP_parse_url(conf->otlp_endpoint, &tls, NULL, &otlp->host, &otlp->port, NULL, &path, NULL, NULL))
		return err_invalid(err, "otlp_endpoint", "is not a URL; use http://127.0.0.1:4318");
	len = strlen(path);
	while (len > 0 && path[len - 1] == '/')
		len--;
	buf_put(&otlp->path, path, len);
	buf_put_str(&otlp->path, "/v1/traces");
	OPENSSL_free(path);
	return read_headers(otlp, conf->otlp_headers, err) && (!tls || read_authorities(otlp, conf->otlp_ca, err));
}

bool otlp_start(const struct conf *conf, struct otlp **out, struct err *err)
{
	struct otlp *otlp;

	*out = NULL;
	if (!conf->otlp_endpoint[0])
		return true;
	otlp = mem_zalloc(1, sizeof(*otlp));
	if (!read_options(otlp, conf, err)) {
		otlp_free(otlp);
		return false;
	}
	process_name(otlp->instance, sizeof(otlp->instance));
	pthread_mutex_init(&otlp->lock, NULL);
	pthread_cond_init(&otlp->wake, NULL);
	spans_open(QUEUE_SPANS);
	trace_sample(true, conf->trace_sample_ppm);
	if (pthread_create(&otlp->thread, NULL, run, otlp) != 0)
		mem_exhausted(0);
	pthread_setname_np(otlp->thread, "bursar-otlp");
	log_info("spans are exported", F("host", otlp->host), F("port", otlp->port), F("path", buf_str(&otlp->path)));
	*out = otlp;
	return true;
}

void otlp_stop(struct otlp *otlp)
{
	if (!otlp)
		return;
	pthread_mutex_lock(&otlp->lock);
	otlp->stopping = true;
	pthread_cond_signal(&otlp->wake);
	pthread_mutex_unlock(&otlp->lock);
	pthread_join(otlp->thread, NULL);
	otlp_free(otlp);
}
