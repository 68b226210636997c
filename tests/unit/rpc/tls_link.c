#include "tls_link.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/observe/log.h"
#include "lib/test.h"

static const char *const names[] = {"cert", "key", "ca", "own", "own-key", "new"};
enum { NAMES = sizeof(names) / sizeof(names[0]) };
static char folder[64], paths[NAMES][96];
static struct {
	struct authority authority;
	struct tls_server *server;
} current;

const char *folder_path(const char *name)
{
	for (size_t i = 0; i < NAMES; i++)
		if (strcmp(names[i], name) == 0)
			return paths[i];
	fail_msg("there is no file %s", name);
	return NULL;
}

void folder_write(const char *name, const char *text)
{
	FILE *file = fopen(folder_path("new"), "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0 && fclose(file) == 0);
	assert_int_equal(rename(folder_path("new"), folder_path(name)), 0);
}

int served_tls_open(void **state)
{
	(void)state;
	log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_ERROR);
	snprintf(folder, sizeof(folder), "/tmp/bursar-tls-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	for (size_t i = 0; i < NAMES; i++)
		snprintf(paths[i], sizeof(paths[i]), "%s/%s", folder, names[i]);
	authority_make(&current.authority, "authority");
	authority_issue(NULL, &(struct subject){.name = "bursard"}, "cert", "key");
	return 0;
}

int served_tls_close(void **state)
{
	(void)state;
	tls_server_free(current.server);
	current.server = NULL;
	authority_release(&current.authority);
	for (size_t i = 0; i < NAMES; i++)
		unlink(paths[i]);
	return rmdir(folder);
}

struct tls_server *serve(const char *client_ca, bool required)
{
	struct rpc_tls tls = {.cert = folder_path("cert"),
		.key = folder_path("key"),
		.client_ca = client_ca ? folder_path(client_ca) : NULL,
		.client_required = required};
	struct err err;

	tls_server_free(current.server);
	current.server = tls_server_new(&tls, &err);
	if (!current.server)
		fail_msg("%s", err.text);
	return current.server;
}

static void put_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static X509 *sign(EVP_PKEY *key, const struct subject *subject, const struct authority *by)
{
	static long serial;
	X509 *certificate = X509_new();
	size_t len = subject->name_len ? subject->name_len : strlen(subject->name);

	assert_int_equal(X509_set_version(certificate, X509_VERSION_3), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -2 * 86400L);
	X509_gmtime_adj(X509_getm_notAfter(certificate), subject->expired ? -86400L : 86400L);
	assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
				 (const unsigned char *)subject->name, (int)len, -1, 0),
		1);
	X509_set_issuer_name(certificate, X509_get_subject_name(by ? by->certificate : certificate));
	X509_set_pubkey(certificate, key);
	if (subject->alternatives)
		put_extension(certificate, NID_subject_alt_name, subject->alternatives);
	if (!by)
		put_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
	assert_true(X509_sign(certificate, by ? by->key : key, EVP_sha256()) > 0);
	return certificate;
}

void authority_make(struct authority *authority, const char *name)
{
	authority->key = EVP_EC_gen("P-256");
	authority->certificate = sign(authority->key, &(struct subject){.name = name}, NULL);
}

void authority_release(struct authority *authority)
{
	X509_free(authority->certificate);
	EVP_PKEY_free(authority->key);
}

static void replace(const char *file, const X509 *certificate, const EVP_PKEY *key)
{
	FILE *out = fopen(folder_path("new"), "we");

	assert_non_null(out);
	if (certificate)
		assert_int_equal(PEM_write_X509(out, certificate), 1);
	else
		assert_int_equal(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(out);
	assert_int_equal(rename(folder_path("new"), folder_path(file)), 0);
}

const struct authority *served_authority(void)
{
	return &current.authority;
}

void authority_write(const struct authority *authority, const char *file)
{
	replace(file, authority->certificate, NULL);
}

void authority_issue(
	const struct authority *authority, const struct subject *subject, const char *cert, const char *key)
{
	EVP_PKEY *own = EVP_EC_gen("P-256");
	X509 *certificate = sign(own, subject, authority);

	replace(cert, certificate, NULL);
	replace(key, NULL, own);
	X509_free(certificate);
	EVP_PKEY_free(own);
}

static SSL_CTX *client_context(const struct link_options *options)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	const char *alpn = options->alpn ? options->alpn : "\2h2";

	if (options->version) {
		SSL_CTX_set_min_proto_version(context, options->version);
		SSL_CTX_set_max_proto_version(context, options->version);
	}
	if (options->ciphers)
		assert_int_equal(SSL_CTX_set_cipher_list(context, options->ciphers), 1);
	if (alpn[0])
		SSL_CTX_set_alpn_protos(context, (const unsigned char *)alpn, (unsigned)strlen(alpn));
	if (options->cert) {
		assert_int_equal(SSL_CTX_use_certificate_chain_file(context, folder_path(options->cert)), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey_file(context, folder_path(options->key), SSL_FILETYPE_PEM), 1);
	}
	return context;
}

void link_begin(struct link *link, struct tls_server *server, const struct link_options *options)
{
	SSL_CTX *context = client_context(options);

	*link = (struct link){.client = SSL_new(context), .piece = options->piece};
	SSL_CTX_free(context);
	link->to_client = BIO_new(BIO_s_mem());
	link->from_client = BIO_new(BIO_s_mem());
	BIO_set_mem_eof_return(link->to_client, -1);
	SSL_set_bio(link->client, link->to_client, link->from_client);
	SSL_set_connect_state(link->client);
	link->session = tls_session_new(server);
}

void link_feed(struct link *link, const void *bytes, size_t n)
{
	(void)!tls_feed(link->session, bytes, n, &link->plain, &link->encrypted, &link->err);
}

void link_move(struct link *link)
{
	uint8_t bytes[16384];
	size_t most = link->piece ? link->piece : sizeof(bytes);

	for (int n; (n = BIO_read(link->from_client, bytes, (int)most)) > 0;)
		link_feed(link, bytes, (size_t)n);
	if (link->encrypted.len)
		BIO_write(link->to_client, link->encrypted.data, (int)link->encrypted.len);
	buf_reset(&link->encrypted);
}

bool link_shake(struct link *link)
{
	bool waits;

	do {
		int done;

		ERR_clear_error();
		done = SSL_do_handshake(link->client);
		waits = done != 1 && SSL_get_error(link->client, done) == SSL_ERROR_WANT_READ;
		link_move(link);
	} while (waits && BIO_pending(link->to_client));
	return SSL_is_init_finished(link->client);
}

bool link_up(struct link *link, struct tls_server *by, const struct link_options *options)
{
	link_begin(link, by, options);
	return link_shake(link) && tls_state(link->session) == TLS_OPEN;
}

size_t link_read(struct link *link, char *out, size_t size, int *why)
{
	size_t n = 0;
	int done;

	ERR_clear_error();
	done = SSL_read_ex(link->client, out, size, &n);
	*why = SSL_get_error(link->client, done);
	return n;
}

void link_end(struct link *link)
{
	SSL_free(link->client);
	tls_session_free(link->session);
	buf_release(&link->plain);
	buf_release(&link->encrypted);
}
