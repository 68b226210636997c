/*
 * TLS for HTTP, by GnuTLS, which libmicrohttpd uses. Certificates come from the same files as gRPC's and are read again
 * when they change, at the next handshake; the authorities of client certificates are read once, at the start.
 */
#include "http/tls.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/observe/log.h"

enum { CHAIN_MAX = 10, NAMES_MAX = 32 };

/* A certificate and its key. Handshakes use it without the lock, so it lives until the end of the process. */
struct identity {
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned length;
	gnutls_privkey_t key;
	struct identity *older;
};

/* GnuTLS gives the callback no argument of ours, and a process serves HTTPS once. */
static struct {
	pthread_mutex_t lock;
	struct http_tls files;
	struct timespec cert_changed, key_changed;
	struct identity *current;
} served = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool file_read(const char *path, const char *option, struct buf *out, struct err *err)
{
	FILE *file = fopen(path, "re");

	if (!file)
		return err_invalid(err, option, "%.150s cannot be read: %s", path, strerror(errno));
	for (size_t n; out->len <= HTTP_TLS_FILE_MAX && (n = fread(buf_reserve(out, 4096), 1, 4096, file)) > 0;)
		out->len += n;
	fclose(file);
	return out->len <= HTTP_TLS_FILE_MAX || err_invalid(err, option, "%.150s is larger than 1 MiB", path);
}

static gnutls_datum_t datum_of(const struct buf *text)
{
	return (gnutls_datum_t){.data = (unsigned char *)text->data, .size = (unsigned)text->len};
}

static bool identity_fill(struct identity *identity, const struct buf *cert, const struct buf *key, struct err *err)
{
	gnutls_datum_t cert_pem = datum_of(cert), key_pem = datum_of(key);
	int error;

	identity->length = CHAIN_MAX;
	error = gnutls_pcert_list_import_x509_raw(identity->chain, &identity->length, &cert_pem, GNUTLS_X509_FMT_PEM,
		GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);
	if (error < 0)
		return err_invalid(err, "tls_cert", "%.150s: %s", served.files.cert, gnutls_strerror(error));
	error = gnutls_privkey_init(&identity->key);
	if (error == 0)
		error = gnutls_privkey_import_x509_raw(identity->key, &key_pem, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (error < 0)
		return err_invalid(err, "tls_key", "%.150s: %s", served.files.key, gnutls_strerror(error));
	return true;
}

static struct identity *identity_read(struct err *err)
{
	struct identity *identity = mem_zalloc(1, sizeof(*identity));
	struct buf cert = {0}, key = {0};
	bool ok = file_read(served.files.cert, "tls_cert", &cert, err) &&
		  file_read(served.files.key, "tls_key", &key, err) && identity_fill(identity, &cert, &key, err);

	if (key.data)
		explicit_bzero(key.data, key.len);
	buf_release(&cert);
	buf_release(&key);
	if (ok)
		return identity;
	free(identity);
	return NULL;
}

/* Whether the file has changed since `seen`, which becomes the time of its last change. */
static bool changed(const char *path, struct timespec *seen)
{
	struct stat now;

	if (stat(path, &now) != 0 || (now.st_mtim.tv_sec == seen->tv_sec && now.st_mtim.tv_nsec == seen->tv_nsec))
		return false;
	*seen = now.st_mtim;
	return true;
}

/* With the lock held: the newest usable certificate; an unusable one leaves the old one in force. */
static bool refresh(struct err *err)
{
	bool cert = changed(served.files.cert, &served.cert_changed),
	     key = changed(served.files.key, &served.key_changed);
	struct identity *identity;

	if (served.current && !cert && !key)
		return true;
	identity = identity_read(err);
	if (!identity)
		return false;
	identity->older = served.current;
	served.current = identity;
	log_info("certificate for HTTPS loaded", F("file", served.files.cert));
	return true;
}

static int choose(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
	const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **chain, unsigned *length,
	gnutls_privkey_t *key)
{
	struct err err;

	(void)session;
	(void)authorities;
	(void)authority_count;
	(void)algorithms;
	(void)algorithm_count;
	pthread_mutex_lock(&served.lock);
	if (!refresh(&err))
		log_error("cannot reload the certificate; the old one stays in use", F("why", err.text));
	*chain = served.current->chain;
	*length = served.current->length;
	*key = served.current->key;
	pthread_mutex_unlock(&served.lock);
	return 0;
}

gnutls_certificate_retrieve_function2 *http_tls_start(
	const struct http_tls *tls, struct buf *authorities, struct err *err)
{
	bool ok;

	pthread_mutex_lock(&served.lock);
	served.files = *tls;
	served.current = NULL;
	ok = refresh(err) &&
	     (!tls->client_ca || !tls->client_ca[0] || file_read(tls->client_ca, "tls_client_ca", authorities, err));
	pthread_mutex_unlock(&served.lock);
	return ok ? choose : NULL;
}

static void read_names(gnutls_x509_crt_t certificate, struct arena *arena, struct http_certificate *out)
{
	const char **names = arena_zalloc(arena, NAMES_MAX + 1, sizeof(names[0]));
	char name[256];
	size_t len = sizeof(name);
	unsigned count = 0;

	if (gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &len) == 0)
		names[count++] = arena_strndup(arena, name, len);
	for (unsigned i = 0; count < NAMES_MAX; i++) {
		int kind;

		len = sizeof(name);
		kind = gnutls_x509_crt_get_subject_alt_name(certificate, i, name, &len, NULL);
		if (kind == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		if (kind >= 0 && kind != GNUTLS_SAN_IPADDRESS && strlen(name) == len)
			names[count++] = arena_strndup(arena, name, len);
	}
	out->names = names;
}

static bool unusable(struct err *err, const char *why)
{
	err_set(err, ERR_UNAUTHENTICATED, "%s", why);
	return err_reason(err, "NO_KEY");
}

bool http_tls_peer(
	gnutls_session_t session, bool required, struct arena *arena, struct http_certificate *out, struct err *err)
{
	unsigned count = 0, status = 0;
	const gnutls_datum_t *raw = gnutls_certificate_get_peers(session, &count);
	gnutls_x509_crt_t certificate;
	gnutls_datum_t pem;

	*out = (struct http_certificate){0};
	if (!raw || !count)
		return !required || unusable(err, "a client certificate is needed here");
	if (gnutls_certificate_verify_peers2(session, &status) < 0 || status)
		return unusable(err, "the client certificate is not valid, or not signed by a known authority");
	if (gnutls_x509_crt_init(&certificate) < 0)
		mem_exhausted(0);
	if (gnutls_x509_crt_import(certificate, raw, GNUTLS_X509_FMT_DER) == 0 &&
		gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem) == 0) {
		out->pem = arena_strndup(arena, (const char *)pem.data, pem.size);
		gnutls_free(pem.data);
		read_names(certificate, arena, out);
	}
	gnutls_x509_crt_deinit(certificate);
	return out->pem || unusable(err, "the client certificate cannot be read");
}
