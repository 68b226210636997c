/*
 * The fetcher runs on gRPC's threads at the start of each handshake. Three stat calls cost nothing there, and a new
 * certificate applies from the next connection on; existing connections continue. Unusable files leave the old
 * certificate in force.
 */
#include "rpc/listen/tls.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/observe/log.h"

struct tls_files {
	struct pem_files pem;
	pthread_mutex_t lock;
	bool loaded;
};

static grpc_ssl_server_certificate_config *files_read(const struct tls_files *files, struct err *err)
{
	struct buf text[PEM_FILES] = {{0}};
	grpc_ssl_server_certificate_config *config = NULL;

	if (pem_read(&files->pem, text, err)) {
		grpc_ssl_pem_key_cert_pair pair = {
			.private_key = text[PEM_KEY].data, .cert_chain = text[PEM_CERT].data};
		/* gRPC requires root certificates even when it asks no client for a certificate. */
		const char *roots = text[PEM_CLIENT_CA].data ? text[PEM_CLIENT_CA].data : text[PEM_CERT].data;

		config = grpc_ssl_server_certificate_config_create(roots, &pair, 1);
	}
	pem_release(text);
	return config;
}

static grpc_ssl_certificate_config_reload_status fetch(void *arg, grpc_ssl_server_certificate_config **config)
{
	struct tls_files *files = arg;
	grpc_ssl_certificate_config_reload_status status = GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
	struct err err;

	pthread_mutex_lock(&files->lock);
	if (pem_changed(&files->pem) || !files->loaded) {
		*config = files_read(files, &err);
		status = *config ? GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW : GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_FAIL;
		if (!*config)
			log_error("cannot reload the certificate; the old one stays in use", F("why", err.text));
		else
			log_info("certificate loaded", F("file", files->pem.tls.cert));
		files->loaded = files->loaded || *config;
	}
	pthread_mutex_unlock(&files->lock);
	return status;
}

static grpc_ssl_client_certificate_request_type request_of(const struct rpc_tls *tls)
{
	if (!tls->client_ca || !tls->client_ca[0])
		return GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
	return tls->client_required ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
				    : GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY;
}

grpc_server_credentials *tls_credentials(const struct rpc_tls *tls, struct tls_files **files, struct err *err)
{
	struct tls_files *own = mem_zalloc(1, sizeof(*own));
	grpc_ssl_server_certificate_config *tried;

	*files = own;
	own->pem.tls = *tls;
	pthread_mutex_init(&own->lock, NULL);
	tried = files_read(own, err);
	if (!tried)
		return NULL;
	grpc_ssl_server_certificate_config_destroy(tried);
	return grpc_ssl_server_credentials_create_with_options(
		grpc_ssl_server_credentials_create_options_using_config_fetcher(request_of(tls), fetch, own));
}

void tls_files_free(struct tls_files *files)
{
	if (!files)
		return;
	pthread_mutex_destroy(&files->lock);
	free(files);
}
