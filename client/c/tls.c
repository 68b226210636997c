/* TLS to the server: whom to trust, and the caller's own certificate. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "c/internal.h"

enum { FILE_MOST = 1 << 20 };

#define CERTIFICATE "-----BEGIN CERTIFICATE-----"
#define PRIVATE_KEY "PRIVATE KEY-----"

/* The file's text (free it), in which `begins` is to be found; NULL with `error`. */
static char *pem_read(const char *path, const char *field, const char *begins, struct bursar_error *error)
{
	FILE *file = fopen(path, "re");
	char *text;
	size_t len;

	if (!file) {
		error_field(error, field, "%s cannot be read: %s", path, strerror(errno));
		return NULL;
	}
	text = calloc(1, FILE_MOST + 1);
	if (!text)
		abort();
	len = fread(text, 1, FILE_MOST, file);
	fclose(file);
	if (len < FILE_MOST && strstr(text, begins))
		return text;
	/* A key's bytes are nobody's to keep, whatever it was taken for. */
	bool key = strstr(text, "PRIVATE KEY-----") != NULL, cert = strstr(text, CERTIFICATE) != NULL;
	explicit_bzero(text, len);
	free(text);
	error_field(error, field, "%s %s", path,
		key				   ? "is a private key, where a certificate is expected"
		: cert				   ? "is a certificate, where a private key is expected"
		: strcmp(begins, CERTIFICATE) == 0 ? "holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)"
						   : "holds no private key in PEM form");
	return NULL;
}

static bool given(const char *path)
{
	return path && path[0];
}

/* "" of `path`: nothing to read, and right. */
static bool part_read(const char *path, const char *field, char **out, struct bursar_error *error)
{
	*out = given(path) ? pem_read(path, field, strcmp(field, "tls_key") == 0 ? PRIVATE_KEY : CERTIFICATE, error)
			   : NULL;
	return *out || !given(path);
}

grpc_channel_credentials *credentials_of(const struct bursar_options *options, struct bursar_error *error)
{
	grpc_channel_credentials *credentials = NULL;
	char *ca = NULL, *cert = NULL, *key = NULL;
	const char *roots = options->tls_ca;

	if (!given(roots)) {
		if (!given(options->tls_cert) && !given(options->tls_key))
			return grpc_insecure_credentials_create();
		error_field(error, "tls_ca", "is needed beside a certificate and its key: a PEM file, or 'system'");
		return NULL;
	}
	if (given(options->tls_cert) != given(options->tls_key)) {
		error_field(error, given(options->tls_cert) ? "tls_key" : "tls_cert",
			"is missing: a certificate and its key belong together");
		return NULL;
	}
	if (strcmp(roots, "system") == 0)
		roots = NULL;
	if (part_read(roots, "tls_ca", &ca, error) && part_read(options->tls_cert, "tls_cert", &cert, error) &&
		part_read(options->tls_key, "tls_key", &key, error)) {
		grpc_ssl_pem_key_cert_pair pair = {.private_key = key, .cert_chain = cert};
		credentials = grpc_ssl_credentials_create_ex(ca, cert ? &pair : NULL, NULL, NULL);
	}
	if (key)
		explicit_bzero(key, strlen(key));
	free(ca);
	free(cert);
	free(key);
	return credentials;
}
