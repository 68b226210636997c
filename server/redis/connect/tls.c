/*
 * TLS by OpenSSL, handed to hiredis. hiredis's own contexts do not do: before 1.5 they accept a certificate of the right authority
 * for any host, and they do not say why they refuse one.
 */
#include "redis/connect/tls.h"

#ifndef BURSAR_REDIS_TLS

bool redis_tls_new(const struct redis_url *url, const char *ca, struct redis_tls **out, struct err *err)
{
	(void)ca;
	(void)err;
	*out = NULL;
	return !url->tls; /* redis_url_parse lets none through */
}

void redis_tls_free(struct redis_tls *tls)
{
	(void)tls;
}

bool redis_tls_begin(struct redis_tls *tls, redisContext *context)
{
	(void)tls;
	(void)context;
	return false;
}

const char *redis_tls_trouble(const struct redis_tls *tls)
{
	(void)tls;
	return NULL;
}

void redis_tls_forget(struct redis_tls *tls)
{
	(void)tls;
}

#else

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/arena.h"

struct redis_tls {
	SSL_CTX *context;
	char host[256];
	bool address; /* the host is one, and no name */
	char trouble[256]; /* "": none */
};

static bool is_address(const char *host)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* Changes nothing about what OpenSSL has decided; notes why. The first error is the one that counts. */
static int note_trouble(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct redis_tls *tls = SSL_get_app_data(ssl);
	int error = X509_STORE_CTX_get_error(store);
	bool name = error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH;

	if (ok || tls->trouble[0])
		return ok;
	if (name)
		snprintf(tls->trouble, sizeof(tls->trouble),
			"the certificate is not issued for %.100s, the host in the option redis", tls->host);
	else
		snprintf(tls->trouble, sizeof(tls->trouble),
			"the certificate is not accepted (%.80s); redis_tls_ca names the file of the authority that "
			"signs it",
			X509_verify_cert_error_string(error));
	return ok;
}

bool redis_tls_new(const struct redis_url *url, const char *ca, struct redis_tls **out, struct err *err)
{
	struct redis_tls *tls;
	bool ok;

	*out = NULL;
	if (!url->tls)
		return true;
	tls = mem_zalloc(1, sizeof(*tls));
	memcpy(tls->host, url->host, strlen(url->host) + 1);
	tls->address = is_address(tls->host);
	tls->context = SSL_CTX_new(TLS_client_method());
	ok = tls->context && SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
	if (ok && ca && ca[0])
		ok = SSL_CTX_load_verify_locations(tls->context, ca, NULL) ||
		     err_invalid(err, "redis_tls_ca", "%.150s cannot be read as a PEM file of certificates", ca);
	else if (ok)
		ok = SSL_CTX_set_default_verify_paths(tls->context) ||
		     err_invalid(err, "redis_tls_ca", "the system's authorities cannot be read: name a PEM file");
	else
		err_set(err, ERR_INTERNAL, "redis: TLS cannot be set up");
	if (!ok) {
		redis_tls_free(tls);
		return false;
	}
	SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, note_trouble);
	*out = tls;
	return true;
}

void redis_tls_free(struct redis_tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->context);
	free(tls);
}

void redis_tls_forget(struct redis_tls *tls)
{
	if (tls)
		tls->trouble[0] = '\0';
}

static bool not_set_up(struct redis_tls *tls)
{
	snprintf(tls->trouble, sizeof(tls->trouble), "TLS to %.100s cannot be set up", tls->host);
	return false;
}

bool redis_tls_begin(struct redis_tls *tls, redisContext *context)
{
	SSL *ssl = SSL_new(tls->context);
	bool ok;

	redis_tls_forget(tls);
	if (!ssl)
		return not_set_up(tls);
	SSL_set_app_data(ssl, tls);
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	/* Server names are sent for names only, never for addresses. */
	ok = tls->address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), tls->host)
			  : SSL_set1_host(ssl, tls->host) && SSL_set_tlsext_host_name(ssl, tls->host);
	if (ok && redisInitiateSSL(context, ssl) == REDIS_OK)
		return true;
	SSL_free(ssl); /* hiredis takes it over only on success */
	return ok ? false : not_set_up(tls);
}

const char *redis_tls_trouble(const struct redis_tls *tls)
{
	return tls && tls->trouble[0] ? tls->trouble : NULL;
}

#endif
