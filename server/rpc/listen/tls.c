/*
 * The fetcher runs on gRPC's threads at the start of each handshake. Three stat calls cost nothing there, and a new
 * certificate applies from the next connection on; existing connections continue. Unusable files leave the old
 * certificate in force.
 */
#include "rpc/listen/tls.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/observe/log.h"

enum { CERT, KEY, CLIENT_CA, FILES };
#define FILE_MAX ((size_t)1 << 20)

/* Tells whether a file has changed without reading it. */
struct stamp {
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct tls_files {
	struct rpc_tls tls;
	pthread_mutex_t lock;
	struct stamp stamp[FILES];
	bool loaded;
};

static const char *path_of(const struct tls_files *files, int which)
{
	const char *const paths[FILES] = {files->tls.cert, files->tls.key, files->tls.client_ca};

	return paths[which] && paths[which][0] ? paths[which] : NULL;
}

static bool pem_read(const char *path, const char *option, struct buf *out, struct err *err)
{
	FILE *file = path ? fopen(path, "re") : NULL;

	if (!path)
		return true;
	if (!file)
		return err_invalid(err, option, "%.150s cannot be read: %s", path, strerror(errno));
	for (size_t n; out->len <= FILE_MAX && (n = fread(buf_reserve(out, 4096), 1, 4096, file)) > 0;)
		out->len += n;
	fclose(file);
	buf_put(out, "", 1);
	if (out->len > FILE_MAX)
		return err_invalid(err, option, "%.150s is larger than 1 MiB", path);
	return strstr(out->data, "-----BEGIN ") || err_invalid(err, option, "%.150s is not a PEM file", path);
}

/* True when no file has changed. */
static bool stamps_take(struct tls_files *files)
{
	bool same = true;

	for (int i = 0; i < FILES; i++) {
		struct stat now;
		struct stamp stamp;

		memset(&stamp, 0, sizeof(stamp)); /* padding too, because memcmp compares it */
		if (path_of(files, i) && stat(path_of(files, i), &now) == 0) {
			stamp.inode = now.st_ino;
			stamp.size = now.st_size;
			stamp.changed.tv_sec = now.st_mtim.tv_sec;
			stamp.changed.tv_nsec = now.st_mtim.tv_nsec;
		}
		same = same && memcmp(&stamp, &files->stamp[i], sizeof(stamp)) == 0;
		files->stamp[i] = stamp;
	}
	return same;
}

static grpc_ssl_server_certificate_config *files_read(const struct tls_files *files, struct err *err)
{
	static const char *const options[FILES] = {"tls_cert", "tls_key", "tls_client_ca"};
	struct buf text[FILES] = {{0}};
	grpc_ssl_server_certificate_config *config = NULL;
	bool ok = true;

	for (int i = 0; ok && i < FILES; i++)
		ok = pem_read(path_of(files, i), options[i], &text[i], err);
	if (ok) {
		grpc_ssl_pem_key_cert_pair pair = {.private_key = text[KEY].data, .cert_chain = text[CERT].data};
		/* gRPC requires root certificates even when it asks no client for a certificate. */
		const char *roots = text[CLIENT_CA].data ? text[CLIENT_CA].data : text[CERT].data;
		config = grpc_ssl_server_certificate_config_create(roots, &pair, 1);
	}
	if (text[KEY].data)
		explicit_bzero(text[KEY].data, text[KEY].len);
	for (int i = 0; i < FILES; i++)
		buf_release(&text[i]);
	return config;
}

static grpc_ssl_certificate_config_reload_status fetch(void *arg, grpc_ssl_server_certificate_config **config)
{
	struct tls_files *files = arg;
	grpc_ssl_certificate_config_reload_status status = GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
	struct err err;

	pthread_mutex_lock(&files->lock);
	if (!stamps_take(files) || !files->loaded) {
		*config = files_read(files, &err);
		status = *config ? GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW : GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_FAIL;
		if (!*config)
			log_error("cannot reload the certificate; the old one stays in use", F("why", err.text));
		else
			log_info("certificate loaded", F("file", files->tls.cert));
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
	own->tls = *tls;
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
