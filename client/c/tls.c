/* TLS: which servers to trust, and the client's own certificate. Declared in internal.h. */
#include "c/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 1 << 20 };

#define CERTIFICATE "-----BEGIN CERTIFICATE-----"
#define PRIVATE_KEY "PRIVATE KEY-----"

/* The text of a file that holds `begins`; free it. NULL with `error`. */
static char *pem_read(const char *path, const char *field, const char *begins, struct bursar_error *error)
{
	FILE *file = fopen(path, "re");
	char *text;
	size_t len;

	if (!file) {
		bursar__error_field(error, field, "%s cannot be read: %s", path, strerror(errno));
		return NULL;
	}
	text = calloc(1, FILE_MAX_BYTES + 1);
	if (!text)
		abort();
	len = fread(text, 1, FILE_MAX_BYTES, file);
	fclose(file);
	if (len < FILE_MAX_BYTES && strstr(text, begins))
		return text;
	/* It may be a private key that was passed as the wrong option: do not leave it in memory. */
	bool key = strstr(text, "PRIVATE KEY-----") != NULL, cert = strstr(text, CERTIFICATE) != NULL;
	explicit_bzero(text, len);
	free(text);
	bursar__error_field(error, field, "%s %s", path,
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

/* Reads one file into `out`; NULL there when no path is given. */
static bool part_read(const char *path, const char *field, char **out, struct bursar_error *error)
{
	*out = given(path) ? pem_read(path, field, strcmp(field, "tls_key") == 0 ? PRIVATE_KEY : CERTIFICATE, error)
			   : NULL;
	return *out || !given(path);
}

grpc_channel_credentials *bursar__credentials(const struct bursar_options *options, struct bursar_error *error)
{
	grpc_channel_credentials *credentials = NULL;
	char *ca = NULL, *cert = NULL, *key = NULL;
	const char *roots = options->tls_ca;

	if (!given(roots)) {
		if (!given(options->tls_cert) && !given(options->tls_key))
			return grpc_insecure_credentials_create();
		bursar__error_field(
			error, "tls_ca", "is required with a certificate and a key: pass a PEM file, or 'system'");
		return NULL;
	}
	if (given(options->tls_cert) != given(options->tls_key)) {
		bursar__error_field(error, given(options->tls_cert) ? "tls_key" : "tls_cert",
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
